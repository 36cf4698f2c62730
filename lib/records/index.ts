export { ACCOUNT } from './account.ts';
export { ContentClaims } from './content-claims.ts';
export {
  type ConversionFailure,
  type ConversionRecord,
  type ConversionResult,
  conversionDefinition,
} from './conversion-record.ts';
export { Heartbeats } from './heartbeats.ts';
export { type OutboxCursor, Outboxes } from './outbox.ts';
export { type AwaitedFiles, type PipelineRecord, type PipelineRequest, pipelineDefinition } from './pipeline-record.ts';
export { type Ending, type Reason, terminalStateOf } from './reason.ts';
export { RECORD_KINDS, type RecordBase, type RecordDefinition, type RecordEvent, type RecordKind } from './record.ts';
export { type Change, type NewRecord, RecordStore } from './record-store.ts';
export { RecordsError } from './records-error.ts';
export { Revocations } from './revocations.ts';
export { type Heartbeat, type Lease, type SessionRecord, sessionDefinition } from './session-record.ts';
export { SessionSlots } from './session-slots.ts';
export { openTable } from './table.ts';
