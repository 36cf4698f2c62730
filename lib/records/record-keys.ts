import { createHash } from 'node:crypto';
import type { RecordKind } from './record.ts';

const HEX_DIGITS = '0123456789abcdef';
/** Sorts after every character that a key is made of. */
const AFTER_ALL = '~~';

/**
 * Where a record lives in the table: `r~` the record, `e~` its events, `a~` while it is not terminal, `o~` while events of it are to be
 * published, `h~` what is kept beside it.
 */
export interface RecordKeys {
  readonly partitionKey: string;
  readonly record: string;
  readonly active: string;
  readonly outbox: string;
  readonly beside: string;
  event(sequence: number): string;
}

export function recordKeys(kind: RecordKind, account: string, id: string): RecordKeys {
  const hash = createHash('sha256').update(`${account}/${id}`).digest('hex');
  return {
    partitionKey: `${kind}-${hash.charAt(0)}`,
    record: `r~${hash}`,
    active: `a~${hash}`,
    outbox: `o~${hash}`,
    beside: `h~${hash}`,
    event: (sequence) => `e~${hash}~${String(sequence).padStart(10, '0')}`,
  };
}

/** The kind's partitions: a list asks all of them side by side. */
export function partitionsOf(kind: RecordKind): string[] {
  return [...HEX_DIGITS].map((digit) => `${kind}-${digit}`);
}

/** An OData filter for the rows of a record's events after one. */
export function eventsAfter(keys: RecordKeys, sequence: number): string {
  const all = startsWith(keys.partitionKey, keys.event(0).slice(0, -10));
  return sequence === 0 ? all : `${all} and RowKey gt '${keys.event(sequence)}'`;
}

/** An OData filter for the rows of one partition whose key starts so. Keys hold no quotes, so that nothing needs escaping. */
export function startsWith(partitionKey: string, rowKeyPrefix: string): string {
  return `PartitionKey eq '${partitionKey}' and RowKey ge '${rowKeyPrefix}' and RowKey lt '${rowKeyPrefix}${AFTER_ALL}'`;
}
