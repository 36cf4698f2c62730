import { z } from 'zod';
import { conversionOutcome, conversionProgress } from './conversion-outcome.ts';
import type { ConversionJob } from './converter.ts';

/** What the converter's child process is told, once. */
export interface ConverterOrder {
  /** Process id of who waits for the outcome. */
  readonly parent: number;
  readonly job: ConversionJob;
}

/** What the converter's child process tells its parent. */
export const converterMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: conversionProgress }),
  z.object({ type: z.literal('outcome'), outcome: conversionOutcome }),
]);

export type ConverterMessage = z.output<typeof converterMessage>;
