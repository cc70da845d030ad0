/**
 * The surface of a coarse field, by naive surface nets: one point in each cell that the level passes through, at the mean
 * of the crossings on its edges; one square for each edge of the lattice that the level crosses. Closed wherever the
 * field's border is empty.
 */
export interface Net {
  /** Cells (fractions), three a point. */
  points: Float32Array;
  /** Triangles, three points each. */
  triangles: Uint32Array;
  /** The lattice cell of each point. */
  cells: Uint32Array;
}

/** The field with neighbours mixed in (1 2 1 along each axis): steps of the lattice vanish. */
export function smoothed(field: Uint8Array, [nx, ny, nz]: readonly [number, number, number]): Uint8Array {
  let from = field;
  for (const [step, n, stride] of [[1, nx, 1], [nx, ny, nx], [nx * ny, nz, nx * ny]]) {
    const to = new Uint8Array(field.length);
    for (let at = 0; at < to.length; at++) {
      const along = Math.floor(at / stride) % n;
      const before = along > 0 ? from[at - step] : 0;
      const behind = along < n - 1 ? from[at + step] : 0;
      if (before || behind || from[at]) to[at] = (before + 2 * from[at] + behind + 2) >> 2;
    }
    from = to;
  }
  return from;
}

export function surfaceNet(field: Uint8Array, [nx, ny, nz]: readonly [number, number, number], level: number): Net {
  const sx = 1;
  const sy = nx;
  const sz = nx * ny;
  const corners = [0, sx, sy, sx + sy, sz, sx + sz, sy + sz, sx + sy + sz];
  const edges: [number, number][] = [];
  for (let a = 0; a < 8; a++) for (const bit of [1, 2, 4]) if (!(a & bit)) edges.push([a, a | bit]);
  const points: number[] = [];
  const cells: number[] = [];
  const triangles: number[] = [];
  // Point of each cell of this layer and of the one before: the squares need no more.
  const pointOf = new Int32Array(field.length).fill(-1);
  for (let z = 0; z < nz - 1; z++) {
    for (let y = 0; y < ny - 1; y++) {
      for (let x = 0; x < nx - 1; x++) {
        const at = x + y * sy + z * sz;
        let mask = 0;
        for (let c = 0; c < 8; c++) if (field[at + corners[c]] > level) mask |= 1 << c;
        if (mask === 0 || mask === 255) continue;
        let [px, py, pz, crossed] = [0, 0, 0, 0];
        for (const [a, b] of edges) {
          if (((mask >> a) & 1) === ((mask >> b) & 1)) continue;
          const [va, vb] = [field[at + corners[a]], field[at + corners[b]]];
          const t = (level + 0.5 - va) / (vb - va);
          px += (a & 1) + t * ((b & 1) - (a & 1));
          py += ((a >> 1) & 1) + t * (((b >> 1) & 1) - ((a >> 1) & 1));
          pz += (a >> 2) + t * ((b >> 2) - (a >> 2));
          crossed++;
        }
        pointOf[at] = cells.length;
        points.push(x + px / crossed, y + py / crossed, z + pz / crossed);
        cells.push(at);
        // The three edges at the cell's first corner: the four cells around each are there by now.
        const inside = mask & 1;
        for (const [bit, u, v] of [[1, sy, sz], [2, sz, sx], [4, sx, sy]] as const) {
          if (!!(mask & (1 << bit)) === !!inside) continue;
          const [a, b, c, d] = [pointOf[at], pointOf[at - u], pointOf[at - u - v], pointOf[at - v]];
          if (b < 0 || c < 0 || d < 0) continue;
          if (inside) triangles.push(a, b, c, a, c, d);
          else triangles.push(a, c, b, a, d, c);
        }
      }
    }
  }
  return { points: Float32Array.from(points), triangles: Uint32Array.from(triangles), cells: Uint32Array.from(cells) };
}
