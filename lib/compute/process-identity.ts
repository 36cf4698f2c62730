import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';

/** One process and no other: a pid alone comes back for another process once its first owner is gone. */
export const processIdentity = z.object({
  pid: z.int().positive(),
  /** When the process started, as the system tells it; only good to be compared. */
  startedAt: z.string().min(1),
});

export type ProcessIdentity = z.output<typeof processIdentity>;

/** Who has this pid now; undefined where nobody does. A zombie has ended: it only waits for its parent. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** True while that very process runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt;
}

/** Signals that very process; one that has ended is left alone. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (!isNoSuchProcess(error)) throw error;
  }
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // proc(5): field 2 is the program's name in brackets, which may itself hold brackets and spaces; 3 is the state, 22 the start.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksSinceBoot = rest[18];
  if (state === 'Z' || state === 'X' || ticksSinceBoot === undefined) return undefined;
  return `${await bootId()}:${ticksSinceBoot}`;
}

/** Ticks count from the boot, so that they may repeat after the next one; the boot's id does not. */
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown')).trim();
}

async function startByPs(pid: number): Promise<string | undefined> {
  // ps prints local time: language and time zone are fixed so that two callers read the same.
  const options = { env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' } };
  const answer = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options).catch(
    () => undefined,
  );
  const [, state, startedAt] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(answer?.stdout ?? '') ?? [];
  return state === undefined || state.startsWith('Z') ? undefined : startedAt;
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ESRCH';
}
