import { type Document, Primitive } from '@gltf-transform/core';
import { compactPrimitive } from '@gltf-transform/functions';
import { MeshoptSimplifier } from 'meshoptimizer/simplifier';

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
    // A mesh without parts is none.
    if (mesh.listPrimitives().length === 0) mesh.dispose();
  }
}

function simplify(part: Primitive, error: number): void {
  const indices = part.getIndices();
  const positions = part.getAttribute('POSITION')?.getArray();
  if (indices === null || !(positions instanceof Float32Array)) return;
  const before = Uint32Array.from(indices.getArray() ?? []);
  const { values, weights } = looksOf(part);
  const size = weights.length;
  const [after] =
    size === 0
      ? MeshoptSimplifier.simplify(before, positions, 3, 0, error)
      : MeshoptSimplifier.simplifyWithAttributes(before, positions, 3, values, size, weights, null, 0, error);
  if (after.length === before.length) return;
  if (after.length === 0) {
    part.dispose();
    return;
  }
  part.setIndices(indices.clone().setArray(after.slice()));
  compactPrimitive(part);
}

interface Looks {
  /** Of each vertex one after the other, as many as there are weights. */
  readonly values: Float32Array;
  readonly weights: number[];
}

/** What else must stay in place than the surface: colours, and how it bends. Deviations count as those of a position in a part of size 1. */
function looksOf(part: Primitive): Looks {
  const columns = [...colours(part), ...bends(part), ...morphs(part)].slice(0, MAX_ATTRIBUTES);
  const count = part.getAttribute('POSITION')?.getCount() ?? 0;
  const values = new Float32Array(count * columns.length);
  for (const [column, { of }] of columns.entries()) {
    for (let vertex = 0; vertex < count; vertex += 1) values[vertex * columns.length + column] = of(vertex);
  }
  return { values, weights: columns.map(({ weight }) => weight) };
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

/** How much each joint moves a vertex; joints that share a column are rarely neighbours. */
const JOINT_COLUMNS = 8;

function bends(part: Primitive): Column[] {
  const joints = part.getAttribute('JOINTS_0');
  const weights = part.getAttribute('WEIGHTS_0');
  if (joints === null || weights === null) return [];
  const count = joints.getCount();
  const sums = new Float32Array(count * JOINT_COLUMNS);
  const [joint, weight]: [number[], number[]] = [[], []];
  for (let vertex = 0; vertex < count; vertex += 1) {
    joints.getElement(vertex, joint);
    weights.getElement(vertex, weight);
    for (let i = 0; i < 4; i += 1) {
      const at = vertex * JOINT_COLUMNS + ((joint[i] ?? 0) % JOINT_COLUMNS);
      sums[at] = (sums[at] ?? 0) + (weight[i] ?? 0);
    }
  }
  return Array.from({ length: JOINT_COLUMNS }, (_, column) => ({
    weight: 1,
    of: (vertex) => sums[vertex * JOINT_COLUMNS + column] ?? 0,
  }));
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
