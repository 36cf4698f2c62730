import type { AnimationSampler, Document } from '@gltf-transform/core';
import type { AssimpChannel, AssimpScene } from './assimp-scene.ts';

/** True where an animation has times that are none: the library divides them by a rate that some formats do not have. */
export function hasBrokenTimes(document: Document): boolean {
  return samplersOf(document).some((sampler) => !hasTimes(sampler));
}

/**
 * Takes the times of keyframes from what the library's own scene says.
 * @param framesPerSecond of the format
 */
export function repairTimes(document: Document, { animations }: AssimpScene, framesPerSecond: number): void {
  for (const [i, animation] of document.getRoot().listAnimations().entries()) {
    const known = new Map((animations[i]?.channels ?? []).map((known) => [known.name, known]));
    for (const broken of animation.listChannels()) {
      const sampler = broken.getSampler();
      const input = sampler?.getInput();
      const keys = keysOf(known.get(broken.getTargetNode()?.getName() ?? ''), broken.getTargetPath());
      if (sampler && input && keys?.length === input.getCount()) {
        const times = Float32Array.from(keys, ([time]) => time / framesPerSecond);
        sampler.setInput(input.clone().setArray(times));
      } else broken.dispose();
    }
  }
}

function keysOf(channel: AssimpChannel | undefined, path: string | null) {
  if (path === 'translation') return channel?.positionkeys;
  return path === 'rotation' ? channel?.rotationkeys : channel?.scalingkeys;
}

function samplersOf(document: Document): AnimationSampler[] {
  return document
    .getRoot()
    .listAnimations()
    .flatMap((animation) => animation.listSamplers());
}

function hasTimes(sampler: AnimationSampler): boolean {
  return (sampler.getInput()?.getArray() ?? []).every((time) => Number.isFinite(time));
}
