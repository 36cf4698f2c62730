import { type Document, Primitive } from '@gltf-transform/core';
import { compactPrimitive, listTextureInfoByMaterial } from '@gltf-transform/functions';
import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import { along, setNormal } from './geometry/positions.ts';
import { findSheets } from './sheet-vertices.ts';

/** The library takes no more attributes of a vertex. */
const MAX_ATTRIBUTES = 32;

/**
 * Leaves out triangles where the surface stays what it is. Parts are welded: each has vertices of its own.
 * @param error largest deviation as a part of a mesh part's size
 */
export async function simplifyModel(document: Document, error: number): Promise<void> {
  await MeshoptSimplifier.ready;
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) if (part.getMode() === Primitive.Mode['TRIANGLES']) simplify(part, error);
  }
}

function simplify(part: Primitive, error: number): void {
  // What is flat at rest may bend anywhere.
  if (part.getAttribute('JOINTS_0') !== null) return;
  const indices = part.getIndices();
  const positions = part.getAttribute('POSITION')?.getArray();
  if (indices === null || !(positions instanceof Float32Array)) return;
  const all = Uint32Array.from(indices.getArray() ?? []);
  const before = withArea(all, positions);
  const looks = looksOf(part);
  const size = looks.length;
  if (size > MAX_ATTRIBUTES) return;
  const values = valuesOf(looks, positions.length / 3);
  const weights = looks.map(({ weight }) => weight);
  const kept = findSheets(before, positions);
  const [after] =
    size === 0 && kept === null
      ? MeshoptSimplifier.simplify(before, positions, 3, 0, error)
      : MeshoptSimplifier.simplifyWithAttributes(before, positions, 3, values, size, weights, kept, 0, error);
  // A part whose triangles all are without an area is left as it is: it may be all that there is.
  if (after.length === all.length || after.length === 0) return;
  part.setIndices(indices.clone().setArray(after.slice()));
  compactPrimitive(part);
}

/** Height of a triangle, as a part of its longest side, up to which it has no area. */
const NO_HEIGHT = 1e-6;

/** Triangles without an area at the edge of a surface would hide that it ends there, and all of it could go. */
function withArea(indices: Uint32Array, positions: Float32Array): Uint32Array {
  const kept = new Uint32Array(indices.length);
  const normal = new Float64Array(3);
  let count = 0;
  for (let first = 0; first + 2 < indices.length; first += 3) {
    setNormal(normal, 0, positions, indices, first);
    const area = Math.hypot(normal[0] ?? 0, normal[1] ?? 0, normal[2] ?? 0);
    if (area <= NO_HEIGHT * longestSide(positions, indices, first)) continue;
    for (let corner = 0; corner < 3; corner += 1) kept[count + corner] = indices[first + corner] ?? 0;
    count += 3;
  }
  return kept.subarray(0, count);
}

/** Its square. */
function longestSide(positions: Float32Array, indices: Uint32Array, first: number): number {
  const a = 3 * (indices[first] ?? 0);
  const b = 3 * (indices[first + 1] ?? 0);
  const c = 3 * (indices[first + 2] ?? 0);
  return Math.max(squareOf(positions, a, b), squareOf(positions, b, c), squareOf(positions, c, a));
}

function squareOf(positions: Float32Array, from: number, to: number): number {
  return along(positions, from, to, 0) ** 2 + along(positions, from, to, 1) ** 2 + along(positions, from, to, 2) ** 2;
}

/** What else must stay in place than the surface. Deviations count as those of a position in a part of size 1. */
function looksOf(part: Primitive): Column[] {
  return [...colours(part), ...texcoords(part), ...morphs(part)];
}

/** Of each vertex one after the other. */
function valuesOf(columns: readonly Column[], vertices: number): Float32Array {
  const values = new Float32Array(vertices * columns.length);
  for (const [column, { of }] of columns.entries()) {
    for (let vertex = 0; vertex < vertices; vertex += 1) values[vertex * columns.length + column] = of(vertex);
  }
  return values;
}

interface Column {
  readonly weight: number;
  readonly of: (vertex: number) => number;
}

/** A step of one in 255 is what a deviation of 0.0001 is. */
const COLOUR_WEIGHT = 0.025;

function colours(part: Primitive): Column[] {
  const colour = part.getAttribute('COLOR_0');
  if (colour === null) return [];
  const element: number[] = [];
  const component = (i: number) => (vertex: number) => colour.getElement(vertex, element)[i] ?? 0;
  return Array.from({ length: colour.getElementSize() }, (_, i) => ({ weight: COLOUR_WEIGHT, of: component(i) }));
}

/** A thousandth of a texture, two pixels of one of 2,048, is what a deviation of 0.0001 is. */
const TEXCOORD_WEIGHT = 0.1;

function texcoords(part: Primitive): Column[] {
  const material = part.getMaterial();
  const used = material === null ? [] : listTextureInfoByMaterial(material).map((info) => info.getTexCoord());
  return [...new Set(used)].flatMap((set) => {
    const texcoord = part.getAttribute(`TEXCOORD_${set}`);
    if (texcoord === null) return [];
    const element: number[] = [];
    return [0, 1].map((i) => ({
      weight: TEXCOORD_WEIGHT,
      of: (vertex: number) => texcoord.getElement(vertex, element)[i] ?? 0,
    }));
  });
}

function morphs(part: Primitive): Column[] {
  const size = sizeOf(part) || 1;
  return part.listTargets().flatMap((target) => {
    const moves = target.getAttribute('POSITION');
    if (moves === null) return [];
    const element: number[] = [];
    return [0, 1, 2].map((axis) => ({
      weight: 1,
      of: (vertex: number) => (moves.getElement(vertex, element)[axis] ?? 0) / size,
    }));
  });
}

function sizeOf(part: Primitive): number {
  const position = part.getAttribute('POSITION');
  const [min, max] = [position?.getMin([]) ?? [], position?.getMax([]) ?? []];
  return Math.max(...max.map((value, axis) => value - (min[axis] ?? 0)));
}
