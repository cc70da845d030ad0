/** Makes surfaces off the page's own thread. */
import { meshes, type Mesh, type SurfaceJob } from "./mesh";

const buffers = (mesh: Mesh): ArrayBuffer[] => [mesh.positions, mesh.normals, mesh.triangles, mesh.labels].map((array) => array.buffer as ArrayBuffer);

self.onmessage = (event: MessageEvent<SurfaceJob>) => {
  const done = meshes(event.data);
  (self as unknown as Worker).postMessage(done, [...buffers(done.lung), ...buffers(done.findings)]);
};
