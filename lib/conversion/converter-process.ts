import { Worker } from 'node:worker_threads';
import type { ConversionJob } from './converter.ts';
import { runConversion } from './converter.ts';
import type { ConverterMessage } from './converter-protocol.ts';

/** How often a converter that is busy looks whether its parent lives, in milliseconds. */
const PARENT_CHECK_MILLISECONDS = 500;

/** The program of the converter's child process: one job in, phases and one outcome out, over IPC; what libraries print disturbs nothing. */
process.once('disconnect', () => process.exit(1));
process.once('message', (job: ConversionJob) => {
  dieWithParent();
  void run(job);
});

async function run(job: ConversionJob): Promise<void> {
  const outcome = await runConversion(job, (phase) => tell({ type: 'phase', phase }));
  tell({ type: 'outcome', outcome }, () => process.exit(0));
}

function tell(message: ConverterMessage, sent?: () => void): void {
  process.send?.(message, () => sent?.());
}

/** A thread of its own sees the parent's death while this one is deep in a library, which never lets the disconnect through. */
function dieWithParent(): void {
  const program = `
    const parent = ${process.ppid};
    setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), ${PARENT_CHECK_MILLISECONDS});
  `;
  new Worker(program, { eval: true }).unref();
}
