import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConversionOutcome, ConversionProgress } from './conversion-outcome.ts';
import type { ConversionJob } from './converter.ts';
import { type ConverterOrder, converterMessage } from './converter-protocol.ts';
import { residentBytes } from './resident-bytes.ts';

/** What bounds a converter's child process. */
export interface ChildBounds {
  /** Resident memory at which it is ended, in bytes. */
  readonly memoryBytes: number;
  /** Running time at which it is ended. */
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a converter's child process ended: with an outcome, by us, or on its own. */
export type ChildEnd =
  | { readonly type: 'outcome'; readonly outcome: ConversionOutcome }
  | { readonly type: 'ended'; readonly why: 'timeout' | 'memory' | 'cancelled' }
  | { readonly type: 'died'; readonly evidence: string };

const MEMORY_CHECK_MILLISECONDS = 100;

/** As much of what a child prints as is kept, for the reason of its death, in characters. */
const PRINTED_CHARACTERS = 4096;

/** Runs the converter's program on one job and waits until it is gone, whatever happens. */
export async function runConverterChild(
  program: URL,
  job: ConversionJob,
  bounds: ChildBounds,
  onProgress: (progress: ConversionProgress) => void,
): Promise<ChildEnd> {
  const child = fork(program, [], {
    // The child reads what strangers wrote: it gets none of the app's secrets.
    env: {},
    execArgv: [`--max-old-space-size=${Math.ceil(bounds.memoryBytes / 2 ** 20)}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.pid !== undefined) yieldToTheHost(child.pid);
  const gone = new AbortController();
  let end: ChildEnd | undefined;
  const stop = (why: 'timeout' | 'memory' | 'cancelled') => {
    end ??= { type: 'ended', why };
    child.kill('SIGKILL');
  };
  const cancel = () => stop('cancelled');
  bounds.signal?.addEventListener('abort', cancel, { once: true });
  if (bounds.signal?.aborted) cancel();
  const deadline = setTimeout(() => stop('timeout'), bounds.timeoutSeconds * 1000);
  void watchMemory(child, bounds.memoryBytes, () => stop('memory'), gone.signal);
  child.on('message', (message) => {
    const parsed = converterMessage.safeParse(message);
    if (!parsed.success) {
      end ??= { type: 'died', evidence: 'it sent a message that is none of the protocol' };
      child.kill('SIGKILL');
    } else if (parsed.data.type === 'progress') onProgress(parsed.data.progress);
    else end ??= { type: 'outcome', outcome: parsed.data.outcome };
  });
  try {
    const death = await untilGone(child, job);
    return end ?? { type: 'died', evidence: death };
  } finally {
    gone.abort();
    clearTimeout(deadline);
    bounds.signal?.removeEventListener('abort', cancel);
  }
}

/**
 * Whoever asks the app something goes before a conversion, and where the computer runs out of memory the conversion goes first. What the
 * child starts, threads too, has the priority that it has by now.
 */
function yieldToTheHost(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is gone already, which its end tells of, or the app itself has no higher one.
  }
  // There is such a file on Linux alone.
  writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => undefined);
}

/** Gives the child its job and waits for its end; answers with what it died of. */
async function untilGone(child: ChildProcess, job: ConversionJob): Promise<string> {
  let printed = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-PRINTED_CHARACTERS);
  });
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(describeDeath(code, signal, printed)));
    // A child that is gone before it reads its job is told of by its end.
    child.send({ parent: process.pid, job } satisfies ConverterOrder, () => undefined);
  });
}

function describeDeath(code: number | null, signal: NodeJS.Signals | null, printed: string): string {
  const how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
  const last = printed.split('\n').findLast((line) => /\S/.test(line) && !/^\s+at |^Node\.js v/.test(line));
  const cause = /^(?:FATAL ERROR|\w*Error):.*$/m.exec(printed)?.[0] ?? last;
  return cause === undefined ? how : `${how}: ${cause.trim()}`;
}

async function watchMemory(child: ChildProcess, limit: number, stop: () => void, gone: AbortSignal): Promise<void> {
  while (!gone.aborted && child.pid !== undefined) {
    if ((await residentBytes(child.pid)) > limit) return stop();
    await sleep(MEMORY_CHECK_MILLISECONDS, undefined, { signal: gone }).catch(() => undefined);
  }
}
