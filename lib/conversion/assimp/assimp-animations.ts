import type { AnimationSampler, Document } from '@gltf-transform/core';
import { z } from 'zod';
import { parseAssimpJson } from './assimp-json.ts';

const key = z.tuple([z.number()]).rest(z.unknown());
const channel = z.object({
  name: z.string(),
  positionkeys: z.array(key).optional(),
  rotationkeys: z.array(key).optional(),
  scalingkeys: z.array(key).optional(),
});
const sceneJson = z.object({ animations: z.array(z.object({ channels: z.array(channel) })).optional() });
type Channel = z.output<typeof channel>;

/** True where an animation has times that are none: the library divides them by a rate that some formats do not have. */
export function hasBrokenTimes(document: Document): boolean {
  return samplersOf(document).some((sampler) => !hasTimes(sampler));
}

/**
 * Takes the times of keyframes from what the library's own scene says.
 * @param framesPerSecond of the format
 */
export function repairTimes(document: Document, assjson: Uint8Array, framesPerSecond: number): void {
  const scene = sceneJson.parse(parseAssimpJson<unknown>(assjson));
  for (const [i, animation] of document.getRoot().listAnimations().entries()) {
    const known = new Map((scene.animations?.[i]?.channels ?? []).map((known) => [known.name, known]));
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

function keysOf(channel: Channel | undefined, path: string | null) {
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
