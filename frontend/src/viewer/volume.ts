/** The CT as a Cornerstone streaming volume whose images come from our slabs. */
import {
  cache,
  imageLoader,
  imageLoadPoolManager,
  init,
  metaData,
  RenderingEngine,
  volumeLoader,
  cornerstoneStreamingImageVolumeLoader,
  Enums,
  eventTarget,
  type Types,
} from "@cornerstonejs/core";
import type { Grid } from "../geometry/grid";
import { unit } from "../geometry/grid";

const SCHEME = "groundglass";
const VOLUME_ID = "cornerstoneStreamingImageVolume:groundglass-ct";

export interface StreamedVolume {
  volumeId: string;
  /** Hands slice z to the renderer; the array is kept, not copied. */
  put(z: number, voxels: Int16Array): void;
}

let started = false;

export function startCornerstone(): RenderingEngine {
  if (!started) {
    started = true;
    init({ rendering: { webGlContextCount: 1 }, debug: { statsOverlay: false } } as unknown as Parameters<typeof init>[0]);
    volumeLoader.registerVolumeLoader(
      "cornerstoneStreamingImageVolume",
      cornerstoneStreamingImageVolumeLoader as unknown as Parameters<typeof volumeLoader.registerVolumeLoader>[1],
    );
    cache.setMaxCacheSize(4 * 1024 ** 3);
  }
  return new RenderingEngine("groundglass");
}

function describeImages(grid: Grid): void {
  const rowCosines = unit(grid.steps[0]);
  const columnCosines = unit(grid.steps[1]);
  const [columns, rows] = grid.size;
  const modules: Record<string, (z: number) => unknown> = {
    imagePixelModule: () => ({
      bitsAllocated: 16,
      bitsStored: 16,
      highBit: 15,
      pixelRepresentation: 1,
      samplesPerPixel: 1,
      photometricInterpretation: "MONOCHROME2",
    }),
    imagePlaneModule: (z) => ({
      imageOrientationPatient: [...rowCosines, ...columnCosines],
      imagePositionPatient: grid.toWorld([0, 0, z]),
      rowCosines,
      columnCosines,
      pixelSpacing: [grid.spacing[1], grid.spacing[0]],
      rowPixelSpacing: grid.spacing[1],
      columnPixelSpacing: grid.spacing[0],
      sliceThickness: grid.spacing[2],
      frameOfReferenceUID: "groundglass",
      columns,
      rows,
    }),
    generalSeriesModule: () => ({ modality: "CT", seriesInstanceUID: "groundglass" }),
    voiLutModule: () => ({ windowCenter: -600, windowWidth: 1500 }),
    modalityLutModule: () => ({ rescaleSlope: 1, rescaleIntercept: 0 }),
  };
  metaData.addProvider((type: string, imageId: unknown) => {
    if (typeof imageId !== "string" || !imageId.startsWith(`${SCHEME}:`)) return undefined;
    return modules[type]?.(Number(imageId.split(":")[1]));
  }, 10000);
}

function imageOf(imageId: string, grid: Grid, voxels: Int16Array): Types.IImage {
  const [columns, rows] = grid.size;
  return {
    imageId,
    minPixelValue: -1024,
    maxPixelValue: 3071,
    slope: 1,
    intercept: 0,
    windowCenter: -600,
    windowWidth: 1500,
    rows,
    columns,
    height: rows,
    width: columns,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    columnPixelSpacing: grid.spacing[0],
    rowPixelSpacing: grid.spacing[1],
    invert: false,
    photometricInterpretation: "MONOCHROME2",
    sizeInBytes: voxels.byteLength,
    dataType: "Int16Array",
    isPreScaled: true,
    imageFrame: {},
    getPixelData: () => voxels,
  } as unknown as Types.IImage;
}

/** Makes the volume at once, empty; slices arrive by `put` in any order, `ready` follows when one can be drawn. */
export async function createVolume(grid: Grid, ready: (z: number) => void): Promise<StreamedVolume> {
  const depth = grid.size[2];
  const arrive: ((voxels: Int16Array) => void)[] = [];
  const arrivals = Array.from({ length: depth }, (_, z) => new Promise<Int16Array>((done) => (arrive[z] = done)));
  describeImages(grid);
  imageLoader.registerImageLoader(SCHEME, ((imageId: string) => ({
    promise: arrivals[Number(imageId.split(":")[1])].then((voxels) => imageOf(imageId, grid, voxels)),
  })) as unknown as Parameters<typeof imageLoader.registerImageLoader>[1]);
  // Every image is asked for at once and resolves when its slab is there: the order is ours, not the pool's.
  imageLoadPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, 4096);
  eventTarget.addEventListener(Enums.Events.IMAGE_CACHE_IMAGE_ADDED, (event: Event) => {
    const z = Number((event as CustomEvent<{ image: Types.IImage }>).detail.image.imageId.split(":")[1]);
    // The volume marks the slice for upload in the same turn: the renderer may be asked in the next.
    setTimeout(() => ready(z));
  });
  const imageIds = Array.from({ length: depth }, (_, z) => `${SCHEME}:${z}`);
  const volume = (await volumeLoader.createAndCacheVolume(VOLUME_ID, { imageIds })) as unknown as {
    autoRenderOnLoad: boolean;
    load(): void;
  };
  volume.autoRenderOnLoad = false;
  volume.load();
  return { volumeId: VOLUME_ID, put: (z, voxels) => arrive[z](voxels) };
}
