/**
 * A mask made coarse for its surface: how full each cell of about 2.5 mm is (0 to 255), and which finding it holds.
 * One cell of empty border on every side, so that every surface is closed.
 */
import type { Layer, Layers } from "../../edits/layers";
import type { Operation } from "../../edits/operation";
import type { Grid, Vec3 } from "../../geometry/grid";

export interface Field {
  /** Cells along i, j, k, border included. */
  size: Vec3;
  /** Voxels of the scan in a cell along i, j, k. */
  factor: Vec3;
  lung: Uint8Array;
  findings: Uint8Array;
  /** The finding's label in each cell. */
  label: Uint8Array;
}

const CELL_MM = 2.5;
/** A cell's voxels are counted in a byte. */
const VOXELS_MOST = 255;

export function factorOf(spacing: Vec3): Vec3 {
  const factor = spacing.map((mm) => Math.max(1, Math.round(CELL_MM / mm))) as Vec3;
  while (factor[0] * factor[1] * factor[2] > VOXELS_MOST) factor[factor.indexOf(Math.max(...factor))]--;
  return factor;
}

function* count(layer: Layer, shown: Uint8Array, size: Vec3, factor: Vec3, from: number, to: number): Operation<{ full: Uint8Array; label: Uint8Array }> {
  const [, ny, nx] = layer.shapeZyx;
  const full = new Uint8Array(size[0] * size[1] * size[2]);
  const label = new Uint8Array(full.length);
  const cellOfColumn = Uint16Array.from({ length: nx }, (_, i) => 1 + Math.floor(i / factor[0]));
  for (let k = 0; k < layer.slices.length; k++) {
    const slice = layer.slices[k];
    if (slice) {
      const plane = (1 + Math.floor(k / factor[2])) * size[0] * size[1];
      for (let j = 0; j < ny; j++) {
        const row = plane + (1 + Math.floor(j / factor[1])) * size[0];
        for (let i = 0, at = j * nx; i < nx; i++, at++) {
          const value = slice[at];
          if (!value || !shown[value]) continue;
          const cell = row + cellOfColumn[i];
          full[cell]++;
          label[cell] = value;
        }
      }
    }
    yield from + ((to - from) * k) / layer.slices.length;
  }
  const voxels = factor[0] * factor[1] * factor[2];
  for (let cell = 0; cell < full.length; cell++) if (full[cell]) full[cell] = Math.round((255 * full[cell]) / voxels);
  return { full, label };
}

/** `shown` tells which labels are on the screen, by layer and value. */
export function* coarsen(layers: Layers, grid: Grid, shown: { anatomy: Uint8Array; findings: Uint8Array }): Operation<Field> {
  const factor = factorOf(grid.spacing);
  const size = grid.size.map((n, axis) => Math.ceil(n / factor[axis]) + 2) as Vec3;
  const lung = yield* count(layers.anatomy, shown.anatomy, size, factor, 0, 0.5);
  const findings = yield* count(layers.findings, shown.findings, size, factor, 0.5, 1);
  return { size, factor, lung: lung.full, findings: findings.full, label: findings.label };
}
