import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { ROLES } from '#lib/api';
import { createStsIssuer, type StsIssuer, type TokenSigner } from '#lib/sts';
import { type FileSignerGround, signerGround } from './signer-ground.ts';

const ACCOUNT = '0F8FAD5B-d9cb-469f-a165-70867728950e';
const TENANT = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const LIFETIME = 3600;
const ada = { subject: 'ada', role: ROLES.client, tenantId: TENANT };

let ground: FileSignerGround;
let signer: TokenSigner;
let signed: number;
let issuer: StsIssuer;

beforeEach(async () => {
  ground = await signerGround(LIFETIME);
  signer = ground.signer();
  signed = 0;
  issuer = issuerOf();
});
afterEach(() => ground[Symbol.asyncDispose]());

function issuerOf(): StsIssuer {
  const counting: TokenSigner = {
    publicKeys: () => signer.publicKeys(),
    publicKey: (kid) => signer.publicKey(kid),
    sign: (claims) => {
      signed += 1;
      return signer.sign(claims);
    },
  };
  return createStsIssuer({
    accountId: ACCOUNT,
    accountDomain: 'eastus.example:8443',
    lifetimeSeconds: LIFETIME,
    signer: counting,
    now: ground.now,
    newId: randomUUID,
  });
}

describe('an issued token', () => {
  it('carries the claims of the retired service, and whom it is for', async () => {
    const { token, expiresOn } = await issuer.issue(ada);
    const issuedAt = ground.now().getTime() / 1000;
    const accountId = ACCOUNT.toLowerCase();
    expect(decodeJwt(token)).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      cai: accountId,
      tid: TENANT,
      aid: accountId,
      aao: -1,
      apr: 'eastus',
      rid: expect.stringMatching(
        /^\/subscriptions\/[0-9-]{36}\/resourceGroups\/eastus\/providers\/Microsoft\.MixedReality\/remoteRenderingAccounts\//,
      ),
      att: 'Default',
      nbf: issuedAt,
      iat: issuedAt,
      exp: issuedAt + LIFETIME,
      iss: 'https://sts.eastus.example:8443/',
      aud: 'https://remoterendering.eastus.example:8443/',
      sub: 'ada',
      roles: ['RemoteRendering.Client'],
    });
    expect(expiresOn).toEqual(new Date((issuedAt + LIFETIME) * 1000));
  });

  it('is good for whoever knows nothing but the published keys', async () => {
    const { token } = await issuer.issue(ada);
    const keys = createLocalJWKSet({ keys: (await signer.publicKeys()).map((key) => ({ ...key })) });
    const { payload } = await jwtVerify(token, keys, { currentDate: ground.now() });
    expect(payload.sub).toBe('ada');
  });

  it('names no tenant where the way in was a key', async () => {
    const { token } = await issuer.issue({ subject: 'key', role: ROLES.administrator });
    expect(decodeJwt(token)).toMatchObject({ tid: '00000000-0000-0000-0000-000000000000' });
  });

  it('is verified as what was asked for', async () => {
    const { token, expiresOn } = await issuer.issue(ada);
    const { kid } = decodeProtectedHeader(token);
    expect(await issuer.verify(token)).toEqual({ ...ada, kid, expiresOn });
    expect(await issuerOf().verify(token)).toEqual({ ...ada, kid, expiresOn });
  });

  test.each(['', 'x'.repeat(257)])('is not made for the subject %.10j', async (subject) => {
    await expect(issuer.issue({ ...ada, subject })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('keeps a subject with line breaks and quotes as it is', async () => {
    const subject = 'ada\r\nrole: "admin"';
    expect((await issuer.verify((await issuer.issue({ ...ada, subject })).token)).subject).toBe(subject);
  });
});

describe('the same caller', () => {
  it('gets the same token until half of its life is over', async () => {
    const first = await issuer.issue(ada);
    ground.pass(LIFETIME / 2 - 1);
    expect(await issuer.issue(ada)).toEqual(first);
    ground.pass(1);
    const second = await issuer.issue(ada);
    expect(second.token).not.toBe(first.token);
    expect(signed).toBe(2);
  });

  it('shares one token with itself at the same moment, at first and at every renewal', async () => {
    for (const round of [1, 2, 3]) {
      const tokens = await Promise.all(Array.from({ length: 1000 }, () => issuer.issue(ada)));
      expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
      expect(signed).toBe(round);
      ground.pass(LIFETIME / 2);
    }
  });

  it('shares none with another subject, role or tenant', async () => {
    const others = [
      ada,
      { ...ada, subject: 'bob' },
      { ...ada, role: ROLES.administrator },
      { ...ada, tenantId: undefined },
      { ...ada, subject: 'ada","RemoteRendering.Client' },
    ];
    const tokens = await Promise.all(others.map((request) => issuer.issue(request)));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(others.length);
  });

  it('gets a new token once the key of the old one is revoked, and the old one is refused', async () => {
    const first = await issuer.issue(ada);
    ground.revoke(decodeProtectedHeader(first.token).kid ?? '');
    ground.pass(2);
    const tokens = await Promise.all(Array.from({ length: 100 }, () => issuer.issue(ada)));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
    expect(signed).toBe(2);
    await expect(issuer.verify(first.token)).rejects.toMatchObject({ code: 'invalid_token' });
    expect((await issuer.verify(tokens[0]?.token ?? '')).subject).toBe('ada');
  });

  it('is tried again after a signer that failed', async () => {
    const working = signer;
    signer = { ...working, sign: () => Promise.reject(new Error('The disk is full.')) };
    await expect(Promise.all([issuer.issue(ada), issuer.issue(ada)])).rejects.toThrow('The disk is full.');
    signer = working;
    expect((await issuer.verify((await issuer.issue(ada)).token)).subject).toBe('ada');
  });

  it('is forgotten after 10,000 others, not before', async () => {
    signer = { ...signer, sign: async ({ sub }) => `${'e30'}.${Buffer.from(String(sub)).toString('base64url')}.e30` };
    signer = { ...signer, publicKey: async (kid) => (await ground.signer().publicKeys()).find(() => kid === '') };
    await issuer.issue(ada);
    const others = (count: number, from = 0) =>
      Promise.all(Array.from({ length: count }, (_, index) => issuer.issue({ ...ada, subject: `${from + index}` })));
    await others(9_999);
    await issuer.issue(ada);
    expect(signed).toBe(10_000);
    await others(1, 9_999);
    await issuer.issue(ada);
    expect(signed).toBe(10_002);
  });
});
