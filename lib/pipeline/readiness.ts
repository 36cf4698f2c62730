import type { Services } from './services.ts';

/** A part that the app needs and that does not answer; `cause` is for the log alone. */
export interface NotReady {
  readonly part: 'settings or storage' | 'durable functions';
  readonly cause: unknown;
}

/** Asks everything that a pipeline needs whether it answers; nothing in the list means ready. */
export async function readiness(services: () => Promise<Services>): Promise<NotReady[]> {
  try {
    const { orchestrations, slots } = await services();
    await slots.holders();
    try {
      await orchestrations.isLive('pipeline', 'readiness');
      return [];
    } catch (cause) {
      return [{ part: 'durable functions', cause }];
    }
  } catch (cause) {
    return [{ part: 'settings or storage', cause }];
  }
}
