import { HttpRequest } from '@azure/functions';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ROLES } from '#lib/api';
import { Callers, EntraTokens, ProblemError } from '#lib/http';
import { startAuthority, type TestAuthority } from '../../support/authority.ts';

const AUDIENCE = 'api://remote-rendering';
const SUBJECT = '3f0f0a52-7c8e-4f6e-8a45-5d0c8a1b2c3d';
const STS_CALLER = { subject: 'sts-subject', roles: [ROLES.client], tenantId: 'a-tenant', kid: 'STS-KEY' };

let authority: TestAuthority;
let revoked: Set<string>;
beforeAll(async () => {
  authority = await startAuthority();
});
afterAll(() => authority[Symbol.asyncDispose]());
beforeEach(() => {
  revoked = new Set();
});

function callers(platform = false): Callers {
  const tenantIds = [authority.tenantId];
  return new Callers({
    entra: new EntraTokens({ authority: authority.url, tenantIds, audiences: [AUDIENCE], now: () => new Date() }),
    platformTenantIds: platform ? tenantIds : undefined,
    verifySts: async (token) => {
      if (token !== 'a-token-of-the-sts') throw new Error('This is no token of the STS.');
      return STS_CALLER;
    },
    isRevoked: async (...targets) => targets.some((target) => revoked.has(target)),
  });
}

const request = (headers: Record<string, string>) =>
  new HttpRequest({ method: 'GET', url: 'https://app.test/', headers });
const bearer = (token: string) => request({ authorization: `Bearer ${token}` });

async function entraToken(roles: readonly string[] = [ROLES.client]): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    azp: 'an-app',
    iss: authority.issuer,
    aud: AUDIENCE,
    tid: authority.tenantId,
    oid: SUBJECT,
    roles: [...roles],
  };
  return await authority.sign({ ...claims, nbf: now, exp: now + 600 });
}

function principal(change: Record<string, unknown> = {}): string {
  const claims = [
    { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: SUBJECT },
    { typ: 'http://schemas.microsoft.com/identity/claims/tenantid', val: authority.tenantId },
    { typ: 'roles', val: ROLES.administrator },
    { typ: 'roles', val: 'Another.Role' },
  ];
  return Buffer.from(JSON.stringify({ auth_typ: 'aad', role_typ: 'roles', claims, ...change })).toString('base64');
}
const platformRequest = (value: string) => request({ 'x-ms-client-principal': value });

async function statusOf(identified: Promise<unknown>): Promise<number | undefined> {
  const error = await identified.catch((thrown: unknown) => thrown);
  return error instanceof ProblemError ? error.problem.status : undefined;
}

describe('a caller of our own routes', () => {
  test('comes with an access token of Microsoft Entra', async () => {
    expect(await callers().identify(bearer(await entraToken()))).toMatchObject({
      subject: SUBJECT,
      roles: [ROLES.client],
    });
  });

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a password', { authorization: 'Basic YWRhOnNlY3JldA==' }],
    ['two tokens', { authorization: 'Bearer a.b.c d.e.f' }],
    ['a token of our own STS', { authorization: 'Bearer a-token-of-the-sts' }],
  ])('is nobody with %s', async (_name, headers) => {
    expect(await statusOf(callers().identify(request(headers)))).toBe(401);
  });

  test("is nobody once they are revoked; the key of their token is everybody's, and stays", async () => {
    const asked = callers();
    const token = await entraToken();
    await asked.identify(bearer(token));
    revoked = new Set([SUBJECT]);
    expect(await statusOf(asked.identify(bearer(token)))).toBe(401);
    revoked = new Set([authority.kid]);
    await asked.identify(bearer(token));
  });
});

describe('the platform vouches for a caller', () => {
  test('where a setting says that it is in front', async () => {
    expect(await callers(true).identify(platformRequest(principal()))).toEqual({
      subject: SUBJECT,
      tenantId: authority.tenantId,
      roles: [ROLES.administrator],
    });
    expect(await statusOf(callers(false).identify(platformRequest(principal())))).toBe(401);
  });

  test('and a token is still one where it names nobody', async () => {
    expect((await callers(true).identify(bearer(await entraToken()))).subject).toBe(SUBJECT);
    expect(await statusOf(callers(true).identify(request({})))).toBe(401);
  });

  test.each<[string, () => string]>([
    ['what is no base64', () => '%%%'],
    ['what is no principal', () => Buffer.from('[]').toString('base64')],
    ['another identity provider', () => principal({ auth_typ: 'facebook' })],
    ['nobody in particular', () => principal({ claims: [{ typ: 'tid', val: authority.tenantId }] })],
    [
      'another tenant',
      () =>
        principal({
          claims: [
            { typ: 'oid', val: SUBJECT },
            { typ: 'tid', val: 'another' },
          ],
        }),
    ],
    ['an over-long header', () => principal({ padding: 'x'.repeat(20_000) })],
  ])('but not with %s', async (_name, value) => {
    expect(await statusOf(callers(true).identify(platformRequest(value())))).toBe(401);
  });

  test('but not for one who is revoked', async () => {
    revoked = new Set([SUBJECT]);
    expect(await statusOf(callers(true).identify(platformRequest(principal())))).toBe(401);
  });
});

describe("a caller of the retired service's routes", () => {
  test('comes with a token of our own STS, and with nothing else', async () => {
    expect(await callers().identifySts(bearer('a-token-of-the-sts'))).toEqual(STS_CALLER);
    await expect(callers().identifySts(bearer(await entraToken()))).rejects.toThrow('no token of the STS');
    expect(await statusOf(callers(true).identifySts(platformRequest(principal())))).toBe(401);
    revoked = new Set(['STS-KEY']);
    expect(await statusOf(callers().identifySts(bearer('a-token-of-the-sts')))).toBe(401);
  });
});
