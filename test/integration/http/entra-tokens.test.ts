import { createHmac, createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ROLES } from '#lib/api';
import { EntraTokens, ProblemError } from '#lib/http';
import { startAuthority, type TestAuthority } from '../../support/authority.ts';
import { START, type TestClock, testClock } from '../../support/records.ts';

const AUDIENCE = 'api://remote-rendering';
const SUBJECT = '3f0f0a52-7c8e-4f6e-8a45-5d0c8a1b2c3d';
const now = START.getTime() / 1000;

let authority: TestAuthority;
let clock: TestClock;
let tokens: EntraTokens;
beforeAll(async () => {
  authority = await startAuthority();
});
afterAll(() => authority[Symbol.asyncDispose]());
beforeEach(() => {
  clock = testClock();
  tokens = verifier();
});

const verifier = (change: Partial<ConstructorParameters<typeof EntraTokens>[0]> = {}) =>
  new EntraTokens({
    authority: authority.url,
    tenantIds: [authority.tenantId],
    audiences: [AUDIENCE],
    now: clock.now,
    ...change,
  });

const claims = (change: Record<string, unknown> = {}) => ({
  iss: authority.issuer,
  aud: AUDIENCE,
  tid: authority.tenantId,
  oid: SUBJECT,
  azp: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
  roles: [ROLES.client],
  nbf: now,
  iat: now,
  exp: now + 3600,
  ...change,
});
const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));

async function refusalOf(token: string, from = tokens): Promise<ProblemError> {
  const error = await from.verify(token).catch((thrown: unknown) => thrown);
  if (!(error instanceof ProblemError)) throw new Error(`Not refused: ${inspect(error)}`);
  return error;
}

describe('a token of the tenant', () => {
  test('names its caller, with the roles that this app knows', async () => {
    const token = await authority.sign(claims({ roles: ['Another.Role', ROLES.administrator, ROLES.client] }));
    expect(await tokens.verify(token)).toEqual({
      subject: SUBJECT,
      tenantId: authority.tenantId,
      roles: [ROLES.administrator, ROLES.client],
    });
  });

  test('without roles is of a caller without roles', async () => {
    expect((await tokens.verify(await authority.sign(without('roles')))).roles).toEqual([]);
  });

  test('holds a minute longer, and from a minute earlier, for clocks that differ', async () => {
    const token = await authority.sign(claims({ nbf: now + 59, exp: now + 100 }));
    await tokens.verify(token);
    clock.advance(159);
    await tokens.verify(token);
    clock.advance(2);
    expect((await refusalOf(token)).problem.detail).toBe('The token has expired.');
  });
});

describe('a token that was verified', () => {
  /** Each verification looks at the audiences once. */
  function counting() {
    let verifications = 0;
    const counted = new EntraTokens({
      authority: authority.url,
      tenantIds: [authority.tenantId],
      now: clock.now,
      get audiences() {
        verifications += 1;
        return [AUDIENCE];
      },
    });
    return { tokens: counted, verifications: () => verifications };
  }

  test('is remembered for a minute, then verified again', async () => {
    const { tokens: counted, verifications } = counting();
    const token = await authority.sign(claims());
    for (const seconds of [0, 59]) {
      clock.advance(seconds);
      await counted.verify(token);
    }
    expect(verifications()).toBe(1);
    clock.advance(1);
    await counted.verify(token);
    expect(verifications()).toBe(2);
  });

  test('is never remembered past its end', async () => {
    const { tokens: counted, verifications } = counting();
    const token = await authority.sign(claims({ exp: now + 10 }));
    await counted.verify(token);
    clock.advance(10);
    await counted.verify(token);
    expect(verifications()).toBe(2);
  });

  test('is not what one that is like it in all but its signature is', async () => {
    const token = await authority.sign(claims());
    await tokens.verify(token);
    expect((await refusalOf(`${token.slice(0, -8)}AAAAAAAA`)).problem.status).toBe(401);
  });
});

