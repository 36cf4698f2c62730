import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { PublicJwk } from './token-signer.ts';

const MODULUS_BITS = 2048;

/** A key pair and when it signs. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
  /** Milliseconds since 1970. From here on it signs, until the next one does. */
  readonly signsFrom: number;
  /** The longest life of a token that it signs. */
  readonly lifetimeSeconds: number;
}

export interface KeySchedule {
  /** After how long a key is followed by the next. */
  readonly keyMilliseconds: number;
  /** How long before it signs a key is published, so that whoever keeps the published keys knows it by then. */
  readonly overlapMilliseconds: number;
  /** How much longer than its last token a key is published, for clocks that differ. */
  readonly skewMilliseconds: number;
}

/** What must change in the keys. */
export type KeyChange =
  /** No key can sign now: the one that waits for its turn gets it at once, or a new one where none waits. */
  | { readonly kind: 'sign-now'; readonly kid: string | undefined }
  | { readonly kind: 'add-next'; readonly signsFrom: number }
  | { readonly kind: 'drop'; readonly kids: readonly string[] };

/**
 * The key whose turn it is, undefined where that one is revoked: an older key never signs again, as it is only published until the
 * tokens of its own turn have expired.
 */
export function signingKey(
  keys: readonly SigningKey[],
  revoked: ReadonlySet<string>,
  at: number,
): SigningKey | undefined {
  const holder = inTurn(keys).findLast((key) => key.signsFrom <= at);
  return holder && !revoked.has(holder.kid) ? holder : undefined;
}

/** The next thing that the keys need at this moment; undefined where they are as they must be. */
export function neededChange(
  keys: readonly SigningKey[],
  revoked: ReadonlySet<string>,
  schedule: KeySchedule,
  at: number,
): KeyChange | undefined {
  const current = signingKey(keys, revoked, at);
  const next = inTurn(keys).find((key) => key.signsFrom > at && !revoked.has(key.kid));
  if (current === undefined) return { kind: 'sign-now', kid: next?.kid };
  const due = current.signsFrom + schedule.keyMilliseconds;
  if (next === undefined && due - schedule.overlapMilliseconds <= at) {
    return { kind: 'add-next', signsFrom: Math.max(due, at + schedule.overlapMilliseconds) };
  }
  const kids = keys.filter((key) => servesUntil(key, keys, schedule) <= at).map(({ kid }) => kid);
  return kids.length > 0 ? { kind: 'drop', kids } : undefined;
}

/** When every token of the key has expired: it signed nothing any more once the next one's turn had come. Infinity before that. */
function servesUntil(key: SigningKey, keys: readonly SigningKey[], schedule: KeySchedule): number {
  const turns = keys.map((other) => other.signsFrom).filter((from) => from > key.signsFrom);
  return Math.min(...turns) + key.lifetimeSeconds * 1000 + schedule.skewMilliseconds;
}

function inTurn(keys: readonly SigningKey[]): SigningKey[] {
  return [...keys].sort((one, other) => one.signsFrom - other.signsFrom);
}

export async function newPrivateKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS })).privateKey;
}

/** @throws where the PEM is no RSA private key of 2048 bits or more */
export function signingKeyOf(pem: string, signsFrom: number, lifetimeSeconds: number): SigningKey {
  const privateKey = createPrivateKey(pem);
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (privateKey.asymmetricKeyType !== 'rsa' || bits < MODULUS_BITS)
    throw new Error('This is no RSA key of 2048 bits.');
  const jwk = publicJwkOf(createPublicKey(privateKey));
  return { kid: jwk.kid, privateKey, jwk, signsFrom, lifetimeSeconds };
}

function publicJwkOf(publicKey: KeyObject): PublicJwk {
  const thumbprint = createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const kid = thumbprint.toString('hex').toUpperCase();
  return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, x5t: thumbprint.toString('base64url'), n, e };
}
