import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { makePrivateFolder } from './identity/private-file.ts';
import { keptText } from './kept-text.ts';

/** The account that the local app issues Mixed Reality tokens for. */
export interface Account {
  readonly id: string;
  /** Absolute path of the file with the primary key, readable by its owner alone. */
  readonly keyFile: string;
  /** SHA-256, in hex, of the primary and the secondary key. */
  readonly keyHashes: readonly string[];
}

/** Makes the account of a stack's directory, or finds the one that an earlier start made. */
export async function prepareAccount(directory: string): Promise<Account> {
  const folder = join(directory, 'account');
  await makePrivateFolder(folder);
  const newKey = () => randomBytes(32).toString('base64');
  const keyFile = join(folder, 'primary-key');
  const id = await keptText(join(folder, 'id'), randomUUID);
  const keys = [await keptText(keyFile, newKey), await keptText(join(folder, 'secondary-key'), newKey)];
  return { id, keyFile, keyHashes: keys.map((key) => createHash('sha256').update(key).digest('hex')) };
}
