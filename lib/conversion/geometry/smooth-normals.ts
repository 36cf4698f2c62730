import { setNormal } from './positions.ts';

/** Part of the corners that may lie at edges before a surface is taken for one of flat faces. */
const MOST_EDGES = 0.5;
/** Cosine of the angle between a triangle and its corner's normal from which on the corner lies at an edge: 45 degrees. */
const EDGE = Math.SQRT1_2;

/**
 * A normal for each vertex, the mean of those of its triangles by their area, and zero for a vertex of none. Undefined for what consists of
 * edges, as boxes do: it looks round with such normals, and is left to flat ones.
 */
export function smoothNormals(positions: Float32Array, triangles: Uint32Array): Float32Array<ArrayBuffer> | undefined {
  const normals = meanNormals(positions, triangles);
  let edges = 0;
  forEachTriangle(positions, triangles, (corner, x, y, z) => {
    const along = x * (normals[corner] ?? 0) + y * (normals[corner + 1] ?? 0) + z * (normals[corner + 2] ?? 0);
    if (along < EDGE * Math.hypot(x, y, z)) edges += 1;
  });
  return edges > MOST_EDGES * triangles.length ? undefined : normals;
}

/**
 * The normals that a file has; where programs wrote zeros or what is no number, those of the triangles there. Undefined where all of them are
 * such. A vertex of none keeps zero.
 */
export function givenNormals(
  normals: Float32Array<ArrayBuffer>,
  positions: Float32Array,
  triangles: Uint32Array = new Uint32Array(0),
): Float32Array<ArrayBuffer> | undefined {
  const count = normals.length / 3;
  let missing = 0;
  for (let i = 0; i < count; i += 1) if (!isDirection(normals, 3 * i)) missing += 1;
  if (missing === count) return undefined;
  if (missing === 0) return normals;
  const means = meanNormals(positions, triangles);
  const filled = normals.slice();
  for (let at = 0; at < filled.length; at += 3) {
    if (!isDirection(filled, at)) filled.set(means.subarray(at, at + 3), at);
  }
  return filled;
}

function isDirection(normals: Float32Array, at: number): boolean {
  const length = Math.hypot(normals[at] ?? 0, normals[at + 1] ?? 0, normals[at + 2] ?? 0);
  return length > 0 && Number.isFinite(length);
}

function meanNormals(positions: Float32Array, triangles: Uint32Array): Float32Array<ArrayBuffer> {
  const normals = new Float32Array(positions.length);
  forEachTriangle(positions, triangles, (corner, x, y, z) => {
    normals[corner] = (normals[corner] ?? 0) + x;
    normals[corner + 1] = (normals[corner + 1] ?? 0) + y;
    normals[corner + 2] = (normals[corner + 2] ?? 0) + z;
  });
  for (let i = 0; i < normals.length; i += 3) {
    const [x = 0, y = 0, z = 0] = [normals[i], normals[i + 1], normals[i + 2]];
    const length = Math.hypot(x, y, z) || 1;
    normals[i] = x / length;
    normals[i + 1] = y / length;
    normals[i + 2] = z / length;
  }
  return normals;
}

/** @param visit receives where each corner's vertex begins, and the triangle's normal, as long as twice its area */
function forEachTriangle(
  positions: Float32Array,
  triangles: Uint32Array,
  visit: (corner: number, x: number, y: number, z: number) => void,
): void {
  const normal = new Float64Array(3);
  for (let first = 0; first + 2 < triangles.length; first += 3) {
    setNormal(normal, 0, positions, triangles, first);
    const [x = 0, y = 0, z = 0] = normal;
    for (let i = first; i < first + 3; i += 1) visit(3 * (triangles[i] ?? 0), x, y, z);
  }
}
