import { createHash, timingSafeEqual } from 'node:crypto';
import { StsError } from './sts-error.ts';

/** The keys of the account that we issue for, known by their SHA-256 alone: whoever reads the settings cannot sign in with them. */
export class AccountKeys {
  readonly #hashes: readonly Buffer[];

  /** @param hashes SHA-256 in hex of each key's UTF-8; none: no key is right. @throws StsError `invalid_argument` */
  constructor(hashes: readonly string[]) {
    if (!hashes.every((hash) => /^[0-9a-f]{64}$/i.test(hash))) {
      throw new StsError('invalid_argument', 'The hashes of account keys must be SHA-256 in hex, 64 characters each.');
    }
    this.#hashes = hashes.map((hash) => Buffer.from(hash, 'hex'));
  }

  /** True for one of the keys. Takes as long for a wrong key as for a right one. */
  matches(presented: string): boolean {
    const hash = createHash('sha256').update(presented).digest();
    // Every hash is compared, so that time does not tell which one matched either.
    return this.#hashes.map((known) => timingSafeEqual(known, hash)).includes(true);
  }
}
