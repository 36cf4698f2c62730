import { CompactSign, type JWTPayload } from 'jose';
import { parseKeyFile, readKeyFile, withKeyFileLock, writeKeyFile } from './key-file.ts';
import {
  type KeyChange,
  type KeySchedule,
  neededChange,
  newPrivateKey,
  type SigningKey,
  signingKey,
  signingKeyOf,
} from './signing-keys.ts';
import { StsError } from './sts-error.ts';
import { encodePayload } from './token-payload.ts';
import type { PublicJwk, TokenSigner } from './token-signer.ts';

export interface FileSignerOptions {
  /** The file of keys; made at the first use, for its owner alone, with its directory. */
  readonly path: string;
  readonly now: () => Date;
  /** The longest life of a token to be signed. */
  readonly lifetimeSeconds: number;
  /** After how many days a key is followed by the next. */
  readonly keyDays: number;
  /** Asked about every key, at most once a second each. */
  readonly isRevoked: (kid: string) => Promise<boolean>;
}

/** For so long the keys at hand are good without a look at the file and at what is revoked. */
const FRESH_MILLISECONDS = 1000;
const OVERLAP_MILLISECONDS = 600_000;
const SKEW_MILLISECONDS = 300_000;
const DAY_MILLISECONDS = 86_400_000;

/** The keys as they were at one moment. */
interface KeyRing {
  readonly at: number;
  /** What the file held. */
  readonly text: string | undefined;
  readonly keys: readonly SigningKey[];
  readonly revoked: ReadonlySet<string>;
}

/**
 * A signer that keeps its keys in a file. A key that has signed for `keyDays` is followed by a new one, which is published ten minutes
 * before; the old one stays published until five minutes after the last of its tokens has expired, and is deleted then.
 * Any number of processes may use one file on one machine, or on a file system with locks; they see each other's keys within a second.
 */
export function fileSigner(options: FileSignerOptions): TokenSigner {
  return new FileSigner(options);
}

class FileSigner implements TokenSigner {
  readonly #options: FileSignerOptions;
  readonly #schedule: KeySchedule;
  #ring: KeyRing | undefined;
  #refreshing: Promise<KeyRing> | undefined;

  constructor(options: FileSignerOptions) {
    this.#options = options;
    this.#schedule = {
      keyMilliseconds: options.keyDays * DAY_MILLISECONDS,
      overlapMilliseconds: OVERLAP_MILLISECONDS,
      skewMilliseconds: SKEW_MILLISECONDS,
    };
  }

  async sign(claims: JWTPayload): Promise<string> {
    const { keys, revoked } = await this.#freshRing();
    const key = signingKey(keys, revoked, this.#options.now().getTime());
    if (key === undefined) throw new StsError('key_file', `No key in ${this.#options.path} may sign now.`);
    const { kid, x5t } = key.jwk;
    return new CompactSign(encodePayload(claims))
      .setProtectedHeader({ alg: 'RS256', kid, x5t, typ: 'JWT' })
      .sign(key.privateKey);
  }

  async publicKeys(): Promise<readonly PublicJwk[]> {
    return published(await this.#freshRing());
  }

  async publicKey(kid: string): Promise<PublicJwk | undefined> {
    const named = ({ jwk }: SigningKey) => jwk.kid === kid;
    const ring = await this.#freshRing();
    if (ring.keys.some(named) || (await readKeyFile(this.#options.path)) === ring.text) {
      return published(ring).find((jwk) => jwk.kid === kid);
    }
    return published(await this.#refresh()).find((jwk) => jwk.kid === kid);
  }

  async #freshRing(): Promise<KeyRing> {
    const age = this.#options.now().getTime() - (this.#ring?.at ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back makes nothing fresh.
    return this.#ring && age >= 0 && age < FRESH_MILLISECONDS ? this.#ring : this.#refresh();
  }

  /** Once however many callers wait. */
  #refresh(): Promise<KeyRing> {
    this.#refreshing ??= this.#changedRing().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #changedRing(): Promise<KeyRing> {
    const ring = await this.#readRing();
    this.#ring = this.#neededBy(ring)
      ? // Read again under the lock: another process may have seen the same need first.
        await withKeyFileLock(this.#options.path, async () => this.#change(await this.#readRing()))
      : ring;
    return this.#ring;
  }

  async #readRing(): Promise<KeyRing> {
    const { path, now, isRevoked, lifetimeSeconds } = this.#options;
    const at = now().getTime();
    const text = await readKeyFile(path);
    const keys = this.#keysIn(text);
    const longest = keys.map((key) => ({ ...key, lifetimeSeconds: Math.max(key.lifetimeSeconds, lifetimeSeconds) }));
    const answers = await Promise.all(keys.map(async ({ kid }) => ({ kid, revoked: await isRevoked(kid) })));
    const revoked = new Set(answers.filter((answer) => answer.revoked).map(({ kid }) => kid));
    return { at, text, keys: longest, revoked };
  }

  /** The same objects while the file is the same: whatever is derived of a key once need not be again. */
  #keysIn(text: string | undefined): readonly SigningKey[] {
    if (text === undefined) return [];
    return this.#ring?.text === text ? this.#ring.keys : parseKeyFile(this.#options.path, text);
  }

  async #change(ring: KeyRing): Promise<KeyRing> {
    let changed = ring;
    for (let change = this.#neededBy(ring); change; change = this.#neededBy(changed)) {
      changed = { ...changed, keys: await this.#changedKeys(changed, change) };
    }
    if (changed === ring) return ring;
    return { ...changed, text: await writeKeyFile(this.#options.path, changed.keys) };
  }

  async #changedKeys({ keys, at }: KeyRing, change: KeyChange): Promise<readonly SigningKey[]> {
    switch (change.kind) {
      case 'drop':
        return keys.filter(({ kid }) => !change.kids.includes(kid));
      case 'add-next':
        return [...keys, await this.#newKey(change.signsFrom)];
      case 'sign-now': {
        const waiting = keys.find(({ kid }) => kid === change.kid);
        const others = keys.filter((key) => key !== waiting);
        return [...others, waiting ? { ...waiting, signsFrom: at } : await this.#newKey(at)];
      }
    }
  }

  async #newKey(signsFrom: number): Promise<SigningKey> {
    const pem = (await newPrivateKey()).export({ type: 'pkcs8', format: 'pem' }).toString();
    return signingKeyOf(pem, signsFrom, this.#options.lifetimeSeconds);
  }

  #neededBy({ keys, revoked, at }: KeyRing): KeyChange | undefined {
    return neededChange(keys, revoked, this.#schedule, at);
  }
}

function published({ keys, revoked }: KeyRing): PublicJwk[] {
  return keys.filter(({ kid }) => !revoked.has(kid)).map(({ jwk }) => jwk);
}