describe('refused with 401 and the reason', () => {
  const reasons: [string, Record<string, unknown>, RegExp][] = [
    ['another issuer', { iss: 'https://login.example/v2.0' }, /another issuer/],
    ["a v1 token's issuer", { iss: 'https://sts.windows.net/7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11/' }, /version 2\.0/],
    ['another audience', { aud: 'https://storage.azure.com' }, /another audience/],
    ['another tenant', { tid: '00000000-0000-0000-0000-000000000001' }, /tenant/],
    ['a token that has expired', { exp: now - 61 }, /expired/],
    ['a token that is not valid yet', { nbf: now + 61 }, /not valid yet/],
    ['an object id with a line break', { oid: 'a\r\nSet-Cookie: x' }, /object id/],
    ['an object id that is over-long', { oid: 'x'.repeat(129) }, /object id/],
    ['roles that are no list', { roles: 'RemoteRendering.Administrator' }, /roles/],
  ];
  test.each(reasons)('%s', async (_name, change, reason) => {
    const { problem } = await refusalOf(await authority.sign(claims(change)));
    expect(problem).toMatchObject({ status: 401, type: 'unauthenticated' });
    expect(problem.detail).toMatch(reason);
    expect(problem.headers?.['WWW-Authenticate']).toMatch(
      /^Bearer error="invalid_token", error_description="[\x20-\x7e]+"$/,
    );
  });

  test.each(['exp', 'nbf', 'oid', 'tid', 'iss', 'aud', 'azp'])('a token without %s', async (claim) => {
    expect((await refusalOf(await authority.sign(without(claim)))).problem.status).toBe(401);
  });

  test('a token of no algorithm', async () => {
    expect((await refusalOf(new UnsecuredJWT(claims()).encode())).problem.status).toBe(401);
  });

  test('a token that is signed with the public key as if it were a secret', async () => {
    const publicKey = await importJWK(authority.publicKey, 'RS256');
    if (publicKey instanceof Uint8Array) throw new Error('This is no key pair.');
    const pem = await exportSPKI(publicKey);
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: authority.kid })
      .sign(createSecretKey(Buffer.from(pem)));
    expect((await refusalOf(token)).problem.status).toBe(401);
    const [, payload] = token.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: authority.kid })).toString('base64url');
    const mac = createHmac('sha256', pem).update(`${header}.${payload}`).digest('base64url');
    expect((await refusalOf(`${header}.${payload}.${mac}`)).problem.status).toBe(401);
  });

  test.each(['../../etc/passwd', "' OR 1=1 --", 'unknown', ''])("somebody else's key under the kid %j", async (kid) => {
    const { privateKey } = await generateKeyPair('RS256');
    expect((await refusalOf(await authority.sign(claims(), { kid }, privateKey))).problem.status).toBe(401);
  });

  test("somebody else's key under the authority's kid, brought along in the header", async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const { exportJWK } = await import('jose');
    const header = { jwk: await exportJWK(publicKey), jku: `${authority.url}/mine` };
    expect((await refusalOf(await authority.sign(claims(), header, privateKey))).problem.status).toBe(401);
  });

  test('a token that is over-long, before anything of it is read', async () => {
    const asked = authority.keysAsked();
    const token = await authority.sign(claims({ padding: 'x'.repeat(20_000) }));
    expect((await refusalOf(token)).problem.detail).toMatch(/too long/);
    expect(authority.keysAsked()).toBe(asked);
  });

  test('whatever else it is given, and tells none of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 200 }), async (text) => {
        const { problem } = await refusalOf(text);
        expect(problem.status).toBe(401);
        if (text.length > 12) expect(JSON.stringify(problem)).not.toContain(text);
      }),
    );
  });
});

describe('an authority that does not answer', () => {
  test('is 503 for each of many callers', async () => {
    const fresh = verifier();
    authority.down = true;
    try {
      const asked = Array.from({ length: 3 }, async () => refusalOf(await authority.sign(claims()), fresh));
      for (const { problem } of await Promise.all(asked)) expect(problem.status).toBe(503);
    } finally {
      authority.down = false;
    }
  });

  test('is 503, and asked again by the next caller', async () => {
    const fresh = verifier();
    const token = await authority.sign(claims());
    authority.down = true;
    try {
      const { problem } = await refusalOf(token, fresh);
      expect(problem).toMatchObject({ status: 503, headers: { 'Retry-After': '5' } });
    } finally {
      authority.down = false;
    }
    expect((await fresh.verify(token)).subject).toBe(SUBJECT);
  });

  test('is asked for its keys once, however many callers wait', async () => {
    const fresh = verifier();
    const asked = authority.keysAsked();
    const signed = await Promise.all(
      Array.from({ length: 50 }, (_, index) => authority.sign(claims({ jti: `${index}` }))),
    );
    await Promise.all(signed.map((token) => fresh.verify(token)));
    expect(authority.keysAsked()).toBe(asked + 1);
  });
});
