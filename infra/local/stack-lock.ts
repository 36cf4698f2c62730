import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { identifyProcess, isAlive, type ProcessIdentity, processIdentity } from '#lib/compute';
import { killGroup } from './child-process.ts';
import { readJson, writeJson } from './json-file.ts';
import { StackError } from './stack-error.ts';

const lockFile = 'lock';
const processesFile = 'processes.json';
const recordedProcesses = z.object({ supervisor: processIdentity, children: z.array(processIdentity) });

/** Children of a killed supervisor end by themselves; one that has not after so long is killed. In milliseconds. */
const leftoverGraceMilliseconds = 8000;
const killMilliseconds = 2000;

/** One stack's hold on its directory. */
export interface StackLock {
  /** Keeps a child in mind, so that the next stack can wait for it should this one be killed. */
  remember(pid: number): Promise<void>;
  /** Forgets all that the directory holds. */
  clean(): Promise<void>;
  /** The children must have ended. */
  release(): Promise<void>;
}

/**
 * Takes a directory for one stack, once what a killed one left running has ended.
 * The lock is one of the system's on an open file, which falls with its process however that ends: it is never stale.
 * @throws StackError `locked` while another stack holds it
 */
export async function lockStack(directory: string): Promise<StackLock> {
  const database = new DatabaseSync(join(directory, lockFile));
  const processes = join(directory, processesFile);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    const holder = (await readJson(processes, recordedProcesses))?.supervisor;
    const who = holder ? ` (process ${holder.pid})` : '';
    const message = `Another stack${who} runs in ${directory}: stop it first.`;
    throw new StackError('locked', message, { cause: error });
  }
  try {
    await endLeftovers(processes);
  } catch (error) {
    database.close();
    throw error;
  }
  const children: ProcessIdentity[] = [];
  let written = writeProcesses(processes, children);
  return {
    async remember(pid) {
      const child = await identifyProcess(pid);
      if (child) children.push(child);
      written = written.then(() => writeProcesses(processes, children));
      await written;
    },
    async clean() {
      // Not the lock itself: a second stack could lock a new one.
      const names = (await readdir(directory)).filter((name) => !name.startsWith(lockFile));
      await Promise.all(
        names.map((name) => rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 })),
      );
    },
    async release() {
      await written;
      await rm(processes, { force: true });
      database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  const sqliteBusy = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}

async function writeProcesses(path: string, children: readonly ProcessIdentity[]): Promise<void> {
  const supervisor = await identifyProcess(process.pid);
  await writeJson(path, { supervisor, children });
}

async function endLeftovers(path: string): Promise<void> {
  const left = (await readJson(path, recordedProcesses))?.children ?? [];
  await Promise.all(
    left.map(async (child) => {
      if (await endsWithin(child, leftoverGraceMilliseconds)) return;
      killGroup(child.pid);
      if (await endsWithin(child, killMilliseconds)) return;
      throw new StackError('child-failed', `Process ${child.pid} of an earlier stack cannot be ended: end it first.`);
    }),
  );
}

async function endsWithin(child: ProcessIdentity, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await isAlive(child)) {
    if (performance.now() > deadline) return false;
    await wait(50);
  }
  return true;
}
