import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const program = fileURLToPath(new URL('../../infra/convert.ts', import.meta.url));

/** What the command that converts a model did. */
export interface ConvertRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True where a process that it started still runs. */
  readonly left: boolean;
}

interface Circumstances {
  /** Ctrl-C as soon as this is printed: the signal goes to the command and all that it started in its terminal. */
  readonly interruptAt?: RegExp;
  /** Largest file that may be written, in units of the shell's `ulimit -f`. */
  readonly fileSizeLimit?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** Runs `npm run convert` as a person would. */
export async function runConvert(args: readonly string[], circumstances: Circumstances = {}): Promise<ConvertRun> {
  const { interruptAt, fileSizeLimit, environment, directory } = circumstances;
  const command = [process.execPath, program, ...args];
  const limited = ['sh', '-c', `ulimit -f ${fileSizeLimit}; exec "$@"`, 'sh', ...command];
  const [file = '', ...rest] = fileSizeLimit === undefined ? command : limited;
  const child = spawn(file, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...environment },
    ...(directory !== undefined && { cwd: directory }),
  });
  let stderr = '';
  let interrupted = false;
  child.stderr.setEncoding('utf8').on('data', (printed: string) => {
    stderr += printed;
    if (interrupted || interruptAt === undefined || !interruptAt.test(stderr) || child.pid === undefined) return;
    interrupted = true;
    process.kill(-child.pid, 'SIGINT');
  });
  const [stdout, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { exitCode: z.number().nullable().parse(exitCode), stdout, stderr, left: isGroupAlive(child.pid) };
}

function isGroupAlive(group: number | undefined): boolean {
  if (group === undefined) return false;
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
