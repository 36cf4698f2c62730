import type { Accessor, Animation, AnimationChannel, Document } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';

/**
 * Mends what exporters get wrong of animations and viewers do not mind, and drops what cannot be played: glTF 2.0, 3.11 and appendix C.
 * @returns a warning for each animation of which something is dropped
 */
export function mendAnimations(document: Document): ConversionWarning[] {
  const animations = document.getRoot().listAnimations();
  for (const animation of animations) beginAtZero(animation);
  return animations.flatMap((animation) => {
    const dropped = dropUnplayable(document, animation);
    return dropped === 0 ? [] : [warning(animation, dropped)];
  });
}

/** Values of a keyframe by what they move; those of weights are as many as there are morph targets. */
const VALUES: Readonly<Record<string, number>> = { translation: 3, rotation: 4, scale: 3 };

function dropUnplayable(document: Document, animation: Animation): number {
  const moved = new Set<string>();
  const nodes = new Map(
    document
      .getRoot()
      .listNodes()
      .map((node, i) => [node, i]),
  );
  let dropped = 0;
  for (const channel of animation.listChannels()) {
    const node = channel.getTargetNode();
    if (node === null || movesNothing(channel)) {
      channel.dispose();
      continue;
    }
    const what = `${nodes.get(node)} ${channel.getTargetPath()}`;
    if (!moved.has(what) && isPlayable(channel)) moved.add(what);
    else {
      channel.dispose();
      dropped += 1;
    }
  }
  const used = new Set(animation.listChannels().map((channel) => channel.getSampler()));
  for (const sampler of animation.listSamplers()) if (!used.has(sampler)) sampler.dispose();
  return dropped;
}

function movesNothing(channel: AnimationChannel): boolean {
  return channel.getTargetPath() === 'weights' && targetsOf(channel) === 0;
}

function targetsOf(channel: AnimationChannel): number {
  return channel.getTargetNode()?.getMesh()?.listPrimitives()[0]?.listTargets().length ?? 0;
}

/** Makes floats of its times and values; false where there are not as many values as there should be. */
function isPlayable(channel: AnimationChannel): boolean {
  const sampler = channel.getSampler();
  const [input, output] = [sampler?.getInput(), sampler?.getOutput()];
  const path = channel.getTargetPath() ?? '';
  if (!sampler || !input || !output || input.getElementSize() !== 1) return false;
  const isWeights = path === 'weights';
  const size = isWeights ? 1 : VALUES[path];
  // What an extension moves is left to who knows it.
  if (size === undefined) return true;
  const perKey = (isWeights ? targetsOf(channel) : 1) * (sampler.getInterpolation() === 'CUBICSPLINE' ? 3 : 1);
  if (output.getElementSize() !== size || input.getCount() === 0) return false;
  if (output.getCount() !== perKey * input.getCount()) return false;
  sampler.setInput(asFloats(input)).setOutput(asFloats(output));
  return true;
}

function asFloats(accessor: Accessor): Accessor {
  if (accessor.getArray() instanceof Float32Array) return accessor;
  const size = accessor.getElementSize();
  const floats = new Float32Array(size * accessor.getCount());
  const element: number[] = [];
  for (let i = 0; i < accessor.getCount(); i += 1) floats.set(accessor.getElement(i, element), size * i);
  return accessor.clone().setNormalized(false).setArray(floats);
}

/** Time begins at 0: an animation that begins before is moved as a whole. */
function beginAtZero(animation: Animation): void {
  const samplers = Map.groupBy(animation.listSamplers(), (sampler) => sampler.getInput());
  let first = 0;
  for (const input of samplers.keys()) for (const time of input?.getArray() ?? []) if (time < first) first = time;
  if (first === 0 || !Number.isFinite(first)) return;
  for (const [input, users] of samplers) {
    const later = input?.clone().setArray(Float32Array.from(input.getArray() ?? [], (time) => time - first));
    for (const sampler of users) sampler.setInput(later ?? null);
  }
}

function warning(animation: Animation, count: number): ConversionWarning {
  const details = { animation: animation.getName(), count: String(count) };
  return { code: 'animation_left_out', title: 'Parts of an animation that cannot be played left out', details };
}
