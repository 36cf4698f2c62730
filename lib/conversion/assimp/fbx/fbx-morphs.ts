import type { Animation, Document, Mesh, Node } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../../conversion-limits.ts';
import type { FbxObjects } from './fbx-connections.ts';
import { type Key, readKeys, SECOND } from './fbx-curves.ts';
import { readNumbers } from './fbx-data.ts';
import { childOf, dataOf, type FbxFile, type FbxNode, numbersOf, objectName, subclassOf } from './fbx-node.ts';
import { orderTargets } from './fbx-shapes.ts';
import { addKeys } from './mend-motion.ts';

/** A morph target as an FBX has it: a shape of a channel. */
interface Target {
  readonly name: string;
  readonly channel: FbxNode;
  readonly shape: FbxNode;
  /** The percentage at which the shape is reached; undefined for one on the way to another, which is left out. */
  readonly full: number | undefined;
}

/** What the shapes of a file are read from. */
interface MorphSource {
  readonly fbx: FbxFile;
  readonly objects: FbxObjects;
  readonly bytes: Uint8Array;
}

/**
 * Gives the morph targets of a document their names, and how far each is there, at first and as animations say: the library writes none of it.
 * @throws ConversionError `limit` where the weights of animations are too many
 */
export function applyMorphs(
  document: Document,
  { fbx: { nodes, unpackedBytes }, objects, bytes: file }: MorphSource,
  limits: WorkLimits,
): void {
  let unpacked = unpackedBytes;
  const byName = Map.groupBy(document.getRoot().listNodes(), (node) =>
    node.getName().replace(/_\$AssimpFbx\$_.*$/, ''),
  );
  for (const geometry of nodes.filter(({ name }) => name === 'Geometry')) {
    const targets = targetsOf(geometry, objects, file);
    const models = targets.length === 0 ? [] : objects.ownersOf(geometry, 'Model');
    const shown = models.flatMap(({ part }) => byName.get(objectName(part)) ?? []);
    for (const node of shown.filter((node) => hasTargets(node, targets.length))) {
      const shapes = targets.map(({ shape }) => shape);
      for (const part of node.getMesh()?.listPrimitives() ?? []) orderTargets(part, geometry, shapes, file);
      describeTargets(node.getMesh(), targets);
      for (const motion of motionsOf(targets, objects, file)) {
        unpacked += Float32Array.BYTES_PER_ELEMENT * motion.times.length * (targets.length + 1);
        checkLimit('unpackedBytes', unpacked, limits);
        animate(document, node, targets, motion);
      }
    }
  }
}

function hasTargets(node: Node, count: number): boolean {
  return (
    node
      .getMesh()
      ?.listPrimitives()
      .every((part) => part.listTargets().length === count) ?? false
  );
}

function targetsOf(geometry: FbxNode, objects: FbxObjects, file: Uint8Array): Target[] {
  const deformers = objects.partsOf(geometry, 'Deformer').map(({ part }) => part);
  const channels = deformers
    .filter((deformer) => subclassOf(deformer) === 'BlendShape')
    .flatMap((deformer) => objects.partsOf(deformer, 'Deformer').map(({ part }) => part));
  return channels.flatMap((channel) => {
    const shapes = objects.partsOf(channel, 'Geometry');
    const full = readNumbers(file, dataOf(channel, 'FullWeights'));
    return shapes.map(({ part }, i) => ({
      name: objectName(channel) || objectName(part),
      channel,
      shape: part,
      full: i + 1 === shapes.length ? full[i] || 100 : undefined,
    }));
  });
}

function describeTargets(mesh: Mesh | null, targets: readonly Target[]): void {
  mesh?.setWeights(targets.map((target) => weightOf(target, percentOf(target.channel))));
  mesh?.setExtras({ ...mesh.getExtras(), targetNames: targets.map(({ name }) => name) });
}

function percentOf(channel: FbxNode): number {
  const [value] = childOf(channel, 'DeformPercent')?.values ?? [];
  return numbersOf(channel).get('DeformPercent')?.[0] ?? (typeof value === 'number' ? value : 0);
}

