import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import { setNormal } from './geometry/positions.ts';

/** Cosine of the angle from which on two directions are taken for opposite ones. */
const OPPOSITE = -0.9999;

/** Triangles around a vertex that are compared with each other; with more of them it is marked, which is no loss. */
const MOST_COMPARED = 64;

/**
 * Marks with 1 the vertices of sheets whose front and back are surfaces of their own, as leaves of trees and walls of simple models have:
 * they are closed, hold nothing and would be simplified to nothing. Around each of their vertices lie triangles that face opposite ways.
 * @returns null where there are none
 */
export function findSheets(indices: Uint32Array, positions: Float32Array): Uint8Array | null {
  const places = MeshoptSimplifier.generatePositionRemap(positions, 3);
  const normals = normalsOf(indices, positions);
  const around = trianglesAround(indices, places);
  const isSheet = places.map((place, vertex) => (place === vertex && facesBothWays(around(place), normals) ? 1 : 0));
  return isSheet.includes(1) ? new Uint8Array(places.map((place) => isSheet[place] ?? 0)) : null;
}

/** Of length 1, and 0 for a triangle without an area. */
function normalsOf(indices: Uint32Array, positions: Float32Array): Float32Array {
  const normals = new Float32Array(indices.length);
  for (let first = 0; first + 2 < indices.length; first += 3) {
    setNormal(normals, first, positions, indices, first);
    const length = Math.hypot(normals[first] ?? 0, normals[first + 1] ?? 0, normals[first + 2] ?? 0);
    if (length === 0) continue;
    for (let axis = first; axis < first + 3; axis += 1) normals[axis] = (normals[axis] ?? 0) / length;
  }
  return normals;
}

/** The first corners of the triangles around each place. */
function trianglesAround(indices: Uint32Array, places: Uint32Array): (place: number) => Uint32Array {
  const ends = new Uint32Array(places.length + 1);
  const placeOf = (corner: number) => places[indices[corner] ?? 0] ?? 0;
  for (let corner = 0; corner < indices.length; corner += 1) {
    const next = placeOf(corner) + 1;
    ends[next] = (ends[next] ?? 0) + 1;
  }
  for (let place = 1; place < ends.length; place += 1) ends[place] = (ends[place] ?? 0) + (ends[place - 1] ?? 0);
  const starts = ends.slice();
  const triangles = new Uint32Array(indices.length);
  for (let corner = 0; corner < indices.length; corner += 1) {
    const place = placeOf(corner);
    const at = starts[place] ?? 0;
    triangles[at] = corner - (corner % 3);
    starts[place] = at + 1;
  }
  return (place) => triangles.subarray(ends[place], ends[place + 1]);
}

function facesBothWays(triangles: Uint32Array, normals: Float32Array): boolean {
  if (faceOneWay(triangles, normals)) return false;
  if (triangles.length > MOST_COMPARED) return true;
  for (let i = 1; i < triangles.length; i += 1) {
    const a = triangles[i] ?? 0;
    for (let j = 0; j < i; j += 1) {
      const b = triangles[j] ?? 0;
      const [x = 0, y = 0, z = 0] = [normals[a], normals[a + 1], normals[a + 2]];
      if (x * (normals[b] ?? 0) + y * (normals[b + 1] ?? 0) + z * (normals[b + 2] ?? 0) < OPPOSITE) return true;
    }
  }
  return false;
}

/** True where all face the side that they face on the whole: no two of them can be opposite then, as almost everywhere. */
function faceOneWay(triangles: Uint32Array, normals: Float32Array): boolean {
  let x = 0;
  let y = 0;
  let z = 0;
  for (const a of triangles) {
    x += normals[a] ?? 0;
    y += normals[a + 1] ?? 0;
    z += normals[a + 2] ?? 0;
  }
  for (const a of triangles) {
    if (x * (normals[a] ?? 0) + y * (normals[a + 1] ?? 0) + z * (normals[a + 2] ?? 0) <= 0) return false;
  }
  return true;
}
