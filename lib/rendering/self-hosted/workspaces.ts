import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { identifyProcess } from '#lib/compute';

/** `conversion-{computer}-{process id}-{start of that process}-{random}`, each but the process id as a hash. */
const NAME = /^conversion-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-/;

/**
 * Runs work in a temporary folder of its own, which is gone when the work is over. What processes that were killed have left is removed
 * first: nobody else would.
 */
export async function inWorkspace<T>(work: (directory: string) => Promise<T>): Promise<T> {
  await removeAbandoned();
  const directory = await mkdtemp(
    join(tmpdir(), `conversion-${computer()}-${process.pid}-${await startOf(process.pid)}-`),
  );
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function removeAbandoned(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    const [, where, pid, start] = NAME.exec(name) ?? [];
    // Of another computer's processes, whose temporary folder this may be too, nothing is known.
    if (where !== computer() || (await startOf(Number(pid))) === start) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** When a process started, for comparison; of one that is gone what no process has. */
async function startOf(pid: number): Promise<string> {
  const identity = await identifyProcess(pid);
  return identity === undefined ? 'gone' : shortHash(identity.startedAt);
}

function computer(): string {
  return shortHash(hostname());
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
