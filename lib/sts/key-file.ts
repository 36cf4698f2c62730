import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { withoutSecrets } from '#lib/identity';
import { type SigningKey, signingKeyOf } from './signing-keys.ts';
import { StsError } from './sts-error.ts';

const LOCK_MILLISECONDS = 10_000;
const LOCK_POLL_MILLISECONDS = 20;

const document = z.strictObject({
  version: z.literal(1),
  keys: z
    .array(
      z.strictObject({
        kid: z.string(),
        signsFrom: z.iso.datetime(),
        lifetimeSeconds: z.int().positive(),
        /** PKCS #8 in PEM. */
        privateKey: z.string(),
      }),
    )
    .min(1),
});

/** What the file of keys holds; undefined where there is none. @throws StsError `key_file` where others than its owner may read it */
export async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const { mode } = await file.stat();
    // Windows has no such bits: what it reports there says nothing.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const others = (mode & 0o777).toString(8);
      throw new StsError(
        'key_file',
        `The signing keys in ${path} are open to others than their owner (mode ${others}). ` +
          'Ask who may have read them, then run chmod 600, or move the file away to start with new keys.',
      );
    }
    return await file.readFile('utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error instanceof StsError ? error : unusable(path, 'cannot be read', error);
  }
}

/** @throws StsError `key_file` where the text is not what `writeKeyFile` writes */
export function parseKeyFile(path: string, text: string): SigningKey[] {
  try {
    return document.parse(JSON.parse(text)).keys.map(({ kid, privateKey, signsFrom, lifetimeSeconds }) => {
      const key = signingKeyOf(privateKey, Date.parse(signsFrom), lifetimeSeconds);
      if (key.kid !== kid) throw new Error('A key is not the one that its kid names.');
      return key;
    });
  } catch {
    // Without a cause: parsers quote what they cannot read, and this is private keys.
    throw unusable(path, 'are damaged');
  }
}

/** Writes the file whole or not at all, for its owner alone, and answers with its text. Only under the lock. */
export async function writeKeyFile(path: string, keys: readonly SigningKey[]): Promise<string> {
  const content: z.input<typeof document> = {
    version: 1,
    keys: keys.map(({ kid, signsFrom, lifetimeSeconds, privateKey }) => ({
      kid,
      signsFrom: new Date(signsFrom).toISOString(),
      lifetimeSeconds,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    })),
  };
  const text = `${JSON.stringify(content, null, 2)}\n`;
  const draft = `${path}~`;
  try {
    // What a killed process left might be open to others.
    await rm(draft, { force: true });
    {
      await using file = await open(draft, 'wx', 0o600);
      await file.writeFile(text);
      // On disk before it replaces the keys that are there: a power cut must not leave an empty file.
      await file.sync();
    }
    await rename(draft, path);
    return text;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw unusable(path, 'cannot be written', error);
  }
}

/**
 * Does some work while no other process, and nobody else in this one, does so for the same file. The lock is one of the system's
 * on an open file beside it, which falls with its process however that ends: it is never stale. The file system must have
 * such locks, as local ones do.
 * @throws StsError `key_file` where the lock is not to be had within 10 s
 */
export async function withKeyFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let database: DatabaseSync | undefined;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(`${path}.lock`);
    await lock(database);
  } catch (error) {
    database?.close();
    throw unusable(path, 'cannot be locked', error);
  }
  try {
    return await work();
  } finally {
    database.close();
  }
}

async function lock(database: DatabaseSync): Promise<void> {
  const sqliteBusy = 5;
  const deadline = performance.now() + LOCK_MILLISECONDS;
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      const busy = error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
      if (!busy || performance.now() > deadline) throw error;
      await wait(LOCK_POLL_MILLISECONDS);
    }
  }
}

function unusable(path: string, how: string, cause?: unknown): StsError {
  const advice =
    'Put a good copy back, or move the file away to start with new keys: tokens of the old ones are refused then.';
  return new StsError('key_file', `The signing keys in ${path} ${how}. ${advice}`, {
    ...(cause !== undefined && { cause: withoutSecrets(cause) }),
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
