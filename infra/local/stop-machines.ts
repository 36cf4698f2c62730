import { setTimeout as wait } from 'node:timers/promises';
import { instanceIdOf, WAKE } from '#lib/durable';
import { ACCOUNT, openTable, type RecordKind, RecordStore, sessionDefinition } from '#lib/records';
import { connectionString } from './storage-account.ts';
import type { StackEndpoints } from './supervisor.ts';

const POLL_MILLISECONDS = 100;
const EVIDENCE = 'stack stopped';

/**
 * Has the app stop every machine before the app itself is stopped: writes the wish into each session's record, wakes its orchestration
 * and that of its pipeline, and waits until no session is active any more. Sessions that a conversion starts meanwhile are asked too.
 */
export async function stopMachines(endpoints: StackEndpoints, signal: AbortSignal): Promise<void> {
  const now = () => new Date();
  const table = openTable(connectionString(endpoints));
  const sessions = new RecordStore(table, sessionDefinition, ACCOUNT, now);
  for (;;) {
    signal.throwIfAborted();
    const active = await sessions.listActive();
    if (active.length === 0) return;
    for (const { id } of active) {
      await sessions.update(id, (current) =>
        'ending' in current || current.desired !== undefined
          ? undefined
          : {
              record: {
                ...current,
                desired: { state: 'stopped', reason: 'host_lost', evidence: EVIDENCE, at: now().toISOString() },
              },
              event: { type: 'stop_asked', evidence: EVIDENCE },
            },
      );
    }
    await Promise.all(active.flatMap(({ id }) => [wake(endpoints, 'session', id), wake(endpoints, 'pipeline', id)]));
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Over HTTP, since the supervisor has no durable client. An instance that is not there, or over, needs no waking. */
async function wake({ app }: StackEndpoints, kind: RecordKind, id: string): Promise<void> {
  const instance = instanceIdOf(kind, ACCOUNT, id);
  const response = await fetch(`${app}/runtime/webhooks/durabletask/instances/${instance}/raiseEvent/${WAKE}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  });
  await response.arrayBuffer();
}
