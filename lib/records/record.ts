import { z } from 'zod';
import { conversionProgress } from '#lib/api';

export const RECORD_KINDS = ['pipeline', 'conversion', 'session'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export const instant = z.iso.datetime();

/** What every record carries. Times are ISO 8601 in UTC; `sequence` numbers the record's events from 1. */
export const recordBase = z.object({
  id: z.string(),
  revision: z.int().positive(),
  sequence: z.int().nonnegative(),
  createdAt: instant,
  updatedAt: instant,
  owner: z.string(),
  readers: z.array(z.string()),
});

export type RecordBase = z.output<typeof recordBase> & { readonly state: string };

/** One state change, or another fact worth telling, of a record: history, evidence and outbox in one row. */
export const recordEvent = z.object({
  sequence: z.int().positive(),
  at: instant,
  type: z.enum(['state', 'lease_renewed', 'lease_warning', 'stop_asked', 'asset', 'progress']),
  state: z.string(),
  reason: z.string().optional(),
  evidence: z.string().optional(),
  progress: conversionProgress.optional(),
});

export type RecordEvent = z.output<typeof recordEvent>;

/** What makes a kind of record: its schema, and which state may follow which (never one of lower rank, nothing after a terminal one). */
export interface RecordDefinition<R extends RecordBase> {
  readonly kind: RecordKind;
  readonly schema: z.ZodType<R>;
  readonly rank: Readonly<Record<R['state'], number>>;
  isTerminal(record: R): boolean;
}
