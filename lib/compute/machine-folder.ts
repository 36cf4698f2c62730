import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { identifyProcess, type ProcessIdentity, processIdentity } from './process-identity.ts';

/**
 * What a local machine leaves on disk, so that any process can judge it at any moment, whoever was killed before:
 * `intention.json` before there is a process, `launched.json` and `process.json` who runs (told by the one that started it
 * and by itself), `stop.json` once its end was asked for, `session-host.log` what it said. No secret is among them.
 */
const intention = z.object({
  name: z.string(),
  sessionId: z.string(),
  size: z.enum(['Standard', 'Premium']),
  deployment: z.string(),
  requestedAt: z.coerce.date(),
  /** The process that is about to start the machine: while it lives, a machine without a process may still get one. */
  starter: processIdentity,
});
const stopOrder = z.object({ askedAt: z.coerce.date() });

export type Intention = z.output<typeof intention>;
export type StopOrder = z.output<typeof stopOrder>;

/** Makes the machine's folder with the intention in it, in one step. @returns false where the folder was there already */
export async function createMachineFolder(folder: string, document: Intention): Promise<boolean> {
  const draft = asideOf(folder);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(draft, 'intention.json'), JSON.stringify(document), { mode: 0o600 });
    await rename(draft, folder);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Records the calling process as the machine's own. Exclusive: a machine has one process in its life.
 * @returns false where another process was first, the machine's end was asked for already, or its folder is gone: end at once
 */
export async function claimMachineFolder(folder: string): Promise<boolean> {
  const self = await identifyProcess(process.pid);
  const draft = join(folder, `process-${process.pid}.tmp`);
  try {
    // A link appears whole or not at all, and not over another: a plain exclusive create could be read half written.
    await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
    await link(draft, join(folder, 'process.json'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readStopOrder(folder)) === undefined;
}

/** Removes the folder in one step, so that no reader sees half of it; one that is gone is a success. */
export async function removeMachineFolder(folder: string): Promise<void> {
  const remains = asideOf(folder);
  try {
    await rename(folder, remains);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  await rm(remains, { recursive: true, force: true, maxRetries: 3 });
}

/** Clears away drafts and remains that a killed process left beside the machines' folders, once they are a minute old. */
export async function removeOldRemains(directory: string, now: Date): Promise<void> {
  const names = (await readdir(directory).catch(() => [])).filter((name) =>
    /^\.[\w-]{1,60}\.[0-9a-f-]{36}$/.test(name),
  );
  for (const name of names) {
    const path = join(directory, name);
    const changedAt = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (changedAt !== undefined && now.getTime() - changedAt > 60_000) await rm(path, { recursive: true, force: true });
  }
}

export const readIntention = (folder: string) => readDocument(join(folder, 'intention.json'), intention);
export const readStopOrder = (folder: string) => readDocument(join(folder, 'stop.json'), stopOrder);

/** The processes known to be the machine's: `own` from its own record, `launched` from the one that started it. */
export async function readProcesses(folder: string): Promise<{ own?: ProcessIdentity; launched?: ProcessIdentity }> {
  // In this order: a process that records itself between the two reads is still seen as launched.
  const own = await readDocument(join(folder, 'process.json'), processIdentity);
  const launched = await readDocument(join(folder, 'launched.json'), processIdentity);
  return { ...(own && { own }), ...(launched && { launched }) };
}

export async function writeLaunched(folder: string, identity: ProcessIdentity): Promise<void> {
  await writeDocument(join(folder, 'launched.json'), identity);
}

/** Notes that the machine's end was asked for; the first order stays. */
export async function writeStopOrder(folder: string, order: StopOrder): Promise<void> {
  if ((await readStopOrder(folder)) === undefined) await writeDocument(join(folder, 'stop.json'), order);
}

/** Opens the machine's log to append to it. The caller closes it. */
export const openLog = (folder: string) => open(join(folder, 'session-host.log'), 'a', 0o600);

/** The last lines of the machine's log, at most about 2,000 characters; empty where it said nothing. */
export async function readLogTail(folder: string): Promise<string> {
  const path = join(folder, 'session-host.log');
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size === 0) return '';
  await using log = await open(path, 'r');
  const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(2000), position: Math.max(0, size - 2000) });
  return buffer.toString('utf8', 0, bytesRead).trim();
}

/** True for what may name a machine: a session's id may. */
export function isMachineName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,256}$/.test(name);
}

/** Where a machine's folder is. A name may be too long for a file system, or differ by case alone: the hash tells them apart. */
export function machineFolderOf(directory: string, name: string): string {
  const legible = name.slice(0, 40).replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return join(directory, `${legible}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`);
}

/** The folders of all machines in the directory, which is made where there is none. */
export async function machineFoldersIn(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return (await readdir(directory)).filter((entry) => !entry.startsWith('.')).map((entry) => join(directory, entry));
}

function asideOf(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.${randomUUID()}`);
}

async function writeDocument(path: string, document: unknown): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, JSON.stringify(document), { mode: 0o600 });
    await rename(draft, path);
  } catch (error) {
    // The folder went: the machine is gone, and so is what there was to note.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** What the file says; undefined where there is none, and where a power cut left an empty one: its process is gone too. */
async function readDocument<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
