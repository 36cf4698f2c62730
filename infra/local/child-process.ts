import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { type ChildOrder, childReport, SECRET_OPTIONS } from './child.ts';
import { StackError } from './stack-error.ts';

/** Takes one line that a child printed. */
export type LogLine = (child: string, line: string) => void;

export interface ChildProgram {
  /** What messages call it. */
  readonly name: string;
  /** Absolute path of a program written with `runAsChild`. */
  readonly program: string;
  /** Its options: the one argument on its command line, as JSON. */
  readonly options: unknown;
  /** More of its options, that nobody else may read. */
  readonly secretOptions?: Readonly<Record<string, unknown>>;
  readonly environment?: NodeJS.ProcessEnv;
  /** How long it may take to report ready, in milliseconds. */
  readonly startMilliseconds: number;
  readonly onLog?: LogLine | undefined;
  /** Awaited as soon as the process exists, before it is ready. */
  readonly onSpawn?: ((pid: number) => Promise<void>) | undefined;
  /** Gives the start up, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunningChild {
  readonly name: string;
  readonly pid: number;
  /** What it reported to serve, as URLs. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Fulfilled, never rejected, with how it ended. */
  readonly ended: Promise<string>;
  /** Orders it to end and waits; after `graceMilliseconds` its whole process group is killed. May be called again. */
  stop(graceMilliseconds: number): Promise<void>;
}

/**
 * Starts a child program in a process group of its own and waits until it is ready.
 * @throws StackError `child-failed` or `port-taken`; nothing of the child is left then
 */
export async function startChild(program: ChildProgram): Promise<RunningChild> {
  program.signal?.throwIfAborted();
  const child = spawn(process.execPath, [program.program, JSON.stringify(program.options)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...(program.environment ?? process.env),
      ...(program.secretOptions && { [SECRET_OPTIONS]: JSON.stringify(program.secretOptions) }),
    },
  });
  const lastLines = readLines(child, (line) => program.onLog?.(program.name, line));
  const ended = endOf(child);
  try {
    const endpoints = await readiness(child, program, ended);
    return { name: program.name, pid: child.pid ?? 0, endpoints, ended, stop: (grace) => stop(child, ended, grace) };
  } catch (error) {
    await stop(child, ended, 0);
    throw error instanceof StackError || program.signal?.aborted ? error : failure(program.name, error, lastLines);
  }
}

/** Kills every process of a group, if there is one left. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

async function readiness(
  child: ChildProcess,
  program: ChildProgram,
  ended: Promise<string>,
): Promise<Readonly<Record<string, string>>> {
  const late = AbortSignal.timeout(program.startMilliseconds);
  const signal = program.signal ? AbortSignal.any([late, program.signal]) : late;
  const reported = once(child, 'message', { signal });
  reported.catch(() => undefined);
  await once(child, 'spawn');
  await program.onSpawn?.(child.pid ?? 0);
  const how = await Promise.race([reported, ended]).catch((error: unknown) => {
    program.signal?.throwIfAborted();
    if (late.aborted) throw new Error(`it was not ready within ${program.startMilliseconds / 1000} s`);
    throw error;
  });
  if (typeof how === 'string') throw new Error(`it ended with ${how}`);
  const report = childReport.parse(how[0]);
  if (report.type === 'ready') return report.endpoints;
  if (report.code !== 'EADDRINUSE') throw new Error(report.message);
  throw new StackError('port-taken', `${program.name} found its port taken by another program (${report.message}).`);
}

/** Fulfilled when the process has ended and its last words are read; whatever it left in its group is killed. */
async function endOf(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signal] = await once(child, 'exit');
    if (child.pid) killGroup(child.pid);
    await Promise.race([closed, wait(500)]);
    return signal ? `signal ${signal}` : `exit code ${code}`;
  } catch (error) {
    return String(error);
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

async function stop(child: ChildProcess, ended: Promise<string>, graceMilliseconds: number): Promise<void> {
  const order: ChildOrder = { type: 'stop' };
  if (graceMilliseconds > 0 && child.connected) child.send(order, () => undefined);
  await Promise.race([ended, wait(graceMilliseconds)]);
  if (child.pid && child.exitCode === null && child.signalCode === null) killGroup(child.pid);
  await Promise.race([ended, wait(500)]);
}

/** Passes every printed line on, and keeps the last ten to explain a failure with. */
function readLines(child: ChildProcess, onLine: (line: string) => void): readonly string[] {
  const last: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue;
    createInterface({ input }).on('line', (line) => {
      last.push(line);
      if (last.length > 10) last.shift();
      onLine(line);
    });
  }
  return last;
}

function failure(name: string, error: unknown, lastLines: readonly string[]): StackError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = [`${name} did not start: ${reason}.`, ...lastLines].join('\n  ');
  return new StackError('child-failed', message, { cause: error });
}
