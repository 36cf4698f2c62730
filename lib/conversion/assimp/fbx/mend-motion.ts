import type { FbxObjects } from './fbx-connections.ts';
import { type Key, readKeys, SECOND } from './fbx-curves.ts';
import type { FbxEdits } from './fbx-edits.ts';
import { childOf, type FbxNode } from './fbx-node.ts';

/** As much as an angle may change between keyframes so that every reader turns the same way, in degrees. */
const LARGEST_TURN = 60;
/** Nearer keyframes are those of programs that write every frame, whose angles may jump from one end of their range to the other. */
const SHORTEST_TURN = SECOND / 20;
/** How long before the next keyframe a value is held that changes at once. */
const JUMP = SECOND / 1000;
/** Keyframes that are added to one file at most. */
const MOST_ADDED = 1_000_000;

/**
 * Adds the keyframes to an animation's curves without which the library shows another motion: it goes the shortest way from one rotation to
 * the next, whatever the angles say, and from value to value where one is held.
 */
export function mendMotion(nodes: readonly FbxNode[], objects: FbxObjects, file: Uint8Array, edits: FbxEdits): void {
  let added = 0;
  for (const curve of nodes.filter(({ name }) => name === 'AnimationCurve')) {
    const [times, values] = [childOf(curve, 'KeyTime'), childOf(curve, 'KeyValueFloat')];
    if (times === undefined || values === undefined) continue;
    const keys = readKeys(curve, file);
    const dense = addKeys(keys, isRotation(curve, objects), MOST_ADDED - added);
    added += dense.length - keys.length;
    if (dense.length === keys.length) continue;
    const longs = BigInt64Array.from(dense, ({ time }) => BigInt(Math.round(time)));
    edits.replace(times, { name: times.name, values: [longs] });
    edits.replace(values, { name: values.name, values: [Float64Array.from(dense, ({ value }) => value)] });
  }
}

function isRotation(curve: FbxNode, objects: FbxObjects): boolean {
  const owners = objects.ownersOf(curve, 'AnimationCurveNode').flatMap(({ part }) => objects.ownersOf(part, 'Model'));
  return owners.some(({ connection }) => connection.property === 'Lcl Rotation');
}

/**
 * Keyframes with those between them that a straight way to the next needs to be right.
 * @param turns whether they are angles
 * @param most keyframes that may be added
 */
export function addKeys(keys: readonly Key[], turns: boolean, most: number): Key[] {
  const dense: Key[] = [];
  for (const [i, key] of keys.entries()) {
    const before = keys[i - 1];
    const added = before === undefined ? [] : between(before, key, turns, most - (dense.length - i));
    for (const one of added) dense.push(one);
    dense.push(key);
  }
  return dense;
}

/** @param most keyframes that may be added; where they are too few, there are none */
function between(from: Key, to: Key, turns: boolean, most: number): Key[] {
  const duration = to.time - from.time;
  const change = to.value - from.value;
  if (most < 1) return [];
  if (from.isHeld) return change !== 0 && duration > 2 * JUMP ? [{ ...from, time: to.time - JUMP }] : [];
  if (!turns || duration < SHORTEST_TURN || !(Math.abs(change) > LARGEST_TURN)) return [];
  const steps = Math.min(Math.ceil(Math.abs(change) / LARGEST_TURN), Math.ceil(duration / SHORTEST_TURN));
  if (!(steps - 1 <= most)) return [];
  return Array.from({ length: steps - 1 }, (_, i) => {
    const part = (i + 1) / steps;
    return { time: from.time + part * duration, value: from.value + part * change, isHeld: false };
  });
}
