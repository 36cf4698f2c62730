import type { Animation, Document, Mesh, Node } from '@gltf-transform/core';
import type { FbxObjects } from './fbx-connections.ts';
import { type Key, readKeys, SECOND } from './fbx-curves.ts';
import { readNumbers } from './fbx-data.ts';
import { childOf, dataOf, type FbxNode, numbersOf, objectName, subclassOf } from './fbx-node.ts';
import { orderTargets } from './fbx-shapes.ts';

/** A morph target as an FBX has it: a shape of a channel. */
interface Target {
  readonly name: string;
  readonly channel: FbxNode;
  readonly shape: FbxNode;
  /** The percentage at which the shape is reached; undefined for one on the way to another, which is left out. */
  readonly full: number | undefined;
}

/** Gives the morph targets of a document their names, and how far each is there, at first and as animations say: the library writes none of it. */
export function applyMorphs(
  document: Document,
  nodes: readonly FbxNode[],
  objects: FbxObjects,
  file: Uint8Array,
): void {
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
      animate(document, node, targets, objects, file);
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

function animate(
  document: Document,
  node: Node,
  targets: readonly Target[],
  objects: FbxObjects,
  file: Uint8Array,
): void {
  const curves = targets.map(({ channel }) => curvesOf(channel, objects));
  for (const stack of new Set(curves.flatMap((byStack) => [...byStack.keys()]))) {
    const start = numbersOf(stack).get('LocalStart')?.[0] ?? 0;
    const keys = curves.map((byStack) => readKeysOf(byStack.get(stack), file));
    const times = [...new Set(keys.flatMap((list) => list.map(({ time }) => time)))].sort((a, b) => a - b);
    if (times.length === 0) continue;
    const weights = times.flatMap((time) =>
      targets.map((target, i) => weightOf(target, valueAt(keys[i] ?? [], time) ?? percentOf(target.channel))),
    );
    const animation = animationOf(document, objectName(stack));
    const buffer = document.getRoot().listBuffers()[0] ?? null;
    const accessor = (values: readonly number[]) =>
      document.createAccessor().setType('SCALAR').setArray(Float32Array.from(values)).setBuffer(buffer);
    const sampler = document
      .createAnimationSampler()
      .setInput(accessor(times.map((time) => (time - start) / SECOND)))
      .setOutput(accessor(weights));
    const channel = document.createAnimationChannel().setTargetNode(node).setTargetPath('weights').setSampler(sampler);
    animation.addSampler(sampler).addChannel(channel);
  }
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
  return curve === undefined ? [] : readKeys(curve, file);
}

/** Undefined without keyframes. */
function valueAt(keys: readonly Key[], time: number): number | undefined {
  const next = keys.findIndex((key) => key.time >= time);
  const [before, after] = next < 0 ? [keys.at(-1), undefined] : [keys[next - 1], keys[next]];
  if (before === undefined || after === undefined) return (after ?? before)?.value;
  const part = (time - before.time) / (after.time - before.time);
  return after.time === time ? after.value : before.value + (before.isHeld ? 0 : part * (after.value - before.value));
}
