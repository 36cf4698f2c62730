import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSigner } from '#lib/sts';
import type { TokenSignerGround } from '../../contract/token-signer.ts';

export interface FileSignerGround extends TokenSignerGround {
  readonly directory: string;
  readonly path: string;
}

/** File signers over one new file, with a clock that stands still. */
export async function signerGround(lifetimeSeconds = 3600): Promise<FileSignerGround> {
  const directory = await mkdtemp(join(tmpdir(), 'sts-keys-'));
  const path = join(directory, 'private', 'keys.json');
  const revoked = new Set<string>();
  const keyDays = 30;
  let at = Date.UTC(2026, 0, 1);
  return {
    directory,
    path,
    lifetimeSeconds,
    keySeconds: keyDays * 86_400,
    now: () => new Date(at),
    pass: (seconds) => {
      at += seconds * 1000;
    },
    revoke: (kid) => void revoked.add(kid),
    restore: (kid) => void revoked.delete(kid),
    signer: () =>
      fileSigner({
        path,
        now: () => new Date(at),
        lifetimeSeconds,
        keyDays,
        isRevoked: async (kid) => revoked.has(kid),
      }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
