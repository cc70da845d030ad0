/** Stands in for xmlbuilder2, which vtk.js names for XML writers that a viewer never calls. */
function unavailable(): never {
  throw new Error("XML writing is not part of the viewer");
}

export const create = unavailable;
export const fragment = unavailable;
export const convert = unavailable;
export default { create, fragment, convert };
