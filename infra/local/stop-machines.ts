import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { instanceIdOf, WAKE } from '#lib/durable';
import {
  ACCOUNT,
  type Change,
  openTable,
  pipelineDefinition,
  type RecordKind,
  RecordStore,
  type SessionRecord,
  sessionDefinition,
} from '#lib/records';
import { connectionString } from './storage-account.ts';
import type { StackEndpoints } from './supervisor.ts';

const POLL_MILLISECONDS = 100;
const EVIDENCE = 'stack stopped';
/** The states of a pipeline that has a session, or is about to have one. */
const WITH_SESSION: ReadonlySet<string> = new Set(['starting', 'ready', 'stopping']);

/**
 * Has the app stop every machine before the app itself is stopped: writes the wish into each session's record, wakes its orchestration,
 * and waits until no session is active and every pipeline that had one says how it ended. Sessions that a pipeline starts meanwhile are
 * asked too.
 */
export async function stopMachines(stack: StackEndpoints, signal: AbortSignal): Promise<void> {
  const now = () => new Date();
  // By the emulator's published key: the stack itself is no identity that the identity endpoint knows, and has none to prove.
  const table = openTable({ kind: 'connection-string', connectionString: connectionString(stack) });
  const sessions = new RecordStore(table, sessionDefinition, ACCOUNT, now);
  const pipelines = new RecordStore(table, pipelineDefinition, ACCOUNT, now);
  for (;;) {
    signal.throwIfAborted();
    const running = await sessions.listActive();
    const waiting = (await pipelines.listActive()).filter(({ state }) => WITH_SESSION.has(state));
    if (running.length === 0 && waiting.length === 0) return;
    await Promise.all([
      ...running.map(async ({ id }) => {
        await sessions.update(id, (current) => asked(current, now()));
        await wake(stack, 'session', id);
      }),
      ...waiting.map(({ id }) => wake(stack, 'pipeline', id)),
    ]);
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}

function asked(current: SessionRecord, now: Date): Change<SessionRecord> | undefined {
  if ('ending' in current || current.desired !== undefined) return undefined;
  const desired = { state: 'stopped', reason: 'host_lost', evidence: EVIDENCE, at: now.toISOString() } as const;
  return { record: { ...current, desired }, event: { type: 'stop_asked', evidence: EVIDENCE } };
}

/** Over HTTP, since the supervisor has no durable client. An instance that is not there, or over, needs no waking. */
async function wake({ app, systemKeyFile }: StackEndpoints, kind: RecordKind, id: string): Promise<void> {
  const instance = instanceIdOf(kind, ACCOUNT, id);
  const response = await fetch(`${app}/runtime/webhooks/durabletask/instances/${instance}/raiseEvent/${WAKE}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'x-functions-key': await readFile(systemKeyFile, 'utf8') },
    body: '{}',
  });
  await response.arrayBuffer();
}
