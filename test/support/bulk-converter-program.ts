import { parseConversionSettings } from '#lib/conversion';
import { type ConversionJob, runConversion } from '../../lib/conversion/converter.ts';
import { limits } from './models/limits.ts';

export type BulkJob = Pick<ConversionJob, 'directory' | 'file' | 'outputDirectory'>;

/** Converts one model after the other in one process, so that a crash and a hang are seen from outside and thousands take seconds. */
process.on('disconnect', () => process.exit(0));
process.on('message', (job: BulkJob) => void convert(job));
process.send?.('ready');

async function convert(job: BulkJob): Promise<void> {
  const settings = parseConversionSettings(undefined);
  process.send?.(await runConversion({ ...job, settings, limits }, () => undefined));
}
