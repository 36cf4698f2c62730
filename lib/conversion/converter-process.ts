import type { ConversionProgress } from './conversion-outcome.ts';
import { type ConversionJob, runConversion } from './converter.ts';
import type { ConverterMessage, ConverterOrder } from './converter-protocol.ts';
import { dieWithParent } from './die-with-parent.ts';

/** The converter's child process: one job in, progress and one outcome out, over IPC, so that what libraries print disturbs nothing. */
process.once('disconnect', () => process.exit(1));
process.once('message', ({ parent, job }: ConverterOrder) => {
  dieWithParent(parent);
  void run(job);
});

async function run(job: ConversionJob): Promise<void> {
  let sizes: Omit<ConversionProgress, 'phase'> = {};
  const outcome = await runConversion(job, (phase, known) => {
    sizes = { ...sizes, ...known };
    tell({ type: 'progress', progress: { ...sizes, phase } });
  });
  tell({ type: 'outcome', outcome }, () => process.exit(0));
}

function tell(message: ConverterMessage, sent?: () => void): void {
  process.send?.(message, () => sent?.());
}
