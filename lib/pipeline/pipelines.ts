import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { PipelineBody } from '#lib/api';
import type { Caller } from '#lib/http';
import { CLIENTS } from '#lib/pubsub';
import type { Lease, PipelineRecord } from '#lib/records';
import { RenderingError } from '#lib/rendering';
import { changeablePipeline, mayRead, readablePipeline } from './access.ts';
import { atOnce, dropFormerReaders, formerReadersOf } from './live-events-connections.ts';
import type { PipelineParts } from './parts.ts';
import { PipelineError } from './pipeline-error.ts';
import { pipelineRequestOf } from './pipeline-request.ts';

/**
 * Creates the pipeline if its id is free, and starts its orchestration. The same request again is the same pipeline.
 * @throws PipelineError `conflict` where the id is taken by another request, `invalid`
 */
export async function createPipeline(
  parts: PipelineParts,
  id: string,
  body: PipelineBody,
  owner: string,
): Promise<{ readonly record: PipelineRecord; readonly created: boolean }> {
  const request = pipelineRequestOf(body, parts.config);
  const readers = body.readers ?? (parts.config.DEFAULT_READERS === 'clients' ? [CLIENTS] : []);
  const waitUntil = new Date(parts.now().getTime() + parts.config.WAIT_FOR_FILES_SECONDS * 1000).toISOString();
  const fresh = { id, owner, readers, request, waitUntil, missingFiles: [], warnings: [] };
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

/** The newest pipelines first, of those that the caller may read. */
export async function listPipelines(
  parts: PipelineParts,
  caller: Caller,
  { state, limit }: { readonly state?: PipelineRecord['state'] | undefined; readonly limit: number },
): Promise<PipelineRecord[]> {
  const records = await parts.pipelines.list();
  return records
    .filter((record) => (state === undefined || record.state === state) && mayRead(record, caller))
    .reverse()
    .slice(0, limit);
}

/**
 * Asks the pipeline to stop: the wish is in the record before anybody is woken for it. One that is over is left as it is. Its owner's
 * stop and another Administrator's have different reasons.
 * @throws PipelineError `not_found`, `forbidden`
 */
export async function stopPipeline(parts: PipelineParts, caller: Caller, id: string): Promise<PipelineRecord> {
  const { owner } = await changeablePipeline(parts, caller, id);
  const reason = owner === caller.subject ? 'user_stop' : 'admin_stop';
  const evidence = `${caller.subject} asked for it.`;
  const record = await parts.pipelines.update(id, (current) => {
    if ('ending' in current || current.desired !== undefined) return undefined;
    const desired = { state: 'stopped', reason, evidence, at: parts.now().toISOString() } as const;
    return { record: { ...current, desired }, event: { type: 'stop_asked', evidence } };
  });
  await parts.orchestrations.wake('pipeline', id);
  // The orchestration will ask for it too; a converter that works for nobody should not have to wait for that.
  if (record.state === 'converting')
    await parts.rendering.cancelConversion(id, { reason, evidence }).catch(() => undefined);
  return record;
}

/**
 * Says who may read the pipeline beside its owner and Administrators; also one that is over can be hidden or shown.
 * @throws PipelineError `not_found`, `forbidden`
 */
export async function setReaders(
  parts: PipelineParts,
  caller: Caller,
  id: string,
  readers: readonly string[],
): Promise<PipelineRecord> {
  await changeablePipeline(parts, caller, id);
  const record = await parts.pipelines.amend(id, (current) =>
    isDeepStrictEqual(current.readers, readers)
      ? undefined
      : { ...current, readers: [...readers], formerReaders: formerReadersOf(parts, current, readers) },
  );
  // Who listens already is out at once; who comes back with an old token, at the reaper's next sweep.
  if (parts.live !== undefined) await atOnce(dropFormerReaders(parts.live.connections, record, parts.now()));
  return record;
}

/**
 * The lease of the pipeline's session.
 * @throws PipelineError `not_found`, or `no_lease` where the session does not exist yet or was never asked for
 */
export async function getLease(parts: PipelineParts, caller: Caller, id: string): Promise<Lease> {
  return await leaseOf(parts, await readablePipeline(parts, caller, id));
}

/**
 * Renews the lease to a larger total, in seconds from Ready.
 * @param revision the lease's revision that the caller has seen
 * @throws PipelineError as getLease, and `forbidden`; RenderingError `stale`, `closing`, `lease_not_larger`, `lease_over_cap`
 */
export async function renewLease(
  parts: PipelineParts,
  caller: Caller,
  id: string,
  maxLeaseSeconds: number,
  revision: number,
): Promise<Lease> {
  await leaseOf(parts, await changeablePipeline(parts, caller, id));
  const record = await changeablePipeline(parts, caller, id);
  if (record.desired !== undefined || 'ending' in record) {
    throw new RenderingError('closing', `The pipeline ${id} is stopping or over: its lease cannot be renewed.`);
  }
  return (await parts.rendering.updateSession(id, { maxLeaseSeconds, ifMatch: revision })).lease;
}

async function leaseOf(parts: PipelineParts, { id, state, request }: PipelineRecord): Promise<Lease> {
  const session = await parts.rendering.getSession(id);
  if (session !== undefined) return 'ending' in session ? closedAt(session.lease, session.ending.at) : session.lease;
  const why = request.session === null ? 'it only converts' : `it is ${state}`;
  throw new PipelineError('no_lease', `The pipeline ${id} has no session: ${why}.`);
}

/** A lease that was closed early ended then, whatever it had left. */
function closedAt(lease: Lease, at: string): Lease {
  return lease.expiresAt !== undefined && at < lease.expiresAt ? { ...lease, expiresAt: at } : lease;
}
