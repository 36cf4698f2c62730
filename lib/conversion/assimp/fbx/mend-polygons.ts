import { triangulate } from '../../geometry/triangulate.ts';
import { readIndices, readNumbers } from './fbx-data.ts';
import type { FbxEdits } from './fbx-edits.ts';
import { dataOf, type FbxNode, textOf } from './fbx-node.ts';

/** The library cuts these right; of larger ones that are not convex it loses parts. */
const MOST_CORNERS = 4;

/** What is said of a corner or a polygon has no more numbers: a matrix would be the longest. */
const MOST_NUMBERS = 16;

/** Cuts the large polygons of a mesh's geometry into triangles, with everything that its layers say of their corners. */
export function mendPolygons(geometry: FbxNode, file: Uint8Array, edits: FbxEdits): void {
  const list = geometry.children.find(({ name }) => name === 'PolygonVertexIndex');
  const polygons = readIndices(file, dataOf(geometry, 'PolygonVertexIndex'));
  if (list === undefined || !hasLarge(polygons)) return;
  const cut = cutPolygons(polygons, readNumbers(file, dataOf(geometry, 'Vertices')));
  edits.replace(list, { name: list.name, values: [cut.polygons] });
  for (const layer of geometry.children) {
    if (!layer.name.startsWith('LayerElement')) continue;
    const mapping = textOf(layer, 'MappingInformationType');
    if (mapping === 'ByPolygonVertex') spreadLayer(layer, cut.corners, polygons.length, file, edits);
    if (mapping === 'ByPolygon') spreadLayer(layer, cut.origins, cut.count, file, edits);
  }
}

function hasLarge(polygons: Int32Array): boolean {
  let corners = 0;
  for (const index of polygons) {
    corners += 1;
    if (index >= 0) continue;
    if (corners > MOST_CORNERS) return true;
    corners = 0;
  }
  return false;
}

/** @param polygons indices of vertices, of which the last of each polygon is negative: -1 for 0 */
function cutPolygons(polygons: Int32Array, vertices: Float64Array) {
  const [cut, corners, origins]: [number[], number[], number[]] = [[], [], []];
  let start = 0;
  let count = 0;
  for (let end = 0; end < polygons.length; end += 1) {
    if ((polygons[end] ?? 0) >= 0) continue;
    const add = (...local: readonly number[]) => {
      for (const [i, corner] of local.entries()) {
        const vertex = vertexOf(polygons[start + corner] ?? 0);
        cut.push(i + 1 === local.length ? -vertex - 1 : vertex);
        corners.push(start + corner);
      }
      origins.push(count);
    };
    const size = end + 1 - start;
    const at = (corner: number, axis: number) => vertices[3 * vertexOf(polygons[start + corner] ?? 0) + axis] ?? 0;
    if (size <= MOST_CORNERS) add(...Array.from({ length: size }, (_, i) => i));
    else triangulate(size, at, add);
    start = end + 1;
    count += 1;
  }
  return { polygons: Int32Array.from(cut), corners, origins, count };
}

function vertexOf(index: number): number {
  return index < 0 ? -index - 1 : index;
}

/**
 * Repeats the values of a layer for what has become several.
 * @param from which of the old ones each of the new ones is
 * @param count of the old ones
 */
function spreadLayer(layer: FbxNode, from: readonly number[], count: number, file: Uint8Array, edits: FbxEdits): void {
  const arrays = layer.children.filter(({ values }) => values.some((value) => typeof value === 'object'));
  const indices = arrays.filter(({ name }) => name.endsWith('Index'));
  for (const array of indices.length > 0 ? indices : arrays) {
    const [data] = array.values.filter((value) => typeof value === 'object');
    const values = readNumbers(file, data);
    const size = values.length / count;
    if (!Number.isInteger(size) || size > MOST_NUMBERS) continue;
    const spread = new Float64Array(size * from.length);
    for (const [to, old] of from.entries()) spread.set(values.subarray(size * old, size * (old + 1)), size * to);
    const isWhole = array.name.endsWith('Index') || array.name === 'Materials' || array.name === 'Smoothing';
    edits.replace(array, { name: array.name, values: [isWhole ? Int32Array.from(spread) : spread] });
  }
}
