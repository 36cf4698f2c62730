import { boxGlb, sheetGlb } from '../support/models/index.ts';

/** One pipeline that is asked for, and what must come of it. */
export interface Planned {
  /** Path in the container of models. */
  readonly model: string;
  readonly bytes: Uint8Array;
  /** The id under which it is asked for over HTTP; an upload starts it by itself where there is none. */
  readonly id: string | undefined;
  /** True where somebody asks it to stop in the middle. */
  readonly stopped: boolean;
  readonly broken: boolean;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Pipelines of every sort: small and larger models, the same bytes under two names, some stopped in the middle, some broken. */
export function planPipelines(count: number, random: () => number): Planned[] {
  const planned: Planned[] = [];
  for (let index = 0; index < count; index += 1) {
    const twin = planned.at(-1);
    const broken = index % 10 === 7;
    const twice = index % 5 === 4 && twin !== undefined && !twin.broken;
    const bytes = twice ? twin.bytes : broken ? garbage(random) : model(index, random);
    const id = index % 3 === 1 ? `asked-for-${index}` : undefined;
    planned.push({ model: `folder-${index}/model.glb`, bytes, id, stopped: index % 8 === 5, broken });
  }
  return planned;
}

function model(index: number, random: () => number): Uint8Array {
  if (random() < 0.3) return sheetGlb(2000 + 2 * index);
  return boxGlb({ asset: { version: '2.0', generator: `kill test ${index}` } });
}

function garbage(random: () => number): Uint8Array {
  return Uint8Array.from({ length: 200 }, () => Math.floor(random() * 256));
}
