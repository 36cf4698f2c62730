import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { decodeJwt, exportSPKI, type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { ROLES } from '#lib/api';
import { createStsIssuer, type PublicJwk, type StsError, type StsIssuer, type TokenSigner } from '#lib/sts';
import { type FileSignerGround, signerGround } from './signer-ground.ts';

const ACCOUNT = '0f8fad5b-d9cb-469f-a165-70867728950e';
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const LIFETIME = 3600;

const keyFile = z.object({ keys: z.tuple([z.object({ privateKey: z.string() })]) });

let ground: FileSignerGround;
let signer: TokenSigner;
let issuer: StsIssuer;
let ours: PublicJwk;
let good: string;
/** Our own private key, as only we have it. */
let own: KeyObject;
/** The claims of a good token: each test spoils some. */
let claims: JWTPayload;

beforeAll(async () => {
  ground = await signerGround(LIFETIME);
  signer = ground.signer();
  await signer.publicKeys();
  own = createPrivateKey(keyFile.parse(JSON.parse(await readFile(ground.path, 'utf8'))).keys[0].privateKey);
});
afterAll(() => ground[Symbol.asyncDispose]());

beforeEach(async () => {
  issuer = issuerFor(ACCOUNT, 'example.org');
  good = (await issuer.issue({ subject: 'ada', role: ROLES.client })).token;
  claims = decodeJwt(good);
  const [only] = await signer.publicKeys();
  ours = only ?? expect.unreachable('There is no key.');
});

const issuerFor = (accountId: string, accountDomain: string) =>
  createStsIssuer({
    accountId,
    accountDomain,
    region: 'test',
    lifetimeSeconds: LIFETIME,
    signer,
    now: ground.now,
    newId: randomUUID,
  });

/** Sees a token refused as what it is, without any of it in the error. */
async function refused(token: string): Promise<string> {
  const error: StsError = await issuer.verify(token).then(
    () => expect.unreachable('The token was accepted.'),
    (reason) => reason,
  );
  expect(error).toMatchObject({ name: 'StsError', code: 'invalid_token' });
  const shown = `${inspect(error, { depth: 10, showHidden: true })}${JSON.stringify(error)}`;
  for (const part of token.split('.').filter(({ length }) => length > 12)) expect(shown).not.toContain(part);
  expect(shown).not.toContain('ada');
  return error.message;
}

const theirs = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' });
const signedBy = (key: KeyObject, header: Partial<JWTHeaderParameters>, payload = claims) =>
  new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: ours.kid, x5t: ours.x5t, typ: 'JWT', ...header })
    .sign(key);

it('takes the token that all the others here are spoiled from', async () => {
  expect(await issuer.verify(good)).toMatchObject({ subject: 'ada', role: ROLES.client });
});

describe('an algorithm that is not RS256', () => {
  it('is refused: none', async () => {
    const [, payload, signature] = good.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: ours.kid, typ: 'JWT' })).toString('base64url');
    await refused(new UnsecuredJWT(claims).encode());
    await refused(`${none}.${payload}.`);
    expect(await refused(`${none}.${payload}.${signature}`)).toContain('it is not signed by RS256');
  });

  it('is refused: HS256 with the public key as its secret, in every form that the key is published', async () => {
    const publicKey = createPublicKey({ key: { kty: ours.kty, n: ours.n, e: ours.e }, format: 'jwk' });
    const forms = [
      await exportSPKI(publicKey),
      (await exportSPKI(publicKey)).trim(),
      publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(ours),
      ours.n,
    ];
    for (const secret of forms) {
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: ours.kid, typ: 'JWT' })
        .sign(Buffer.from(secret));
      expect(await refused(token)).toContain('it is not signed by RS256');
    }
  });

  it('is refused: another of RSA, though with our own key', async () => {
    for (const alg of ['PS256', 'RS384', 'RS512']) {
      expect(await refused(await signedBy(own, { alg }))).toContain('it is not signed by RS256');
    }
  });
});

describe('a key that is not ours', () => {
  it('is refused under our kid', async () => {
    expect(await refused(await signedBy(theirs.privateKey, {}))).toContain('its signature does not fit');
  });

  it('is refused under its own kid', async () => {
    const spki = theirs.publicKey.export({ type: 'spki', format: 'der' });
    const kid = createHash('sha1').update(spki).digest('hex').toUpperCase();
    expect(await refused(await signedBy(theirs.privateKey, { kid }))).toContain('a key that is not ours');
  });

  test.each([
    '',
    '../../../../dev/null',
    '/proc/self/environ',
    "' UNION SELECT 'key",
    'https://evil.example/keys',
    '__proto__',
    'constructor',
    'x'.repeat(5000),
    '\r\nSet-Cookie: a=b',
  ])('is not looked up under the kid %.30j', async (kid) => {
    expect(await refused(await signedBy(theirs.privateKey, { kid }))).toContain('a key that is not ours');
  });

  it('is not looked up under a kid that is no text, or is left out', async () => {
    const [, payload, signature] = good.split('.');
    for (const header of [{ kid: [ours.kid] }, { kid: { toString: 1 } }, { kid: 1 }, { kid: null }, {}]) {
      const encoded = Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'JWT', ...header })).toString('base64url');
      await refused(`${encoded}.${payload}.${signature}`);
    }
  });

  it('is not taken out of the header, nor fetched from where that points to', async () => {
    const jwk = jwkOf(theirs.publicKey);
    const url = 'https://127.0.0.1:1/keys';
    const injections = [
      { jwk },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { jwk, kid: '' },
      { jku: url, kid: 'F'.repeat(40) },
    ];
    for (const header of injections) await refused(await signedBy(theirs.privateKey, header));
  });
});

