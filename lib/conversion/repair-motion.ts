import type { Accessor, AnimationSampler, Document, Primitive } from '@gltf-transform/core';

/** Mends rotations that turn nothing and weights that hold nothing: exporters round them, and leave out what does not move. */
export function repairMotion(document: Document): void {
  const root = document.getRoot();
  for (const node of root.listNodes()) {
    const unit = asUnit(node.getRotation());
    if (unit !== undefined) node.setRotation(unit);
  }
  const done = new Set<Accessor>();
  for (const channel of root.listAnimations().flatMap((animation) => animation.listChannels())) {
    const sampler = channel.getSampler();
    const output = sampler?.getOutput();
    if (!output || channel.getTargetPath() !== 'rotation' || done.has(output)) continue;
    done.add(output);
    normaliseRotations(output, sampler?.getInterpolation() === 'CUBICSPLINE');
  }
  for (const sampler of root.listAnimations().flatMap((animation) => animation.listSamplers())) {
    dropUnusableKeys(sampler);
    makeStep(sampler);
  }
  dropEmptyChannels(document);
  const weighed = new Set<Accessor>();
  for (const part of root.listMeshes().flatMap((mesh) => mesh.listPrimitives())) normaliseWeights(part, weighed);
}

/** Deviation of a length from 1 that the validator still takes for rounding. */
const TOLERANCE = 0.0005;

type Quaternion = [number, number, number, number];

/** The rotation with a length of 1, and none at all for one that has no length; undefined where it is right already. */
function asUnit([x, y, z, w]: Quaternion): Quaternion | undefined {
  const length = Math.sqrt(x * x + y * y + z * z + w * w);
  if (Math.abs(length - 1) <= TOLERANCE) return undefined;
  return length > 0 && Number.isFinite(length) ? [x / length, y / length, z / length, w / length] : [0, 0, 0, 1];
}

/** @param spline each keyframe has a tangent before its value and one behind it: glTF 2.0, appendix C.5 */
function normaliseRotations(output: Accessor, spline: boolean): void {
  const rotation: Quaternion = [0, 0, 0, 1];
  for (let i = spline ? 1 : 0; i < output.getCount(); i += spline ? 3 : 1) {
    const unit = asUnit(output.getElement(i, rotation));
    if (unit !== undefined) output.setElement(i, unit);
  }
}

/** Keyframes follow each other in time: of several at one time the last counts, as viewers show it. What is no number says nothing. */
function dropUnusableKeys(sampler: AnimationSampler): void {
  const [input, output] = [sampler.getInput(), sampler.getOutput()];
  const times = input?.getArray();
  const values = output?.getArray();
  if (!input || !times || !output || !values) return;
  const size = values.length / times.length;
  if (!Number.isInteger(size)) return;
  const kept: number[] = [];
  for (let i = 0; i < times.length; i += 1) {
    const time = times[i] ?? Number.NaN;
    if (!Number.isFinite(time) || !values.subarray(size * i, size * (i + 1)).every(Number.isFinite)) continue;
    while (kept.length > 0 && (times[kept.at(-1) ?? 0] ?? 0) >= time) kept.pop();
    kept.push(i);
  }
  if (kept.length === times.length) return;
  const keptValues = values.slice(0, size * kept.length);
  for (const [to, from] of kept.entries()) keptValues.set(values.subarray(size * from, size * (from + 1)), size * to);
  sampler.setInput(input.clone().setArray(Float32Array.from(kept, (i) => times[i] ?? 0)));
  sampler.setOutput(output.clone().setArray(keptValues));
}

/** A spline has two ends at least: of one keyframe only its value counts (glTF 2.0, appendix C.5). */
function makeStep(sampler: AnimationSampler): void {
  const output = sampler.getOutput();
  if (output === null || sampler.getInterpolation() !== 'CUBICSPLINE' || sampler.getInput()?.getCount() !== 1) return;
  const values = output.getArray() ?? new Float32Array(0);
  const size = values.length / 3;
  sampler.setInterpolation('STEP').setOutput(output.clone().setArray(values.slice(size, 2 * size)));
}

function dropEmptyChannels(document: Document): void {
  for (const animation of document.getRoot().listAnimations()) {
    for (const channel of animation.listChannels()) {
      if (channel.getSampler()?.getInput()?.getCount() === 0) channel.dispose();
    }
    for (const sampler of animation.listSamplers()) if (sampler.getInput()?.getCount() === 0) sampler.dispose();
  }
}

/** Deviation of a sum of weights from 1 that comes of rounding alone. */
const WEIGHTS_TOLERANCE = 1e-6;

/** A vertex that no joint holds is held by the first, as most programs show it. */
function normaliseWeights(part: Primitive, done: Set<Accessor>): void {
  const sets = part.listSemantics().flatMap((semantic) => (semantic.startsWith('WEIGHTS_') ? [semantic] : []));
  const accessors = sets.flatMap((semantic) => part.getAttribute(semantic) ?? []);
  const joints = sets.flatMap((semantic) => part.getAttribute(semantic.replace('WEIGHTS', 'JOINTS')) ?? []);
  const [first] = accessors;
  if (first === undefined || done.has(first)) return;
  done.add(first);
  for (let vertex = 0; vertex < first.getCount(); vertex += 1) {
    mergeWeights(vertex, accessors, joints);
    normaliseVertex(vertex, accessors, first);
  }
}

/** A joint holds a vertex once: what it does so besides is added to that (glTF 2.0, 3.7.3.3). Less than nothing is nothing. */
function mergeWeights(vertex: number, accessors: readonly Accessor[], joints: readonly Accessor[]): void {
  const weights = accessors.flatMap((accessor) => accessor.getElement(vertex, []));
  const held = joints.flatMap((accessor) => accessor.getElement(vertex, []));
  const merged = weights.map((weight) => (weight < 0 ? 0 : weight));
  for (const [i, weight] of merged.entries()) {
    const earlier = held.findIndex((joint, j) => j < i && joint === held[i] && (merged[j] ?? 0) > 0);
    if (weight === 0 || earlier < 0) continue;
    merged[earlier] = (merged[earlier] ?? 0) + weight;
    merged[i] = 0;
  }
  if (merged.every((weight, i) => weight === weights[i])) return;
  for (const [set, accessor] of accessors.entries()) accessor.setElement(vertex, merged.slice(4 * set, 4 * set + 4));
}

function normaliseVertex(vertex: number, accessors: readonly Accessor[], first: Accessor): void {
  const weights: Quaternion = [0, 0, 0, 0];
  let sum = 0;
  for (const accessor of accessors) for (const weight of accessor.getElement(vertex, weights)) sum += weight;
  if (Math.abs(sum - 1) <= WEIGHTS_TOLERANCE) return;
  const usable = sum > 0 && Number.isFinite(sum);
  for (const accessor of accessors) {
    const held = accessor.getElement(vertex, weights).map((weight) => (usable ? weight / sum : 0));
    accessor.setElement(vertex, held);
  }
  if (!usable) first.setElement(vertex, [1, 0, 0, 0]);
}
