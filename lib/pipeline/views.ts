import type { HistoryEntry, LeaseAnswer, PipelineAnswer, PipelineWithHistory } from '#lib/api';
import type { Lease, PipelineRecord, RecordEvent } from '#lib/records';
import { remainingSeconds } from '#lib/rendering';
import type { Records } from './live-events-records.ts';

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
    settings: request.settings ?? null,
    requestedSession: request.session,
    createdAt,
    updatedAt,
    owner,
    readers,
    missingFiles,
    warnings,
    progress: state === 'converting' ? (record.progress ?? null) : null,
    conversion: record.conversion ? { id, ...record.conversion } : null,
    session: record.session ? { id, ...record.session } : null,
    machine: record.machine ?? null,
  };
}

type Stores = Pick<Records, 'pipelines' | 'conversions' | 'sessions'>;

/**
 * The pipeline with its events and those of its conversion and its session, oldest first; none of its own that came after the record was
 * read, which would contradict it. A pipeline is converting before it has a conversion, and starting before it has a session: whoever asks
 * again and again costs no reads of what is not there.
 */
export async function pipelineWithHistoryView(
  { pipelines, conversions, sessions }: Stores,
  record: PipelineRecord,
): Promise<PipelineWithHistory> {
  const { id, state, request } = record;
  const hasConversion = state !== 'waiting';
  const hasSession = hasConversion && state !== 'converting' && request.session !== null;
  const [history, conversionHistory, sessionHistory] = await Promise.all([
    pipelines.history(id),
    hasConversion ? conversions.history(id) : [],
    hasSession ? sessions.history(id) : [],
  ]);
  return {
    ...pipelineView(record),
    history: history.filter(({ sequence }) => sequence <= record.sequence).map(entryView),
    conversionHistory: conversionHistory.map(entryView),
    sessionHistory: sessionHistory.map(entryView),
  };
}

function entryView({ sequence, at, type, state, reason, evidence, progress }: RecordEvent): HistoryEntry {
  const base = { sequence, at, type, state, reason: reason ?? null, evidence: evidence ?? null };
  return { ...base, ...(progress !== undefined && { progress }) };
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
