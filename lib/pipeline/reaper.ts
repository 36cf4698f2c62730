import type { Machine, VmProvider } from '#lib/compute';
import type { Orchestrations } from '#lib/durable';
import type {
  ConversionRecord,
  PipelineRecord,
  RecordBase,
  RecordKind,
  RecordStore,
  SessionRecord,
  SessionSlots,
} from '#lib/records';

/** A wish, or a lease's end, that nobody has acted on for so long has lost its wake-up. */
const UNMET_SECONDS = 15;
/** A machine that no record knows is left alone for one sweep: its record may be on its way. */
const UNKNOWN_SECONDS = 20;

export interface ReaperParts {
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly conversions: RecordStore<ConversionRecord>;
  readonly sessions: RecordStore<SessionRecord>;
  readonly slots: SessionSlots;
  readonly machines: VmProvider;
  readonly orchestrations: Orchestrations;
  readonly now: () => Date;
}

/** What a sweep did, by id. */
export interface Sweep {
  readonly restarted: readonly string[];
  readonly woken: readonly string[];
  readonly stoppedMachines: readonly string[];
  readonly releasedSlots: readonly string[];
  /** What could not be done this time, in words; the next sweep tries again. */
  readonly failures: readonly string[];
}

/**
 * Compares records with processes and machines, both ways: starts the orchestration that a record lacks, wakes one that overslept, stops
 * the machine whose lease is over or that nobody knows, and frees the slot of a session that has ended.
 */
export async function sweep(parts: ReaperParts): Promise<Sweep> {
  const [pipelines, conversions, sessions] = await Promise.all([
    parts.pipelines.listActive(),
    parts.conversions.listActive(),
    parts.sessions.listActive(),
  ]);
  const active = [
    ...pipelines.map((record) => ({
      kind: 'pipeline' as const,
      record,
      overdue: isUnmet(record.desired?.at, parts.now()),
    })),
    ...conversions.map((record) => ({ kind: 'conversion' as const, record, overdue: false })),
    ...sessions.map((record) => ({ kind: 'session' as const, record, overdue: isOverdue(record, parts.now()) })),
  ];
  const revived = await Promise.allSettled(
    active.map(({ kind, record, overdue }) => revive(parts, kind, record, overdue)),
  );
  const of = (what: 'restarted' | 'woken') =>
    active.flatMap(({ record }, index) => {
      const result = revived[index];
      return result?.status === 'fulfilled' && result.value === what ? [record.id] : [];
    });
  return {
    restarted: of('restarted'),
    woken: of('woken'),
    // Durable Functions that do not answer must not keep a machine running: this net holds alone.
    stoppedMachines: await stopOrphans(parts),
    releasedSlots: await releaseSlots(parts),
    failures: revived.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])),
  };
}

async function revive(
  parts: ReaperParts,
  kind: RecordKind,
  record: RecordBase,
  overdue: boolean,
): Promise<'restarted' | 'woken' | undefined> {
  if (!(await parts.orchestrations.isLive(kind, record.id))) {
    await parts.orchestrations.start(kind, record.id);
    return 'restarted';
  }
  if (!overdue) return undefined;
  await parts.orchestrations.wake(kind, record.id);
  return 'woken';
}

async function stopOrphans(parts: ReaperParts): Promise<string[]> {
  const stopped: string[] = [];
  for await (const machine of parts.machines.list()) {
    if (!(await isOrphan(parts, machine))) continue;
    await parts.machines.stop(machine.name);
    stopped.push(machine.name);
  }
  return stopped;
}

async function isOrphan(parts: ReaperParts, machine: Machine): Promise<boolean> {
  const record = await parts.sessions.read(machine.sessionId);
  if (record === undefined) return parts.now().getTime() - machine.requestedAt.getTime() > UNKNOWN_SECONDS * 1000;
  if (record.state === 'stopped' || record.state === 'failed') return true;
  return isOverdue(record, parts.now());
}

async function releaseSlots(parts: ReaperParts): Promise<string[]> {
  const released: string[] = [];
  for (const holder of await parts.slots.holders()) {
    const record = await parts.sessions.read(holder);
    if (record !== undefined && record.state !== 'stopped' && record.state !== 'failed') continue;
    await parts.slots.release(holder);
    released.push(holder);
  }
  return released;
}

/** A session whose wish is unmet, or whose lease ended without anybody closing it. */
function isOverdue(record: SessionRecord, now: Date): boolean {
  return isUnmet(record.desired?.at, now) || (record.state === 'ready' && isUnmet(record.lease.expiresAt, now));
}

function isUnmet(since: string | undefined, now: Date): boolean {
  return since !== undefined && now.getTime() - Date.parse(since) > UNMET_SECONDS * 1000;
}
