/**
 * The stock way to load a CT: Cornerstone3D's streaming volume over its own WADO-RS image loader, three planes of one
 * volume, all settings as they come (two decoding workers). Timings are milliseconds since navigation.
 */
import {
  RenderingEngine,
  Enums,
  eventTarget,
  init,
  setVolumesForViewports,
  volumeLoader,
  cornerstoneStreamingImageVolumeLoader,
} from "@cornerstonejs/core";
import dicomImageLoader from "@cornerstonejs/dicom-image-loader";

const timings = { script: performance.now() };
window.stock = { timings, frames: 0, failed: null };

const value = (instance, tag) => instance[tag].Value;

async function listFrames(root) {
  const instances = await (await fetch(`${root}/metadata`, { headers: { Accept: "application/dicom+json" } })).json();
  instances.sort((a, b) => value(a, "00200032")[2] - value(b, "00200032")[2]);
  return instances.map((instance) => {
    const imageId = `wadors:${location.origin}${root}/instances/${value(instance, "00080018")[0]}/frames/1`;
    dicomImageLoader.wadors.metaDataManager.add(imageId, instance);
    return imageId;
  });
}

async function run() {
  const root = new URLSearchParams(location.search).get("series");
  await init();
  dicomImageLoader.init({ maxWebWorkers: 2 });
  volumeLoader.registerVolumeLoader("cornerstoneStreamingImageVolume", cornerstoneStreamingImageVolumeLoader);
  const imageIds = await listFrames(root);
  timings.metadata = performance.now();
  const volumeId = "cornerstoneStreamingImageVolume:stock";
  const volume = await volumeLoader.createAndCacheVolume(volumeId, { imageIds });
  const engine = new RenderingEngine("stock");
  const planes = { axial: Enums.OrientationAxis.AXIAL, coronal: Enums.OrientationAxis.CORONAL, sagittal: Enums.OrientationAxis.SAGITTAL };
  for (const [viewportId, orientation] of Object.entries(planes)) {
    const element = document.getElementById(viewportId);
    engine.enableElement({ viewportId, element, type: Enums.ViewportType.ORTHOGRAPHIC, defaultOptions: { orientation } });
  }
  const axial = document.getElementById("axial");
  const arrived = new Set();
  axial.addEventListener(Enums.Events.IMAGE_RENDERED, () => {
    // A volume without voxels is drawn too: only the shown slice's own arrival counts.
    const shown = engine.getViewport("axial").getCurrentImageId();
    if (timings.firstSlice === undefined && arrived.has(shown)) timings.firstSlice = performance.now();
    if (timings.loaded !== undefined && timings.complete === undefined) timings.complete = performance.now();
  });
  eventTarget.addEventListener(Enums.Events.IMAGE_LOADED, ({ detail }) => {
    window.stock.frames++;
    arrived.add(detail.image.imageId);
  });
  eventTarget.addEventListener(Enums.Events.IMAGE_VOLUME_LOADING_COMPLETED, () => {
    timings.loaded = performance.now();
    engine.render();
  });
  await setVolumesForViewports(engine, [{ volumeId }], Object.keys(planes));
  for (const viewportId of Object.keys(planes)) {
    engine.getViewport(viewportId).setProperties({ voiRange: { lower: -1350, upper: 150 } });
  }
  volume.load();
  engine.render();
}

run().catch((error) => (window.stock.failed = String(error?.stack ?? error)));
