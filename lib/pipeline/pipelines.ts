import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { firstIssue } from '#lib/http';
import type { Lease, PipelineRecord, PipelineRequest, RecordEvent } from '#lib/records';
import { RenderingError, remainingSeconds } from '#lib/rendering';
import type { PipelineParts } from './parts.ts';
import { PipelineError } from './pipeline-error.ts';

/** Who makes a pipeline, and who else may read it. */
export interface Creator {
  readonly owner: string;
  readonly readers: readonly string[];
}

/** Every caller of our routes, for as long as the stack listens on loopback alone and asks nobody who they are. */
export const LOCAL_CALLER: Creator = { owner: 'local', readers: ['clients'] };

/** The body of a renewal: the new total, in seconds from Ready. */
export const renewal = z.strictObject({ maxLeaseSeconds: z.int().positive() });

const listQuery = z.object({
  state: z
    .enum(['waiting', 'converting', 'starting', 'ready', 'stopping', 'stopped', 'converted', 'failed'])
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/**
 * Creates the pipeline if its id is free, and starts its orchestration. The same request again is the same pipeline.
 * @throws PipelineError `conflict` where the id is taken by another request
 */
export async function createPipeline(
  parts: PipelineParts,
  id: string,
  request: PipelineRequest,
  { owner, readers }: Creator,
): Promise<{ readonly record: PipelineRecord; readonly created: boolean }> {
  const waitUntil = new Date(parts.now().getTime() + parts.config.WAIT_FOR_FILES_SECONDS * 1000).toISOString();
  const fresh = { id, owner, readers: [...readers], request, waitUntil, missingFiles: [], warnings: [] };
  const { record, created } = await parts.pipelines.create({ ...fresh, state: 'waiting' });
  if (!created && !isDeepStrictEqual(record.request, request)) {
    throw new PipelineError('conflict', `There is a pipeline ${id} already, for something else; choose another id.`);
  }
  if (created) await parts.orchestrations.start('pipeline', id);
  return { record, created };
}

/** The id that an Idempotency-Key stands for: the same for the same owner and key. */
export function idOfIdempotencyKey(owner: string, key: string): string {
  return `key-${createHash('sha256').update(`${owner}/${key}`).digest('hex').slice(0, 40)}`;
}

/** @throws PipelineError `not_found` */
export async function getPipeline(parts: PipelineParts, id: string): Promise<PipelineRecord> {
  const record = await parts.pipelines.read(id);
  if (record === undefined) throw new PipelineError('not_found', `There is no pipeline ${id}.`);
  return record;
}

/**
 * The newest pipelines first, of one state where the query names one, 100 where it gives no limit.
 * @throws PipelineError `invalid`
 */
export async function listPipelines(
  parts: PipelineParts,
  query: { readonly state?: string | undefined; readonly limit?: string | undefined },
): Promise<PipelineRecord[]> {
  const parsed = listQuery.safeParse(query);
  if (!parsed.success) {
    const { field, message } = firstIssue(parsed.error);
    throw new PipelineError('invalid', message, field);
  }
  const { state, limit } = parsed.data;
  const records = await parts.pipelines.list();
  return records
    .filter((record) => state === undefined || record.state === state)
    .reverse()
    .slice(0, limit);
}

/** Asks the pipeline to stop: the wish is in the record before anybody is woken for it. One that is over is left as it is. */
export async function stopPipeline(parts: PipelineParts, id: string, evidence: string): Promise<PipelineRecord> {
  await getPipeline(parts, id);
  const record = await parts.pipelines.update(id, (current) => {
    if ('ending' in current || current.desired !== undefined) return undefined;
    const desired = { state: 'stopped', reason: 'user_stop', evidence, at: parts.now().toISOString() } as const;
    return { record: { ...current, desired }, event: { type: 'stop_asked', evidence } };
  });
  await parts.orchestrations.wake('pipeline', id);
  return record;
}

/**
 * The lease of the pipeline's session.
 * @throws PipelineError `not_found`, or `no_lease` where the session does not exist yet or was never asked for
 */
export async function getLease(parts: PipelineParts, id: string): Promise<Lease> {
  const record = await getPipeline(parts, id);
  const session = await parts.rendering.getSession(id);
  if (session !== undefined) return 'ending' in session ? closedAt(session.lease, session.ending.at) : session.lease;
  const why = record.request.session === null ? 'it only converts' : `it is ${record.state}`;
  throw new PipelineError('no_lease', `The pipeline ${id} has no session: ${why}.`);
}

/**
 * Renews the lease to a larger total, in seconds from Ready.
 * @param revision the lease's revision that the caller has seen
 * @throws PipelineError as getLease; RenderingError `stale`, `closing`, `lease_not_larger`, `lease_over_cap`
 */
export async function renewLease(
  parts: PipelineParts,
  id: string,
  maxLeaseSeconds: number,
  revision: number,
): Promise<Lease> {
  await getLease(parts, id);
  const record = await getPipeline(parts, id);
  if (record.desired !== undefined || 'ending' in record) {
    throw new RenderingError('closing', `The pipeline ${id} is stopping or over: its lease cannot be renewed.`);
  }
  return (await parts.rendering.updateSession(id, { maxLeaseSeconds, ifMatch: revision })).lease;
}

/** A lease that was closed early ended then, whatever it had left. */
function closedAt(lease: Lease, at: string): Lease {
  return lease.expiresAt !== undefined && at < lease.expiresAt ? { ...lease, expiresAt: at } : lease;
}

/** The lease as clients read it. */
export function leaseView(lease: Lease, now: Date) {
  const { maxLeaseSeconds, hardCapSeconds, startedAt = null, expiresAt = null, hardCapAt = null } = lease;
  return {
    maxLeaseSeconds,
    hardCapSeconds,
    startedAt,
    expiresAt,
    hardCapAt,
    remainingSeconds: remainingSeconds(lease, now),
  };
}

/** The pipeline as clients read it: what was asked, how far it is, and what came of it; null where a step was not reached. */
export function pipelineView(record: PipelineRecord) {
  const { id, state, request, createdAt, updatedAt, owner, missingFiles, warnings } = record;
  const ending = 'ending' in record ? record.ending : undefined;
  return {
    id,
    state,
    reason: ending?.reason ?? null,
    evidence: ending?.evidence ?? null,
    stopAsked: record.desired !== undefined,
    model: `${request.model.folder}/${request.model.file}`,
    settings: request.settings,
    requestedSession: request.session,
    createdAt,
    updatedAt,
    owner,
    missingFiles,
    warnings,
    conversion: record.conversion ? { id, ...record.conversion } : null,
    session: record.session ? { id, ...record.session } : null,
    machine: record.machine ?? null,
  };
}

/** The pipeline's events as clients read them, oldest first; none that came after the record was read, which would contradict it. */
export function historyView({ sequence: last }: PipelineRecord, events: readonly RecordEvent[]) {
  return events
    .filter(({ sequence }) => sequence <= last)
    .map(({ sequence, at, type, state, reason = null, evidence = null }) => ({
      sequence,
      at,
      type,
      state,
      reason,
      evidence,
    }));
}
