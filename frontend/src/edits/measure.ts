/**
 * Extent, weight and volumes of a mask, from sums kept for each slice: only slices that changed are counted again.
 * Definitions: extent (%) = 100 x lesion inside lung / lung; density (g/mL) = (HU + 1000) / 1000, never below 0;
 * weight (g) = sum over lesion voxels inside lung of voxel volume x density. Lesion outside lung is told apart.
 */
import type { Layers } from "./layers";

export interface LabelUse {
  value: number;
  isExclusion: boolean;
  countsAsLung: boolean;
}

export interface Side {
  lungMl: number;
  lesionMl: number;
  extentPercent: number | null;
  weightG: number | null;
}

export interface Numbers {
  extentPercent: number | null;
  /** Null while Hounsfield values are missing: not loaded yet, or the scan has none. */
  weightG: number | null;
  lungMl: number;
  lungWeightG: number | null;
  lesionMl: number;
  lesionOutsideLungMl: number;
  left: Side;
  right: Side;
  byLabel: Map<number, { volumeMl: number; outsideMl: number; weightG: number | null }>;
}

/** Where a voxel lies: outside lung, left lung, right lung, lung of no named side. */
const PLACES = 4;
const LEFT = 1;
const RIGHT = 2;

interface SliceSums {
  /** Voxels, by label row x place. */
  count: Float64Array;
  /** Sum of max(0, HU + 1000), by label row x place; exact, since integers. */
  mass: Float64Array;
  hasMass: boolean;
}

export class MeasureBook {
  private readonly slices: (SliceSums | null)[];
  private readonly dirty = new Set<number>();
  private readonly rowOf = new Uint8Array(256);
  private readonly values: number[];

  constructor(
    private readonly layers: Layers,
    private readonly labels: readonly LabelUse[],
    /** null where it is unknown: volumes are counts of voxels then, and there is no weight. */
    private readonly voxelVolumeMl: number | null,
    private readonly huSlice: (z: number) => Int16Array | null,
  ) {
    const nz = layers.findings.shapeZyx[0];
    this.slices = new Array<SliceSums | null>(nz).fill(null);
    this.values = [0, ...labels.map((label) => label.value)];
    this.values.forEach((value, row) => (this.rowOf[value] = row));
    for (let z = 0; z < nz; z++) this.dirty.add(z);
  }

  touch(z: number): void {
    this.dirty.add(z);
  }

  touchAll(): void {
    for (let z = 0; z < this.slices.length; z++) this.dirty.add(z);
  }

  /** Counts dirty slices again, for at most `budgetMs`; returns whether none is left. */
  refresh(budgetMs = Infinity): boolean {
    const end = performance.now() + budgetMs;
    for (const z of this.dirty) {
      this.slices[z] = this.countSlice(z);
      this.dirty.delete(z);
      if (performance.now() > end) break;
    }
    return this.dirty.size === 0;
  }

  private countSlice(z: number): SliceSums | null {
    const anatomy = this.layers.anatomy.slices[z];
    const findings = this.layers.findings.slices[z];
    if (!anatomy && !findings) return null;
    const hu = this.huSlice(z);
    const cells = this.values.length * PLACES;
    const count = new Float64Array(cells);
    const mass = new Float64Array(cells);
    const size = this.layers.findings.sliceSize;
    const rowOf = this.rowOf;
    for (let i = 0; i < size; i++) {
      const a = anatomy ? anatomy[i] : 0;
      const f = findings ? findings[i] : 0;
      if (a === 0 && f === 0) continue;
      const cell = rowOf[f] * PLACES + (a > RIGHT ? RIGHT + 1 : a);
      count[cell]++;
      if (hu && hu[i] > -1000) mass[cell] += hu[i] + 1000;
    }
    return { count, mass, hasMass: hu !== null };
  }

  /** 1 for each slice that holds any finding. */
  slicesWithFindings(): Uint8Array {
    return Uint8Array.from(this.slices, (slice) => (slice?.count.some((n, cell) => cell >= PLACES && n > 0) ? 1 : 0));
  }

  /** 1 for each slice that holds lesion: a label that is no exclusion. */
  slicesWithLesion(): Uint8Array {
    const lesion = this.values.map((value) => value !== 0 && !this.labels.find((label) => label.value === value)?.isExclusion);
    return Uint8Array.from(this.slices, (slice) => (slice?.count.some((n, cell) => n > 0 && lesion[Math.floor(cell / PLACES)]) ? 1 : 0));
  }

  /** 1 for each slice that holds any lung. */
  slicesWithLung(): Uint8Array {
    return Uint8Array.from(this.slices, (slice) => (slice?.count.some((n, cell) => cell % PLACES > 0 && n > 0) ? 1 : 0));
  }

  numbers(): Numbers {
    const cells = this.values.length * PLACES;
    const count = new Float64Array(cells);
    const mass = new Float64Array(cells);
    let hasMass = true;
    for (const slice of this.slices) {
      if (!slice) continue;
      hasMass &&= slice.hasMass;
      for (let c = 0; c < cells; c++) {
        count[c] += slice.count[c];
        mass[c] += slice.mass[c];
      }
    }
    return this.conclude(count, mass, hasMass);
  }

  private conclude(count: Float64Array, mass: Float64Array, hasMass: boolean): Numbers {
    const ml = this.voxelVolumeMl ?? 1;
    const sum = (table: Float64Array, rows: readonly number[], places: readonly number[]): number =>
      rows.reduce((total, row) => total + places.reduce((inner, place) => inner + table[row * PLACES + place], 0), 0);
    const grams = (rows: readonly number[], places: readonly number[]): number | null =>
      hasMass && this.voxelVolumeMl !== null ? (sum(mass, rows, places) * ml) / 1000 : null;
    const lesionRows: number[] = [];
    const lungRows = [0];
    this.labels.forEach((label, index) => {
      if (!label.isExclusion) lesionRows.push(index + 1);
      if (!label.isExclusion || label.countsAsLung) lungRows.push(index + 1);
    });
    const inLung = [LEFT, RIGHT, RIGHT + 1];
    const side = (places: readonly number[]): Side => {
      const lung = sum(count, lungRows, places);
      const lesion = sum(count, lesionRows, places);
      return {
        lungMl: lung * ml,
        lesionMl: lesion * ml,
        extentPercent: lung ? (100 * lesion) / lung : null,
        weightG: grams(lesionRows, places),
      };
    };
    const whole = side(inLung);
    const byLabel: Numbers["byLabel"] = new Map();
    this.labels.forEach((label, index) => {
      const outside = sum(count, [index + 1], [0]) * ml;
      const inside = sum(count, [index + 1], inLung) * ml;
      byLabel.set(label.value, { volumeMl: inside + outside, outsideMl: outside, weightG: grams([index + 1], inLung) });
    });
    return {
      extentPercent: whole.extentPercent,
      weightG: whole.weightG,
      lungMl: whole.lungMl,
      lungWeightG: grams(lungRows, inLung),
      lesionMl: whole.lesionMl,
      lesionOutsideLungMl: sum(count, lesionRows, [0]) * ml,
      left: side([LEFT]),
      right: side([RIGHT]),
      byLabel,
    };
  }
}