function weightOf({ full }: Target, percent: number): number {
  return full === undefined ? 0 : percent / full;
}

/** What an animation does with the shapes of a geometry. */
interface Motion {
  readonly stack: FbxNode;
  /** Of all keyframes, ascending. */
  readonly times: readonly number[];
  /** Of each target. */
  readonly keys: readonly (readonly Key[])[];
}

function motionsOf(targets: readonly Target[], objects: FbxObjects, file: Uint8Array): Motion[] {
  const curves = targets.map(({ channel }) => curvesOf(channel, objects));
  return [...new Set(curves.flatMap((byStack) => [...byStack.keys()]))].flatMap((stack) => {
    const keys = curves.map((byStack) => readKeysOf(byStack.get(stack), file));
    const times = [...new Set(keys.flatMap((list) => list.map(({ time }) => time)))].sort((a, b) => a - b);
    return times.length === 0 ? [] : [{ stack, times, keys }];
  });
}

function animate(document: Document, node: Node, targets: readonly Target[], { stack, times, keys }: Motion): void {
  const start = numbersOf(stack).get('LocalStart')?.[0] ?? 0;
  const weights = new Float32Array(times.length * targets.length);
  for (const [which, target] of targets.entries()) {
    const percents = valuesAt(keys[which] ?? [], times) ?? times.map(() => percentOf(target.channel));
    for (const [i, percent] of percents.entries()) weights[i * targets.length + which] = weightOf(target, percent);
  }
  const animation = animationOf(document, objectName(stack));
  const buffer = document.getRoot().listBuffers()[0] ?? null;
  const accessor = (values: Float32Array<ArrayBuffer>) =>
    document.createAccessor().setType('SCALAR').setArray(values).setBuffer(buffer);
  const sampler = document
    .createAnimationSampler()
    .setInput(accessor(Float32Array.from(times, (time) => (time - start) / SECOND)))
    .setOutput(accessor(weights));
  const channel = document.createAnimationChannel().setTargetNode(node).setTargetPath('weights').setSampler(sampler);
  animation.addSampler(sampler).addChannel(channel);
}

function animationOf(document: Document, name: string): Animation {
  const known = document.getRoot().listAnimations();
  return known.find((animation) => animation.getName() === name) ?? document.createAnimation(name);
}

/** The curve of how far a channel's shapes are there, for each animation. */
function curvesOf(channel: FbxNode, objects: FbxObjects): Map<FbxNode, FbxNode> {
  const curves = new Map<FbxNode, FbxNode>();
  for (const { part: values } of objects.partsOf(channel, 'AnimationCurveNode')) {
    const [curve] = objects.partsOf(values, 'AnimationCurve');
    const layers = objects.ownersOf(values, 'AnimationLayer');
    for (const { part: stack } of layers.flatMap(({ part }) => objects.ownersOf(part, 'AnimationStack'))) {
      if (curve !== undefined) curves.set(stack, curve.part);
    }
  }
  return curves;
}

function readKeysOf(curve: FbxNode | undefined, file: Uint8Array): Key[] {
  const keys = curve === undefined ? [] : readKeys(curve, file);
  return addKeys(keys, false, keys.length);
}

/** At times that ascend; undefined without keyframes. */
function valuesAt(keys: readonly Key[], times: readonly number[]): number[] | undefined {
  const sorted = keys.toSorted((a, b) => a.time - b.time);
  const [first] = sorted;
  if (first === undefined) return undefined;
  let next = 0;
  return times.map((time) => {
    while ((sorted[next]?.time ?? Number.POSITIVE_INFINITY) <= time) next += 1;
    const before = sorted[next - 1];
    return before === undefined ? first.value : between(before, sorted[next], time);
  });
}

function between(before: Key, after: Key | undefined, time: number): number {
  if (after === undefined || before.isHeld) return before.value;
  const part = (time - before.time) / (after.time - before.time);
  return before.value + part * (after.value - before.value);
}