describe('claims that are not ours', () => {
  const resigned = (changed: JWTPayload) => signer.sign({ ...claims, ...changed });
  const now = () => ground.now().getTime() / 1000;

  test.each([
    ['iss', 'https://sts.example.com/'],
    ['iss', 'https://sts.example.org'],
    ['iss', ''],
    ['iss', undefined],
    ['aud', 'https://remoterendering.example.com/'],
    ['aud', 'https://sts.example.org/'],
    ['aud', []],
    ['aud', undefined],
    ['aid', OTHER],
    ['aid', ACCOUNT.toUpperCase()],
    ['aid', undefined],
    ['sub', ''],
    ['sub', undefined],
    ['tid', 'tenant'],
    ['roles', undefined],
    ['roles', []],
    ['roles', 'RemoteRendering.Administrator'],
    ['roles', ['Administrator']],
    ['roles', ['remoterendering.administrator']],
    ['roles', ['RemoteRendering.Client', 'RemoteRendering.Administrator']],
    ['exp', undefined],
    ['nbf', undefined],
    ['iat', undefined],
    ['exp', '9999999999'],
  ])('are refused: %s = %j', async (claim, value) => {
    const message = await refused(await resigned({ [claim]: value }));
    expect(message).toMatch(claim === 'aid' ? /another account/ : new RegExp(`${claim} is not as we issue it`));
  });

  it('are refused from another account of the same keys', async () => {
    await refused((await issuerFor(OTHER, 'example.org').issue({ subject: 'ada', role: ROLES.client })).token);
    await refused((await issuerFor(ACCOUNT, 'example.com').issue({ subject: 'ada', role: ROLES.client })).token);
  });

  it('are refused after their time, with half a minute for clocks that differ', async () => {
    expect(await issuer.verify(await resigned({ exp: now() - 29 }))).toMatchObject({ subject: 'ada' });
    expect(await refused(await resigned({ exp: now() - 30 }))).toContain('it has expired');
    expect(await refused(await resigned({ exp: now() - 1e6 }))).toContain('it has expired');
  });

  it('are refused before their time, with half a minute for clocks that differ', async () => {
    expect(await issuer.verify(await resigned({ nbf: now() + 30 }))).toMatchObject({ subject: 'ada' });
    expect(await refused(await resigned({ nbf: now() + 31 }))).toContain('it is not valid yet');
  });
});

describe('what is no token at all', () => {
  it('is refused, changed in any of its parts', async () => {
    const [header = '', payload = '', signature = ''] = good.split('.');
    const other = Buffer.from(JSON.stringify({ ...claims, roles: [ROLES.administrator] })).toString('base64url');
    expect(await refused(`${header}.${other}.${signature}`)).toContain('its signature does not fit');
    await refused(`${header}.${payload}.${signature.slice(4)}`);
    await refused(`${header}.${payload}.${signature.replace(/^..../, 'AAAA')}`);
    await refused(`${header.slice(0, -4)}.${payload}.${signature}`);
    await refused(`${payload}.${header}.${signature}`);
    await refused(`${good}.${signature}`);
  });

  test.each(['', ' ', '..', 'a.b.c', 'Bearer a.b.c', 'a.b.c\r\nX: y', 'null', '{}', '\0'])(
    'is refused: %j',
    async (text) => {
      await refused(text);
    },
  );

  it('is refused over-long, before anything of it is decoded', async () => {
    const long = await signedBy(theirs.privateKey, {}, { ...claims, blob: 'x'.repeat(20_000) });
    expect(await refused(long)).toContain('it is no signed token');
    expect(await refused('a.'.repeat(1_000_000))).toContain('it is no signed token');
  });

  it('is refused where it wants what we do not know, or is a token of another type, though we signed it', async () => {
    const signed = (header: object) => {
      const encoded = Buffer.from(JSON.stringify({ alg: 'RS256', kid: ours.kid, typ: 'JWT', ...header }));
      const signing = `${encoded.toString('base64url')}.${good.split('.')[1]}`;
      return `${signing}.${sign('RSA-SHA256', Buffer.from(signing), own).toString('base64url')}`;
    };
    expect(await issuer.verify(signed({}))).toMatchObject({ subject: 'ada' });
    for (const header of [
      { crit: ['x'], x: 1 },
      { crit: [] },
      { typ: 'at+jwt' },
      { typ: undefined },
      { crit: ['b64'], b64: false },
    ]) {
      await refused(signed(header));
    }
  });
});
