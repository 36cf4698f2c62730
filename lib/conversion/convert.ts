import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversionErrorCode } from './conversion-error.ts';
import type { ConversionLimits } from './conversion-limits.ts';
import type { ConversionOutcome, ConversionProgress } from './conversion-outcome.ts';
import type { ConversionJob } from './converter.ts';
import { type ChildBounds, type ChildEnd, runConverterChild } from './converter-child.ts';
import { throttleProgress } from './throttle-progress.ts';

/** A job with what bounds its child process. */
export interface ConversionRequest extends ConversionJob {
  readonly limits: ConversionLimits;
  readonly signal?: AbortSignal;
  /** Hears of progress at most twice a second, and of the last phase by the end. */
  readonly onProgress?: (progress: ConversionProgress) => void;
}

/** In the bundle the converter is a program of its own, beside the app's. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './converter-process.ts' : './converter.mjs',
  import.meta.url,
);

/**
 * Converts a model in a child process and answers when that is gone. A failure of any kind, the child's death included, is an outcome,
 * not an exception; it leaves no asset behind.
 */
export async function convert(request: ConversionRequest): Promise<ConversionOutcome> {
  const { directory, file, outputDirectory, settings, limits, signal, onProgress } = request;
  if (signal?.aborted) return failure({ type: 'ended', why: 'cancelled' }, request);
  await mkdir(outputDirectory, { recursive: true });
  const job: ConversionJob = { directory, file, outputDirectory, settings, limits };
  const bounds = { memoryBytes: limits.memoryBytes, timeoutSeconds: limits.timeoutSeconds, signal };
  const end = await runWithProgress(job, bounds, onProgress);
  if (end.type === 'outcome') return end.outcome;
  await rm(join(outputDirectory, 'asset.glb'), { force: true });
  return failure(end, request);
}

async function runWithProgress(
  job: ConversionJob,
  bounds: ChildBounds,
  onProgress: ConversionRequest['onProgress'] = () => undefined,
): Promise<ChildEnd> {
  using progress = throttleProgress(onProgress);
  return await runConverterChild(program, job, bounds, progress.tell);
}

function failure(end: Exclude<ChildEnd, { type: 'outcome' }>, { file, limits }: ConversionRequest): ConversionOutcome {
  const failed = (code: ConversionErrorCode, message: string, limit?: keyof ConversionLimits): ConversionOutcome => ({
    status: 'failed',
    error: { code, message, ...(limit !== undefined && { limit }) },
    warnings: [],
  });
  if (end.type === 'died') {
    if (/out of memory|allocation failed/i.test(end.evidence))
      return failed('memory', tooBig(file, limits.memoryBytes), 'memoryBytes');
    return failed(
      'conversion_failed',
      `The converter ended while it worked on '${file}': ${end.evidence}. Convert it again.`,
    );
  }
  switch (end.why) {
    case 'timeout': {
      const message = `The conversion of '${file}' took longer than ${limits.timeoutSeconds} s (timeoutSeconds). Split or simplify the model.`;
      return failed('timeout', message, 'timeoutSeconds');
    }
    case 'memory':
      return failed('memory', tooBig(file, limits.memoryBytes), 'memoryBytes');
    case 'cancelled':
      return failed('cancelled', `The conversion of '${file}' was cancelled.`);
  }
}

function tooBig(file: string, bytes: number): string {
  return `The conversion of '${file}' needs more than ${bytes} bytes of memory (memoryBytes). Split or simplify the model.`;
}
