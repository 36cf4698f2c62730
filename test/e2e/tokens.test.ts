import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { ROLES, stsTokenAnswer } from '#lib/api';
import { MixedRealityStsClient } from '#lib/sts';
import { type Answer, problemOf, startTestStack, type TestStack } from '../support/e2e-stack.ts';

vi.setConfig({ testTimeout: 60_000 });

let stack: TestStack;
let key: string;
beforeAll(async () => {
  stack = await startTestStack({ TOKEN_REQUESTS_PER_MINUTE: '1000' });
  key = await readFile(stack.endpoints.accountKeyFile, 'utf8');
});
afterAll(() => stack[Symbol.asyncDispose]());

const ask = async (from: TestStack, role: 'client' | 'administrator', name: string, body?: unknown): Promise<Answer> =>
  await from.call('POST', '/api/tokens/sts', { token: await from.tokenFor(role, name), body });
const answered = ({ status, body }: Answer) => {
  expect(status, JSON.stringify(body)).toBe(200);
  return stsTokenAnswer.parse(body);
};
const appHttps = (from: TestStack) => from.endpoints.appHttps ?? '';

describe('POST /api/tokens/sts', () => {
  test('mints for the caller and the role of the caller, and what it mints verifies by the published keys', async () => {
    const { token, expiresOn, ...said } = answered(await ask(stack, 'client', 'cleo'));
    const { accountId, accountDomain } = stack.endpoints;
    const subject = await stack.subjectOf('cleo');
    expect(said).toEqual({ accountId, accountDomain, role: ROLES.client, subject, shared: false });

    const keys = createRemoteJWKSet(new URL(`${appHttps(stack)}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer: `https://sts.${accountDomain}/`,
      audience: `https://remoterendering.${accountDomain}/`,
    });
    expect(protectedHeader).toMatchObject({
      typ: 'JWT',
      kid: expect.stringMatching(/^[0-9A-F]{40}$/),
      x5t: expect.any(String),
    });
    expect(payload).toMatchObject({
      aid: accountId,
      cai: expect.any(String),
      sub: subject,
      roles: [ROLES.client],
      aao: -1,
      att: 'Default',
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(86_400);
    expect(payload.nbf).toBe(payload.iat);
    expect(new Date(expiresOn).getTime()).toBe((payload.exp ?? 0) * 1000);
  });

  test('gives an Administrator the wider role, or the narrower one that is asked for; and nobody more than they have', async () => {
    expect(answered(await ask(stack, 'administrator', 'ada')).role).toBe(ROLES.administrator);
    const narrower = answered(await ask(stack, 'administrator', 'ada', { role: ROLES.client }));
    expect(decodeJwt(narrower.token)['roles']).toEqual([ROLES.client]);
    const wider = await ask(stack, 'client', 'cleo', { role: ROLES.administrator });
    expect(wider.status).toBe(403);
    expect(problemOf(wider).detail).toContain(ROLES.administrator);
  });

  test('gives the same caller the same token again, and nobody else', async () => {
    const [one, again, other] = [
      await ask(stack, 'client', 'ida'),
      await ask(stack, 'client', 'ida'),
      await ask(stack, 'client', 'ivo'),
    ];
    expect(answered(again).token).toBe(answered(one).token);
    expect(answered(other).token).not.toBe(answered(one).token);
  });

  test.each([{ role: 'Owner' }, { subject: 'somebody' }, { role: ROLES.client, userId: 'x' }, [[]], 'text'])(
    'takes no subject, and no role that is none: %j',
    async (body) => {
      expect((await ask(stack, 'administrator', 'ada', body)).status).toBe(400);
    },
  );

  test('is for callers of Microsoft Entra: neither its own tokens nor a key are let in', async () => {
    const { token } = answered(await ask(stack, 'administrator', 'ada'));
    for (const credential of [token, `${stack.endpoints.accountId}:${key}`]) {
      expect((await stack.call('POST', '/api/tokens/sts', { token: credential })).status).toBe(401);
    }
  });
});

describe('GET /accounts/{accountId}/token', () => {
  const at = (path: string, credential: string | null) => stack.call('GET', path, { token: credential });
  const path = () => `/accounts/${stack.endpoints.accountId}/token`;
  const withKey = () => `${stack.endpoints.accountId}:${key}`;
  const token = z.strictObject({ AccessToken: z.string() });

  test('answers a key of the account as the retired service did, whatever the case of the path', async () => {
    for (const spelled of [
      `${path()}?api-version=2019-02-28-preview`,
      path().toUpperCase().replace('TOKEN', 'Token'),
    ]) {
      const answer = await at(spelled, withKey());
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'cache-control': 'no-store,no-cache',
        'content-type': 'application/json; charset=utf-8',
        'ms-cv': expect.stringMatching(/^[A-Za-z0-9+/]{22}\.0$/),
        pragma: 'no-cache',
        'x-content-type-options': 'nosniff',
      });
      const claims = decodeJwt(token.parse(answer.body).AccessToken);
      expect(claims).toMatchObject({ roles: [ROLES.administrator], tid: '00000000-0000-0000-0000-000000000000' });
    }
  });

  test('answers an access token of Microsoft Entra with the role that it carries', async () => {
    for (const [name, role] of [
      ['client', ROLES.client],
      ['administrator', ROLES.administrator],
    ] as const) {
      const answer = await at(path(), await stack.applicationToken(name));
      expect(decodeJwt(token.parse(answer.body).AccessToken)).toMatchObject({
        roles: [role],
        tid: stack.endpoints.tenantId,
      });
    }
  });

  test('refuses with a status and nothing else', async () => {
    const refusals: [string, string, string | null, number][] = [
      ['nothing', path(), null, 401],
      ['a wrong key', path(), `${stack.endpoints.accountId}:${key.slice(0, -4)}AAA=`, 401],
      ['no key', path(), `${stack.endpoints.accountId}:`, 401],
      ["another account's key", path(), `11111111-2222-4333-8444-555555555555:${key}`, 401],
      ['an over-long key', path(), `${stack.endpoints.accountId}:${'x'.repeat(9000)}`, 401],
      ['a token that is none', path(), 'a.b.c', 401],
      ['a caller without a role', path(), await stack.applicationToken('no-roles'), 403],
      [
        'another account',
        '/accounts/11111111-2222-4333-8444-555555555555/token',
        await stack.tokenFor('client', 'cleo'),
        404,
      ],
    ];
    for (const [name, where, credential, status] of refusals) {
      const answer = await at(where, credential);
      expect(answer.status, name).toBe(status);
      expect(answer.body, name).toBeUndefined();
      expect(answer.headers.get('content-length'), name).toBe('0');
      expect(answer.headers.get('ms-cv'), name).toMatch(/\.0$/);
      expect(answer.headers.get('www-authenticate'), name).toBeNull();
    }
  });

  test('serves the client library over HTTPS: a key, and a credential of Microsoft Entra', async () => {
    const { accountId, accountDomain } = stack.endpoints;
    const options = { authenticationEndpointUrl: appHttps(stack) };
    const byKey = await new MixedRealityStsClient(accountId, accountDomain, { key }, options).getToken();
    expect(byKey.expiresOn.getTime()).toBeGreaterThan(Date.now() + 86_000_000);
    const credential = {
      getToken: async () => ({
        token: await stack.tokenFor('client', 'cleo'),
        expiresOnTimestamp: Date.now() + 60_000,
      }),
    };
    const byToken = await new MixedRealityStsClient(accountId, accountDomain, credential, options).getToken();
    expect(decodeJwt(byToken.token)['roles']).toEqual([ROLES.client]);
    await expect(
      new MixedRealityStsClient(accountId, accountDomain, { key: `${key}x` }, options).getToken(),
    ).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('is reached under the name that clients make of the domain', async () => {
    const { accountId, accountDomain } = stack.endpoints;
    const url = new URL(`https://sts.${accountDomain}/accounts/${accountId}/token`);
    // The name needs no resolver here; its certificate is what counts.
    const status = await new Promise((resolve, reject) =>
      request(url, {
        headers: { authorization: `Bearer ${withKey()}` },
        lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]),
      })
        .on('response', (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(200);
  });

  test('signs with another key within seconds of the revocation of its own, which is published no more', async () => {
    const before = token.parse((await at(path(), withKey())).body).AccessToken;
    const { kid = '' } = decodeProtectedHeader(before);
    expect((await stack.call('PUT', `/api/revocations/${kid}`)).status).toBe(201);
    const after = await vi.waitFor(async () => {
      const { AccessToken } = token.parse((await at(path(), withKey())).body);
      expect(decodeProtectedHeader(AccessToken).kid).not.toBe(kid);
      return AccessToken;
    }, 5000);
    const published = z.object({ keys: z.array(z.object({ kid: z.string() })) });
    const { keys } = published.parse((await stack.call('GET', '/.well-known/jwks.json', { token: null })).body);
    expect(keys.map((each) => each.kid)).not.toContain(kid);
    expect(keys.map((each) => each.kid)).toContain(decodeProtectedHeader(after).kid);
    expect((await stack.call('DELETE', `/api/revocations/${kid}`)).status).toBe(204);
  });
});

describe('rate limits', () => {
  test('let so many a minute through for each caller, and tell the others when to come again', async () => {
    await using limited = await startTestStack({ TOKEN_REQUESTS_PER_MINUTE: '6' });
    const token = await limited.tokenFor('client', 'cleo');
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await limited.call('POST', '/api/tokens/sts', { token })).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    expect(statuses.filter((status) => status === 200).length).toBeLessThan(20);
    const refused = await limited.call('POST', '/api/tokens/sts', { token });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(problemOf(refused).type).toBe('/problems/too-many-requests');
    answered(await ask(limited, 'client', 'ivo'));

    const account = `/accounts/${limited.endpoints.accountId}/token`;
    const over = await limited.call('GET', account, { token });
    expect([over.status, over.body]).toEqual([429, undefined]);
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });
});

describe('an account elsewhere, at a second suite that knows ours by its managed identity', () => {
  const elsewhere = async (identity: string, more: Record<string, string> = {}) => {
    const { managedIdentity } = await stack.applications();
    return await startTestStack(
      {
        IDENTITY_ENDPOINT: managedIdentity.endpoint,
        IDENTITY_HEADER: managedIdentity.header,
        AZURE_CLIENT_ID: managedIdentity.identities.find(({ name }) => name === identity)?.clientId ?? '',
        MIXEDREALITY_ACCOUNT_ID: stack.endpoints.accountId,
        MIXEDREALITY_ACCOUNT_DOMAIN: stack.endpoints.accountDomain,
        MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL: appHttps(stack),
        ...more,
      },
      { certificatesOf: stack },
    );
  };

  test('gives every caller the one token that the suite obtained, as a Client, and says so', async () => {
    await using ours = await elsewhere('rendering-client');
    const [one, other] = [
      answered(await ask(ours, 'client', 'cleo')),
      answered(await ask(ours, 'administrator', 'ada')),
    ];
    const { accountId, accountDomain } = stack.endpoints;
    expect(one).toMatchObject({ accountId, accountDomain, role: ROLES.client, subject: null, shared: true });
    expect(other.token).toBe(one.token);
    const keys = createRemoteJWKSet(new URL(`${appHttps(stack)}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(one.token, keys, { issuer: `https://sts.${accountDomain}/` });
    expect(payload['roles']).toEqual([ROLES.client]);
    expect((await ask(ours, 'administrator', 'ada', { role: ROLES.administrator })).status).toBe(403);
    expect(
      (await ours.call('POST', '/api/tokens/sts', { token: await ours.applicationToken('no-roles') })).status,
    ).toBe(403);
  });

  test('passes nothing on that can do more than a Client: a key is an Administrator there', async () => {
    await using ours = await elsewhere('rendering-client', { MIXEDREALITY_ACCOUNT_KEY: key });
    const answer = await ask(ours, 'client', 'cleo');
    expect(answer.status).toBe(502);
    expect(problemOf(answer).type).toBe('/problems/token-too-wide');
    expect(JSON.stringify(answer.body)).not.toContain(key);
    expect(ours.log().filter((line) => line.includes('MIXEDREALITY_ACCOUNT_KEY'))).not.toHaveLength(0);
    expect(ours.log().join('\n')).not.toContain(key);
  });

  test('tells that the identity has no role there', async () => {
    await using ours = await elsewhere('no-roles');
    const answer = await ask(ours, 'client', 'cleo');
    expect(answer.status).toBe(502);
    expect(problemOf(answer).detail).toMatch(/role/);
  });
});
