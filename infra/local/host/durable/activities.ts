import type { IndexedFunction } from '../function-index.ts';
import { messageOf } from '../host-error.ts';
import type { HostLog } from '../host-log.ts';
import type { Invoker } from '../invoker.ts';
import type { TypedData } from '../rpc.ts';
import { eventType, type HistoryEvent } from './history.ts';
import type { DurableStore, QueuedActivity } from './store.ts';

export interface ActivityParts {
  readonly store: DurableStore;
  readonly invoker: Invoker;
  readonly activities: ReadonlyMap<string, IndexedFunction>;
  readonly log: HostLog;
  readonly now: () => number;
  readonly wake: (id: string) => void;
  readonly maxConcurrent: number;
}

/** Runs queued activities, at least once each: one whose end was not stored runs again after a restart. */
export interface ActivityRunner {
  add(activities: readonly QueuedActivity[]): void;
  /** Starts no more. Of those running, successes are still stored, failures are not: they may come from the stop itself. */
  stop(): void;
  /** Stores nothing any more. */
  close(): void;
}

/** How soon an activity whose end could not be stored is run again, in ms. */
const retryDelay = 1000;

export function createActivityRunner(parts: ActivityParts): ActivityRunner {
  const { store, log } = parts;
  const waiting: QueuedActivity[] = [];
  let running = 0;
  let phase: 'open' | 'stopping' | 'closed' = 'open';

  const pump = (): void => {
    while (phase === 'open' && running < parts.maxConcurrent) {
      const activity = waiting.shift();
      if (!activity) return;
      running += 1;
      void runOne(activity).finally(() => {
        running -= 1;
        pump();
      });
    }
  };
  const runOne = async (activity: QueuedActivity): Promise<void> => {
    try {
      if (!store.isQueued(activity)) return;
      const end = await execute(parts, activity);
      if (phase === 'closed' || (phase === 'stopping' && end.EventType === eventType.taskFailed)) return;
      const wanted = store.transaction(() => {
        const present = store.dequeue(activity);
        if (present) store.post(activity.instance, activity.execution, 0, end);
        return present;
      });
      if (wanted) parts.wake(activity.instance);
    } catch (error) {
      if (phase !== 'open') return;
      log('critical', activity.name, `Its end could not be stored, it is run again: ${messageOf(error)}`);
      // What keeps it from being stored, as a full disk, may pass. Does nothing after a stop: `pump` starts no more then.
      setTimeout(() => add([activity]), retryDelay).unref();
    }
  };
  const add = (activities: readonly QueuedActivity[]): void => {
    waiting.push(...activities);
    pump();
  };
  return {
    add,
    stop: () => {
      phase = 'stopping';
    },
    close: () => {
      phase = 'closed';
    },
  };
}

async function execute(parts: ActivityParts, activity: QueuedActivity): Promise<HistoryEvent> {
  const { name, instance, task, input } = activity;
  const target = parts.activities.get(name);
  try {
    if (!target) throw new Error('no activity of this name is registered any more.');
    const data = input === null ? {} : { string: input };
    const value = await parts.invoker.invoke(target, data, { instanceId: { string: instance } });
    const Timestamp = new Date(parts.now()).toISOString();
    return {
      EventType: eventType.taskCompleted,
      EventId: -1,
      Timestamp,
      TaskScheduledId: task,
      Result: resultText(value),
    };
  } catch (error) {
    const message = messageOf(error);
    parts.log('error', name, `Instance ${instance}: ${error instanceof Error ? (error.stack ?? message) : message}`);
    return {
      EventType: eventType.taskFailed,
      EventId: -1,
      Timestamp: new Date(parts.now()).toISOString(),
      TaskScheduledId: task,
      // The two spaces are the extension's: apps match on its text.
      Reason: `Activity function '${name}' failed:  ${message}`,
      Details: '',
    };
  }
}

function resultText(value: TypedData | null): string | null {
  if (!value) return null;
  if (value.json !== undefined) return value.json;
  if (value.bytes) return JSON.stringify(Buffer.from(value.bytes).toString('base64'));
  return JSON.stringify(value.string ?? value.int ?? value.double ?? null);
}
