import { ROLES } from '#lib/api';
import type { Caller } from '#lib/http';
import { CLIENTS } from '#lib/pubsub';
import type { PipelineRecord } from '#lib/records';
import type { PipelineParts } from './parts.ts';
import { PipelineError } from './pipeline-error.ts';

type Owned = Pick<PipelineRecord, 'owner' | 'readers'>;

/** Administrators, the owner and the readers. */
export function mayRead({ owner, readers }: Owned, { subject, roles }: Caller): boolean {
  if (roles.includes(ROLES.administrator) || owner === subject || readers.includes(subject)) return true;
  return readers.includes(CLIENTS) && roles.includes(ROLES.client);
}

/** Administrators and the owner. */
export function mayChange({ owner }: Owned, { subject, roles }: Caller): boolean {
  return roles.includes(ROLES.administrator) || owner === subject;
}

/**
 * A pipeline that the caller may read. One that they may not know of is not there, in the same words.
 * @throws PipelineError `not_found`
 */
export async function readablePipeline(
  parts: Pick<PipelineParts, 'pipelines'>,
  caller: Caller,
  id: string,
): Promise<PipelineRecord> {
  const record = await parts.pipelines.read(id);
  if (record === undefined || !mayRead(record, caller)) {
    throw new PipelineError('not_found', `There is no pipeline ${id}.`);
  }
  return record;
}

/**
 * A pipeline that the caller may change.
 * @throws PipelineError `not_found` where they may not even know of it, `forbidden` where they may only read it
 */
export async function changeablePipeline(parts: PipelineParts, caller: Caller, id: string): Promise<PipelineRecord> {
  const record = await readablePipeline(parts, caller, id);
  if (mayChange(record, caller)) return record;
  throw new PipelineError('forbidden', `Only its owner and Administrators may change the pipeline ${id}.`);
}
