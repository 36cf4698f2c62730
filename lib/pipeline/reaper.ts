import type { Machine, VmProvider } from '#lib/compute';
import type { Config } from '#lib/config';
import type { Orchestrations } from '#lib/durable';
import { untilAborted } from '#lib/identity';
import {
  type ConversionRecord,
  type PipelineRecord,
  RECORD_KINDS,
  type RecordBase,
  type RecordKind,
  type RecordStore,
  RecordsError,
  type Revocations,
  type SessionRecord,
  type SessionSlots,
} from '#lib/records';
import { DRAINS_AT_ONCE } from './live-events.ts';
import { closeRevoked, dropFormerReaders, type Live, mayHaveToken } from './live-events-connections.ts';
import { sideBySide } from './side-by-side.ts';

/** A wish, or a lease's end, that nobody has acted on for so long has lost its wake-up. */
const UNMET_SECONDS = 15;
/** A lease that ended so long ago, and is not closed, is closed by no orchestration: its machine goes at the first sweep. */
const LEASE_OVER_SECONDS = 2;
/** A machine that no record knows is left alone for one sweep: its record may be on its way. */
const UNKNOWN_SECONDS = 20;
/** What a sweep waits for Web PubSub, at most: the next one is due 20 s after this one. */
const LIVE_MILLISECONDS = 10_000;
/** What it waits for former readers to be taken out, of that. */
const DROP_MILLISECONDS = 5000;

export interface ReaperParts {
  readonly config: Config;
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly conversions: RecordStore<ConversionRecord>;
  readonly sessions: RecordStore<SessionRecord>;
  readonly slots: SessionSlots;
  readonly machines: VmProvider;
  readonly orchestrations: Orchestrations;
  readonly revocations: Revocations;
  readonly live?: Live | undefined;
  readonly now: () => Date;
}

/** What a sweep did, by id. */
export interface Sweep {
  readonly restarted: readonly string[];
  readonly woken: readonly string[];
  readonly stoppedMachines: readonly string[];
  readonly releasedSlots: readonly string[];
  /** Records of which something was left to publish. */
  readonly published: readonly string[];
  /** What could not be done this time, in words; the next sweep tries again. */
  readonly failures: readonly string[];
}

/**
 * Compares records with processes and machines, both ways: starts the orchestration that a record lacks, wakes one that overslept, stops
 * the machine whose lease is over or that nobody knows, and frees the slot of a session that has ended. Then it publishes what commits
 * could not, and takes live connections from those who may not have them any more. Each of these for itself: what fails keeps nothing
 * else from being done, least of all a machine from being stopped.
 */
export async function sweep(parts: ReaperParts): Promise<Sweep> {
  const failures: string[] = [];
  const revived = await Promise.all([
    revive(parts, 'pipeline', parts.pipelines, (record) => isUnmet(record.desired?.at, parts.now()), failures),
    revive(parts, 'conversion', parts.conversions, (record) => isUnmet(record.desired?.at, parts.now()), failures),
    revive(parts, 'session', parts.sessions, (record) => isOverdue(record, parts.now()), failures),
  ]);
  return {
    restarted: revived.flatMap(({ restarted }) => restarted),
    woken: revived.flatMap(({ woken }) => woken),
    stoppedMachines: await stopOrphans(parts, failures),
    releasedSlots: await releaseSlots(parts, failures),
    published: await keepLive(parts, failures),
    failures,
  };
}

async function revive<R extends RecordBase>(
  { orchestrations }: ReaperParts,
  kind: RecordKind,
  records: RecordStore<R>,
  overdue: (record: R) => boolean,
  failures: string[],
): Promise<{ readonly restarted: string[]; readonly woken: string[] }> {
  const restarted: string[] = [];
  const woken: string[] = [];
  const list = () => records.listActiveIds();
  await forEach(list, failures, async (id) => {
    const record = await records.get(id);
    if (!(await orchestrations.isLive(kind, id))) {
      await orchestrations.start(kind, id);
      restarted.push(id);
    } else if (overdue(record)) {
      await orchestrations.wake(kind, id);
      woken.push(id);
    }
  });
  return { restarted, woken };
}

async function stopOrphans(parts: ReaperParts, failures: string[]): Promise<string[]> {
  const stopped: string[] = [];
  const list = async () => {
    const machines: Machine[] = [];
    for await (const machine of parts.machines.list()) machines.push(machine);
    return machines;
  };
  await forEach(list, failures, async (machine) => {
    if (!(await isOrphan(parts, machine))) return;
    await parts.machines.stop(machine.name);
    stopped.push(machine.name);
  });
  return stopped;
}

