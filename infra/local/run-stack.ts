import { StackError } from './stack-error.ts';
import { type Stack, type StackEndpoints, type StackOptions, startStack } from './supervisor.ts';

export interface RunOptions extends StackOptions {
  /** Lines to greet with once everything answers. */
  readonly greeting: (endpoints: StackEndpoints) => readonly string[];
  /** Prints one JSON document to stdout when everything answers: `{endpoints}`. */
  readonly json: boolean;
}

/**
 * Starts the stack and keeps it up until Ctrl-C, SIGTERM or SIGHUP, then stops it in order. Progress goes to stderr.
 * @returns the exit code: 0 after a stop that was asked for
 * @throws StackError where it does not start, or ends by itself
 */
export async function runStack(options: RunOptions): Promise<number> {
  const asked = listenForSignals();
  try {
    return await keepUp(options, asked);
  } finally {
    asked.release();
  }
}

async function keepUp(options: RunOptions, asked: StopRequest): Promise<number> {
  let stack: Stack;
  try {
    stack = await startStack({
      ...options,
      signal: asked.signal,
      onLog: options.onLog ?? ((child, line) => say(`[${child}] ${line}`)),
      onStopping: (waitingFor) => asked.waitFor(waitingFor),
    });
  } catch (error) {
    if (!asked.signal.aborted) throw error;
    say('Stopped before everything had started.');
    return 0;
  }
  for (const line of options.greeting(stack.endpoints)) say(line);
  if (options.json) process.stdout.write(`${JSON.stringify({ endpoints: stack.endpoints })}\n`);
  const failure = await Promise.race([stack.failed, asked.stop]);
  if (failure instanceof StackError) throw failure;
  say('Stopping: machines first, then the app, then the storage.');
  await stack.stop();
  say('Stopped. What was uploaded and converted is kept; npm start goes on with it.');
  return 0;
}

interface StopRequest {
  readonly signal: AbortSignal;
  /** Fulfilled when a stop is asked for. */
  readonly stop: Promise<void>;
  /** What the stop is waiting for, told to whoever asks again. */
  waitFor(what: string): void;
  release(): void;
}

function listenForSignals(): StopRequest {
  const controller = new AbortController();
  const stop = Promise.withResolvers<void>();
  let waitingFor = 'the start to be given up';
  const ask = () => {
    if (controller.signal.aborted) return say(`Already stopping, waiting for ${waitingFor}. It takes 25 s at most.`);
    controller.abort(new StackError('stopped', 'The stack was stopped while it was starting.'));
    stop.resolve();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, ask);
  return {
    signal: controller.signal,
    stop: stop.promise,
    waitFor: (what) => {
      waitingFor = what;
    },
    release: () => {
      for (const signal of signals) process.off(signal, ask);
    },
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
