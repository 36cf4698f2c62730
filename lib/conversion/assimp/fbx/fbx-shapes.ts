import type { Primitive, PrimitiveTarget, vec3 } from '@gltf-transform/core';
import { readIndices, readNumbers } from './fbx-data.ts';
import { dataOf, type FbxNode } from './fbx-node.ts';

/** Vertices by which a shape is known among others, of it and of all. */
const [SAMPLES, MOST_SAMPLES] = [4, 256];
/** Vertices of one place that are looked at: several may lie there, as those of closed lips do. */
const MOST_IN_PLACE = 64;

/** Some of the vertices that a shape moves, the one that it moves farthest among them. */
interface Sample {
  readonly position: string;
  /** How far each shape moves the vertex. */
  readonly moved: readonly vec3[];
}

/** Puts the targets of a mesh part in the order of the shapes that they were made of, which the library does not keep. */
export function orderTargets(part: Primitive, geometry: FbxNode, shapes: readonly FbxNode[], file: Uint8Array): void {
  const targets = part.listTargets();
  if (targets.length !== shapes.length || targets.length < 2) return;
  const samples = takeSamples(geometry, shapes, file);
  const places = placesOf(part, samples);
  const left = new Set(targets);
  const order = shapes.flatMap((_, shape) => {
    const [best] = [...left]
      .map((target) => ({ target, distance: distanceOf(target, shape, samples, places) }))
      .sort((a, b) => a.distance - b.distance);
    if (best === undefined) return [];
    left.delete(best.target);
    return [best.target];
  });
  for (const target of targets) part.removeTarget(target);
  for (const target of order) part.addTarget(target);
}

function takeSamples(geometry: FbxNode, shapes: readonly FbxNode[], file: Uint8Array): Sample[] {
  const vertices = readNumbers(file, dataOf(geometry, 'Vertices'));
  const moves = shapes.map((shape) => readMoves(shape, file));
  const wanted = new Set(moves.flatMap((byVertex) => spreadOver([...byVertex.keys()])));
  return [...wanted].slice(0, MOST_SAMPLES).map((vertex) => ({
    position: placeOf(vertices, 3 * vertex),
    moved: moves.map((byVertex) => byVertex.get(vertex) ?? [0, 0, 0]),
  }));
}

function readMoves(shape: FbxNode, file: Uint8Array): Map<number, vec3> {
  const moved = readNumbers(file, dataOf(shape, 'Vertices'));
  const moves = [...readIndices(file, dataOf(shape, 'Indexes'))].map((vertex, i): [number, vec3] => [
    vertex,
    [moved[3 * i] ?? 0, moved[3 * i + 1] ?? 0, moved[3 * i + 2] ?? 0],
  ]);
  return new Map(moves.sort(([, a], [, b]) => Math.hypot(...b) - Math.hypot(...a)));
}

function spreadOver(vertices: readonly number[]): number[] {
  const step = Math.max(1, Math.floor(vertices.length / SAMPLES));
  return vertices.filter((_, i) => i % step === 0).slice(0, SAMPLES);
}

/** Where in a part the vertices of the samples are. */
function placesOf(part: Primitive, samples: readonly Sample[]): ReadonlyMap<string, readonly number[]> {
  const wanted = new Map<string, number[]>(samples.map(({ position }) => [position, []]));
  const positions = part.getAttribute('POSITION')?.getArray() ?? new Float32Array(0);
  for (let i = 0; i + 2 < positions.length; i += 3) {
    const found = wanted.get(placeOf(positions, i));
    if (found !== undefined && found.length < MOST_IN_PLACE) found.push(i);
  }
  return wanted;
}

function distanceOf(
  target: PrimitiveTarget,
  shape: number,
  samples: readonly Sample[],
  places: ReadonlyMap<string, readonly number[]>,
): number {
  const array = target.getAttribute('POSITION')?.getArray() ?? new Float32Array(0);
  let sum = 0;
  for (const { position, moved } of samples) {
    const [x, y, z] = moved[shape] ?? [0, 0, 0];
    const offs = (places.get(position) ?? []).map((i) =>
      Math.hypot((array[i] ?? 0) - x, (array[i + 1] ?? 0) - y, (array[i + 2] ?? 0) - z),
    );
    if (offs.length > 0) sum += Math.min(...offs);
  }
  return sum;
}

function placeOf(positions: ArrayLike<number>, at: number): string {
  return [0, 1, 2].map((axis) => Math.fround(positions[at + axis] ?? 0) + 0).join(' ');
}
