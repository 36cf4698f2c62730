import { readIndices, readNumbers } from './fbx-data.ts';
import { dataOf, type FbxNode } from './fbx-node.ts';

/** Units of time in a second. */
export const SECOND = 46_186_158_000;

/** The way to the next keyframe, as a keyframe has it. */
const CONSTANT = 2;

/** A keyframe of one number. */
export interface Key {
  /** In units of `SECOND`. */
  readonly time: number;
  readonly value: number;
  /** Whether the value stays to the next keyframe, and changes there at once. */
  readonly isHeld: boolean;
}

/** Times are longs, of which larger ones are no time of anything. */
function isTime(time: number): boolean {
  return Math.abs(time) <= 2 ** 62;
}

/** The keyframes of an `AnimationCurve`; none where it contradicts itself, or has a time that is none. */
export function readKeys(curve: FbxNode, file: Uint8Array): Key[] {
  const times = readNumbers(file, dataOf(curve, 'KeyTime'));
  const values = readNumbers(file, dataOf(curve, 'KeyValueFloat'));
  if (times.length !== values.length || !times.every(isTime)) return [];
  const flags = readIndices(file, dataOf(curve, 'KeyAttrFlags'));
  const uses = readIndices(file, dataOf(curve, 'KeyAttrRefCount'));
  const held: boolean[] = [];
  for (const [i, use] of uses.entries()) {
    for (let n = 0; n < use && held.length < times.length; n += 1) held.push(((flags[i] ?? 0) & CONSTANT) !== 0);
  }
  return Array.from(times, (time, i) => ({ time, value: values[i] ?? 0, isHeld: held[i] ?? false }));
}
