import { messageOf } from '../host-error.ts';
import { createActivityRunner } from './activities.ts';
import { type EpisodeParts, runEpisode } from './episode.ts';
import { createInstances, type Instances } from './instances.ts';

export interface DurableEngine {
  readonly instances: Instances;
  /** Takes up what an earlier process left: queued activities, due timers, unread messages. */
  start(): void;
  /** Starts no more episodes and activities; those that run may still commit. */
  stop(): void;
  /** Commits nothing any more: the database may close. */
  close(): void;
}

/** How soon an episode that could not be committed is run again, in ms. */
const retryDelay = 1000;
/** The longest delay that setTimeout takes, in ms. */
const longestDelay = 2 ** 31 - 1;

/** The host half of Durable Functions: per instance one episode at a time, different instances side by side. */
export function createEngine(parts: EpisodeParts & { readonly maxConcurrentActivities: number }): DurableEngine {
  const { store, log, now } = parts;
  /** Instances with an episode under way or asked for; true: asked for again meanwhile. */
  const awake = new Map<string, boolean>();
  let alarm: NodeJS.Timeout | undefined;
  let phase: 'open' | 'stopping' | 'closed' = 'open';

  const wake = (id: string): void => {
    if (phase !== 'open') return;
    if (awake.has(id)) {
      awake.set(id, true);
      return;
    }
    awake.set(id, true);
    // What else arrives in this turn of the event loop joins the same episode.
    setImmediate(() => void play(id));
  };
  const play = async (id: string): Promise<void> => {
    try {
      while (awake.get(id) && phase === 'open') {
        awake.set(id, false);
        const effects = await runEpisode(parts, id);
        activities.add(effects.activities);
        if (effects.timers) ring();
        if (effects.again) awake.set(id, true);
      }
    } catch (error) {
      if (phase !== 'open') return;
      log('critical', 'host', `An episode of instance ${id} failed and is run again: ${messageOf(error)}`);
      // What keeps it from its commit, as a full disk, may pass; nothing else would wake it. Does nothing after a stop.
      setTimeout(() => wake(id), retryDelay).unref();
    } finally {
      awake.delete(id);
    }
  };
  /** Wakes whom a message is due for, and sets the alarm for the next timer. One reading of the clock: none falls between. */
  const ring = (): void => {
    clearTimeout(alarm);
    if (phase !== 'open') return;
    const time = now();
    for (const id of store.dueInstances(time)) wake(id);
    const next = store.nextDue(time);
    if (next !== undefined) alarm = setTimeout(ring, Math.min(next - time, longestDelay));
  };
  const activities = createActivityRunner({ ...parts, wake, maxConcurrent: parts.maxConcurrentActivities });

  return {
    instances: createInstances({ ...parts, wake }),
    start: () => {
      activities.add(store.queuedActivities());
      for (const { id } of store.instances({ statuses: ['Pending', 'Running'] })) wake(id);
      ring();
    },
    stop: () => {
      phase = 'stopping';
      clearTimeout(alarm);
      activities.stop();
    },
    close: () => {
      phase = 'closed';
      activities.close();
    },
  };
}