async function isOrphan(parts: ReaperParts, machine: Machine): Promise<boolean> {
  // A record that cannot be read knows of no machine: nobody else would ever stop it.
  const record = await parts.sessions.read(machine.sessionId).catch(unlessUnreadable);
  if (record === undefined) return parts.now().getTime() - machine.requestedAt.getTime() > UNKNOWN_SECONDS * 1000;
  if (record.state === 'stopped' || record.state === 'failed') return true;
  return isOverdue(record, parts.now());
}

async function releaseSlots(parts: ReaperParts, failures: string[]): Promise<string[]> {
  const released: string[] = [];
  const list = () => parts.slots.holders();
  await forEach(list, failures, async (holder) => {
    const record = await parts.sessions.read(holder);
    if (record !== undefined && record.state !== 'stopped' && record.state !== 'failed') return;
    await parts.slots.release(holder);
    released.push(holder);
  });
  return released;
}

/** What concerns Web PubSub, which may be lost: it comes last, and has its time. */
async function keepLive(parts: ReaperParts, failures: string[]): Promise<string[]> {
  const { live } = parts;
  const published: string[] = [];
  if (live === undefined) return published;
  const signal = AbortSignal.timeout(LIVE_MILLISECONDS);
  // Whoever is not to hear of a pipeline any more leaves before what is left is told.
  const dropThenPublish = async () => {
    await dropReaders(parts, live, AbortSignal.timeout(DROP_MILLISECONDS), failures);
    await publishRest(live, signal, published, failures);
  };
  const work = [dropThenPublish(), closeAllRevoked(parts, live, signal, failures)];
  await forEach(
    async () => work,
    failures,
    (each) => untilAborted(each, signal),
  );
  return published;
}

async function publishRest(
  { feed }: Live,
  signal: AbortSignal,
  published: string[],
  failures: string[],
): Promise<void> {
  // A pipeline's end last, after what led to it.
  for (const kind of RECORD_KINDS.toReversed()) {
    const list = () => feed.undrained(kind);
    await forEachInTime(list, signal, failures, async (id) => {
      if ((await feed.drain(kind, id, signal)) > 0) published.push(id);
    });
  }
}

/**
 * Whoever is revoked gets no new token, but may come back with an old one for as long as that lives. That is not put off where Web PubSub
 * wishes to be left alone: these are few requests, and somebody listens who may not.
 */
async function closeAllRevoked(
  parts: ReaperParts,
  { connections }: Live,
  signal: AbortSignal,
  failures: string[],
): Promise<void> {
  const list = async () => (await parts.revocations.list()).filter(({ revokedAt }) => mayHaveToken(parts, revokedAt));
  await forEachInTime(list, signal, failures, ({ target }) => closeRevoked(connections, target));
}

/** Of a pipeline that is over, and of which nothing is left to tell, nothing is heard any more, whoever listens. */
async function dropReaders(
  { pipelines, now }: ReaperParts,
  { connections, feed }: Live,
  signal: AbortSignal,
  failures: string[],
): Promise<void> {
  const list = async () => [...new Set([...(await pipelines.listActiveIds()), ...(await feed.undrained('pipeline'))])];
  await forEachInTime(list, signal, failures, async (id) =>
    dropFormerReaders(connections, await pipelines.get(id), now()),
  );
}

/** Works on items a few at a time, as a service that is shared by all wants it, and on none any more once the signal aborts. */
async function forEachInTime<T>(
  list: () => Promise<readonly T[]>,
  signal: AbortSignal,
  failures: string[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const inTime = async (item: T) => {
    signal.throwIfAborted();
    await untilAborted(work(item), signal);
  };
  await forEach(list, failures, inTime, DRAINS_AT_ONCE);
}

/** Works on every item side by side; what fails, the list itself too, is told in words. */
async function forEach<T>(
  list: () => Promise<readonly T[]>,
  failures: string[],
  work: (item: T) => Promise<void>,
  atOnce = Number.POSITIVE_INFINITY,
): Promise<void> {
  try {
    const results = await sideBySide(await list(), atOnce, work);
    for (const result of results) if (result.status === 'rejected') failures.push(String(result.reason));
  } catch (error) {
    failures.push(String(error));
  }
}

/** A session of which nobody did what was due: to act on a wish, to give a start up, to close a lease, to stop a machine. */
function isOverdue(record: SessionRecord, now: Date): boolean {
  const leaseOver = record.state === 'ready' && isUnmet(record.lease.expiresAt, now, LEASE_OVER_SECONDS);
  return leaseOver || isUnmet(record.desired?.at, now) || isUnmet(dueOf(record), now);
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof RecordsError) || error.code !== 'unreadable') throw error;
}

function dueOf(record: SessionRecord): string | undefined {
  switch (record.state) {
    case 'starting':
      return record.startBy;
    case 'ready':
      return record.lease.expiresAt;
    default:
      return record.ending.at;
  }
}

function isUnmet(since: string | undefined, now: Date, seconds = UNMET_SECONDS): boolean {
  return since !== undefined && now.getTime() - Date.parse(since) > seconds * 1000;
}
