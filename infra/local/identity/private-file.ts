import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Makes a folder that nobody but its owner may enter. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/** Reads a file of a private folder and takes back what others may do with it; undefined where it cannot be read. */
export async function readPrivate(path: string): Promise<string | undefined> {
  try {
    await chmod(path, 0o600);
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Writes a file that nobody but its owner may read or write, whole or not at all, whenever the process is killed.
 * One write per path at a time.
 */
export async function writePrivate(path: string, content: string): Promise<void> {
  const draft = `${path}~`;
  await rm(draft, { force: true });
  await writeFile(draft, content, { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
}
