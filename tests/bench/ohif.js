/**
 * Runs in OHIF's page before its own scripts: when the shown axial slice's own voxels are drawn, and when the whole
 * volume is there and drawn. Milliseconds since navigation. The viewer itself is as its package brings it.
 */
window.peer = { timings: {}, frames: 0, planes: [] };

function listen(cornerstone) {
  const { timings } = window.peer;
  const { Enums, eventTarget, getRenderingEngines } = cornerstone;
  const arrived = new Set();
  const volumes = () =>
    getRenderingEngines()
      .flatMap((engine) => engine.getViewports())
      .filter((viewport) => viewport.type === Enums.ViewportType.ORTHOGRAPHIC);
  const isAxial = (viewport) => Math.abs(viewport.getCamera().viewPlaneNormal[2]) > 0.99;
  eventTarget.addEventListener(Enums.Events.IMAGE_LOADED, ({ detail }) => {
    window.peer.frames++;
    arrived.add(detail.image.imageId);
  });
  eventTarget.addEventListener(Enums.Events.IMAGE_VOLUME_LOADING_COMPLETED, () => {
    timings.loaded ??= performance.now();
    for (const engine of getRenderingEngines()) engine.render();
  });
  // Rendering events do not bubble; they are seen on their way down.
  document.addEventListener(
    Enums.Events.IMAGE_RENDERED,
    () => {
      const shown = volumes();
      const axial = shown.find(isAxial);
      if (!axial) return;
      // A volume without voxels is drawn too: only the shown slice's own arrival counts.
      if (timings.firstSlice === undefined && arrived.has(axial.getCurrentImageId())) timings.firstSlice = performance.now();
      if (timings.loaded !== undefined && timings.complete === undefined && shown.length >= 3) {
        timings.complete = performance.now();
        window.peer.planes = shown.map((viewport) => viewport.id);
      }
    },
    true,
  );
}

const waiting = setInterval(() => {
  if (!window.cornerstone?.eventTarget) return;
  clearInterval(waiting);
  window.peer.timings.script = performance.now();
  listen(window.cornerstone);
}, 5);
