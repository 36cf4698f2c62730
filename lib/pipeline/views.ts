import type { HistoryEntry, LeaseAnswer, PipelineAnswer, PipelineWithHistory } from '#lib/api';
import type { Lease, PipelineRecord, RecordEvent } from '#lib/records';
import { remainingSeconds } from '#lib/rendering';

/** The pipeline as clients read it: what was asked, how far it is, and what came of it; null where a step was not reached. */
export function pipelineView(record: PipelineRecord): PipelineAnswer {
  const { id, state, request, createdAt, updatedAt, owner, readers, missingFiles, warnings } = record;
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
    readers,
    missingFiles,
    warnings,
    conversion: record.conversion ? { id, ...record.conversion } : null,
    session: record.session ? { id, ...record.session } : null,
    machine: record.machine ?? null,
  };
}

/** The events of each of a pipeline's records, oldest first. */
export interface Histories {
  readonly pipeline: readonly RecordEvent[];
  readonly conversion: readonly RecordEvent[];
  readonly session: readonly RecordEvent[];
}

/** The pipeline with its events; none of its own that came after the record was read, which would contradict it. */
export function pipelineWithHistoryView(record: PipelineRecord, histories: Histories): PipelineWithHistory {
  return {
    ...pipelineView(record),
    history: histories.pipeline.filter(({ sequence }) => sequence <= record.sequence).map(entryView),
    conversionHistory: histories.conversion.map(entryView),
    sessionHistory: histories.session.map(entryView),
  };
}

function entryView({ sequence, at, type, state, reason, evidence }: RecordEvent): HistoryEntry {
  return { sequence, at, type, state, reason: reason ?? null, evidence: evidence ?? null };
}

/** The lease as clients read it. */
export function leaseView(lease: Lease, now: Date): LeaseAnswer {
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
