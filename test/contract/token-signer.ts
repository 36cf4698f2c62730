import { createHash, createPublicKey } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PublicJwk, TokenSigner } from '#lib/sts';

/** What the contract needs of a signer under test. Its clock stands still but for `pass`. */
export interface TokenSignerGround extends AsyncDisposable {
  /** Makes the signer anew over the same keys, as a restarted app or a second one does. */
  signer(): TokenSigner;
  readonly lifetimeSeconds: number;
  /** After how long a key is followed by the next. */
  readonly keySeconds: number;
  now(): Date;
  pass(seconds: number): void;
  revoke(kid: string): void;
  restore(kid: string): void;
}

/** Within so long, processes that share keys see each other's changes, and a revocation acts. */
const SETTLE_SECONDS = 2;
const MINUTE = 60;

/** What every TokenSigner keeps, wherever its keys are. */
export function tokenSignerContract(name: string, makeGround: () => Promise<TokenSignerGround>): void {
  describe(`${name} keeps the contract of a TokenSigner`, () => {
    let ground: TokenSignerGround;
    let signer: TokenSigner;

    beforeEach(async () => {
      ground = await makeGround();
      signer = ground.signer();
    });
    afterEach(() => ground[Symbol.asyncDispose]());

    const sign = (by = signer) => {
      const iat = Math.floor(ground.now().getTime() / 1000);
      return by.sign({ sub: 'ada', iat, exp: iat + ground.lifetimeSeconds });
    };
    const verify = async (token: string, by = signer) => {
      const keyOf = async ({ kid = '' }) =>
        (await by.publicKey(kid)) ?? Promise.reject(new Error(`${kid} is not known.`));
      return (await jwtVerify(token, keyOf, { currentDate: ground.now() })).payload.sub;
    };
    const kidsOf = async (by = signer) => (await by.publicKeys()).map(({ kid }) => kid).sort();

    it('signs by RS256, with the key in the header by its thumbprint, as the retired service wrote it', async () => {
      const header = decodeProtectedHeader(await sign());
      expect(header).toEqual({
        alg: 'RS256',
        typ: 'JWT',
        kid: expect.stringMatching(/^[0-9A-F]{40}$/),
        x5t: expect.any(String),
      });
      expect(Buffer.from(String(header['x5t']), 'base64url').toString('hex').toUpperCase()).toBe(header.kid);
    });

    it('publishes the key that it signs with, the public parts alone, and its thumbprint is right', async () => {
      const token = await sign();
      expect(await verify(token)).toBe('ada');
      const [jwk, ...others] = await signer.publicKeys();
      expect(others).toEqual([]);
      expect(Object.keys(jwk ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5t']);
      expect(jwk).toMatchObject({ kty: 'RSA', use: 'sig', alg: 'RS256', kid: decodeProtectedHeader(token).kid });
      expect(jwk && thumbprintOf(jwk)).toBe(jwk?.kid);
    });

    it('finds a key by its kid, and nothing by what is none', async () => {
      const [jwk] = await signer.publicKeys();
      expect(await signer.publicKey(jwk?.kid ?? '')).toEqual(jwk);
      const strangers = ['', 'F'.repeat(40), jwk?.kid.toLowerCase() ?? '', '../../etc/passwd', "' OR 1=1", '__proto__'];
      for (const stranger of strangers) expect(await signer.publicKey(stranger)).toBeUndefined();
    });

    it('has the same keys after a restart, and knows the tokens from before', async () => {
      const token = await sign();
      const restarted = ground.signer();
      expect(await restarted.publicKeys()).toEqual(await signer.publicKeys());
      expect(await verify(token, restarted)).toBe('ada');
    });

    it('makes one key where many start at the same moment, and each knows what any other signs', async () => {
      const signers = Array.from({ length: 5 }, () => ground.signer());
      const tokens = await Promise.all(signers.flatMap((each) => [sign(each), sign(each)]));
      expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1);
      for (const each of signers) await Promise.all(tokens.map((token) => verify(token, each)));
    });

    it('publishes the next key ten minutes before it signs', async () => {
      const [first = ''] = await kidsOf();
      ground.pass(ground.keySeconds - 11 * MINUTE);
      expect(await kidsOf()).toEqual([first]);
      ground.pass(MINUTE);
      const both = await kidsOf();
      expect(both).toHaveLength(2);
      ground.pass(9 * MINUTE);
      expect(decodeProtectedHeader(await sign()).kid).toBe(first);
      ground.pass(MINUTE);
      const second = decodeProtectedHeader(await sign()).kid ?? '';
      expect([first, second].sort()).toEqual(both);
    });

    it('keeps the ten minutes also where nobody signed when the next key was due', async () => {
      const [first] = await kidsOf();
      ground.pass(ground.keySeconds * 3);
      expect(decodeProtectedHeader(await sign()).kid).toBe(first);
      expect(await kidsOf()).toHaveLength(2);
      ground.pass(10 * MINUTE);
      expect(decodeProtectedHeader(await sign()).kid).not.toBe(first);
    });

    it('knows an old key until its last token has expired, and not five minutes longer', async () => {
      const [first = ''] = await kidsOf();
      ground.pass(ground.keySeconds - 10 * MINUTE);
      expect(await kidsOf()).toHaveLength(2);
      ground.pass(10 * MINUTE - 1);
      const last = await sign();
      expect(decodeProtectedHeader(last).kid).toBe(first);
      ground.pass(ground.lifetimeSeconds - 1);
      expect(await verify(last)).toBe('ada');
      expect(await kidsOf()).toContain(first);
      ground.pass(5 * MINUTE + 2);
      expect(await kidsOf()).not.toContain(first);
      expect(await ground.signer().publicKey(first)).toBeUndefined();
    });

    it('uses and knows a revoked key no more, and signs with a new one at once', async () => {
      const token = await sign();
      const { kid = '' } = decodeProtectedHeader(token);
      ground.revoke(kid);
      ground.pass(SETTLE_SECONDS);
      const next = await sign();
      expect(decodeProtectedHeader(next).kid).not.toBe(kid);
      expect(await kidsOf()).toEqual([decodeProtectedHeader(next).kid]);
      await expect(verify(token)).rejects.toThrow(kid);
      await expect(verify(token, ground.signer())).rejects.toThrow(kid);
    });

    it('brings the next key forward where the one that signs is revoked', async () => {
      const [first = ''] = await kidsOf();
      ground.pass(ground.keySeconds - 5 * MINUTE);
      const next = (await kidsOf()).find((kid) => kid !== first);
      ground.revoke(first);
      ground.pass(SETTLE_SECONDS);
      expect(decodeProtectedHeader(await sign()).kid).toBe(next);
    });

    it('never goes back to an older key, though that one is still known', async () => {
      const first = await sign();
      ground.pass(ground.keySeconds);
      await sign();
      ground.pass(10 * MINUTE);
      const { kid: second = '' } = decodeProtectedHeader(await sign());
      ground.revoke(second);
      ground.pass(SETTLE_SECONDS);
      const kids = [first, await sign()].map((token) => decodeProtectedHeader(token).kid ?? '');
      expect(new Set([...kids, second]).size).toBe(3);
      expect(await kidsOf()).toEqual(kids.sort());
    });

    it('does without a next key that is revoked before its turn', async () => {
      const [first = ''] = await kidsOf();
      ground.pass(ground.keySeconds - 10 * MINUTE);
      const next = (await kidsOf()).find((kid) => kid !== first) ?? '';
      ground.revoke(next);
      ground.pass(SETTLE_SECONDS);
      expect(await kidsOf()).not.toContain(next);
      ground.pass(12 * MINUTE);
      const { kid } = decodeProtectedHeader(await sign());
      expect([first, next]).not.toContain(kid);
    });

    it('knows a key again whose revocation is taken back, but does not go back to signing with it', async () => {
      const token = await sign();
      const { kid = '' } = decodeProtectedHeader(token);
      ground.revoke(kid);
      ground.pass(SETTLE_SECONDS);
      const { kid: next } = decodeProtectedHeader(await sign());
      ground.restore(kid);
      ground.pass(SETTLE_SECONDS);
      expect(await verify(token)).toBe('ada');
      expect(decodeProtectedHeader(await sign()).kid).toBe(next);
    });

    it('loses no key where many turn to the next at the same moment', async () => {
      const signers = Array.from({ length: 5 }, () => ground.signer());
      await sign();
      ground.pass(ground.keySeconds - 11 * MINUTE);
      const before = await sign();
      ground.pass(MINUTE);
      await Promise.all(signers.map((each) => each.publicKeys()));
      ground.pass(10 * MINUTE);
      const after = await Promise.all(signers.map((each) => sign(each)));
      expect(new Set(after.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1);
      for (const each of signers) await Promise.all([before, ...after].map((token) => verify(token, each)));
      expect(await kidsOf()).toHaveLength(2);
    });
  });
}

function thumbprintOf(jwk: PublicJwk): string {
  const { kty, n, e } = jwk;
  const spki = createPublicKey({ key: { kty, n, e }, format: 'jwk' }).export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki).digest('hex').toUpperCase();
}
