import { z } from 'zod';
import { conversionOutcome, conversionPhase } from './conversion-outcome.ts';

/** What the converter's child process tells its parent. */
export const converterMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('phase'), phase: conversionPhase }),
  z.object({ type: z.literal('outcome'), outcome: conversionOutcome }),
]);

export type ConverterMessage = z.output<typeof converterMessage>;
