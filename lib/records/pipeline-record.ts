import { z } from 'zod';
import { conversionProgress } from '#lib/api';
import { conversionResult, conversionWarning } from './conversion-record.ts';
import { desired, ending } from './reason.ts';
import { instant, type RecordDefinition, recordBase } from './record.ts';

export const pipelineRequest = z.object({
  model: z.object({ folder: z.string(), file: z.string() }),
  /** As they were given, or none. */
  settings: z.record(z.string(), z.json()).optional(),
  /** Null converts only. */
  session: z.object({ size: z.enum(['Standard', 'Premium']), maxLeaseSeconds: z.int().positive() }).nullable(),
  /** Those that were named; the record has those that hold. */
  readers: z.array(z.string()).optional(),
});
/** What a caller, or an upload, asked a pipeline for: two creations with one id are the same exactly if this is equal. */
export type PipelineRequest = z.output<typeof pipelineRequest>;

const awaitedFiles = z.object({
  /** The files that were read, the model among them, with their ETags. */
  read: z.array(z.tuple([z.string(), z.string()])),
  /** For each file that was missing, wherever it may lie, best first. */
  missing: z.array(z.array(z.string())),
});
export type AwaitedFiles = z.output<typeof awaitedFiles>;

const common = recordBase.extend({
  request: pipelineRequest,
  /** Who was taken off the readers, `clients` too, and until when a token of theirs may be left that lets them listen. */
  formerReaders: z.array(z.object({ subject: z.string(), until: instant })).optional(),
  /** Until when files that the model refers to are waited for. */
  waitUntil: instant,
  missingFiles: z.array(z.string()),
  /** What the look that found them missing went by: while that is so, none of it is read again. */
  awaitedFiles: awaitedFiles.optional(),
  warnings: z.array(conversionWarning),
  desired: desired.optional(),
  /** Copied from the conversion and the session as they go, so that one read tells the whole journey. */
  progress: conversionProgress.optional(),
  conversion: conversionResult.optional(),
  session: z
    .object({ size: z.string(), hostname: z.string(), ports: z.object({ inspector: z.int() }), readyAt: instant })
    .optional(),
  machine: z.object({ startedAt: instant, stoppedAt: instant.optional() }).optional(),
});

const schema = z.discriminatedUnion('state', [
  common.extend({ state: z.enum(['waiting', 'converting', 'starting', 'ready']) }),
  common.extend({ state: z.enum(['stopping', 'stopped', 'converted', 'failed']), ending }),
]);

export type PipelineRecord = z.output<typeof schema>;

export const pipelineDefinition: RecordDefinition<PipelineRecord> = {
  kind: 'pipeline',
  schema,
  rank: { waiting: 1, converting: 2, starting: 3, ready: 4, stopping: 5, stopped: 6, converted: 6, failed: 6 },
  isTerminal: (record) => record.state === 'stopped' || record.state === 'converted' || record.state === 'failed',
};
