import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { signDevelopmentToken } from '../../../infra/local/identity/index.ts';
import { APP, type IdentityProcess, LOOPBACK, STORAGE, startIdentity, tokenAnswer } from './identity-process.ts';

const refusal = z.object({ error: z.string(), error_description: z.string(), error_codes: z.array(z.number()) });

let server: IdentityProcess;
beforeAll(async () => {
  server = await startIdentity();
});
afterAll(() => server.stop());

describe('the token endpoint', () => {
  const form = () => {
    const { clientId, clientSecret } = server.applicationOf('client');
    return {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${APP}/.default`,
    };
  };
  const post = (body: Record<string, string>, headers: Record<string, string> = {}, tenant = server.known.tenantId) =>
    fetch(`${server.authority}/${tenant}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams(body),
      headers,
    });
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
  });

  test('gives a token for an hour, which nobody may store', async () => {
    const response = await post(form());
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('no-store');
    const body = tokenAnswer.parse(await response.json());
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599 });
    const { exp = 0, iat = 0 } = decodeJwt(body.access_token);
    expect(exp - iat).toBe(3600);
  });

  test('takes the secret by HTTP Basic too', async () => {
    const { client_id, client_secret, ...rest } = form();
    expect((await post(rest, basic(client_id, client_secret))).status).toBe(200);
    const wrong = await post(rest, basic(client_id, 'wrong'));
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toContain('Basic');
  });

  test('repeats the request id of the client', async () => {
    const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
    const response = await post({ ...form(), client_secret: 'wrong' }, { 'client-request-id': id });
    expect(await response.json()).toMatchObject({
      correlation_id: id,
      trace_id: expect.stringMatching(/^[\da-f-]{36}$/),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
    });
  });

  test.each([
    [400, 'invalid_request', 900144, { grant_type: undefined }],
    [400, 'unsupported_grant_type', 70003, { grant_type: 'password' }],
    [400, 'invalid_request', 900144, { client_id: undefined }],
    [400, 'unauthorized_client', 700016, { client_id: 'somebody' }],
    [401, 'invalid_client', 7000218, { client_secret: undefined }],
    [401, 'invalid_client', 7000218, { client_secret: '' }],
    [401, 'invalid_client', 7000215, { client_secret: 'wrong' }],
    [400, 'invalid_request', 900144, { scope: undefined }],
    [400, 'invalid_scope', 1002012, { scope: APP }],
    [400, 'invalid_scope', 1002012, { scope: `${APP}/.default ${STORAGE}/.default` }],
    [400, 'invalid_resource', 500011, { scope: '/.default' }],
    [400, 'invalid_resource', 500011, { scope: 'https://unknown.example/.default' }],
  ])('answers %i %s (%i) to %j', async (status, error, code, changes) => {
    const entries = Object.entries({ ...form(), ...changes }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    const response = await post(Object.fromEntries(entries));
    expect(response.status).toBe(status);
    const body = refusal.parse(await response.json());
    expect(body).toMatchObject({ error, error_codes: [code] });
    expect(body.error_description).toMatch(new RegExp(`^AADSTS${code}: `));
  });

  test.each([
    ['Bearer something', 401],
    ['Basic !!!', 401],
    [`Basic ${Buffer.from('%ZZ:%').toString('base64')}`, 401],
  ])('refuses the Authorization header %j', async (authorization, status) => {
    const { grant_type, scope } = form();
    expect((await post({ grant_type, scope }, { authorization })).status).toBe(status);
  });

  test('refuses two ways to authenticate at once', async () => {
    const { client_id, client_secret } = form();
    expect((await post(form(), basic(client_id, client_secret))).status).toBe(400);
  });

  test('is there for its tenant alone', async () => {
    for (const tenant of ['common', 'c0ffee00-0000-4000-8000-000000000000']) {
      const response = await post(form(), {}, tenant);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
    }
    expect((await post(form(), {}, server.known.tenantId.toUpperCase())).status).toBe(200);
  });

  test('reads no more of a body than 64 KiB', async () => {
    expect((await post({ ...form(), more: 'x'.repeat(65_536) })).status).toBe(413);
    expect((await post(form())).status).toBe(200);
  });
});

describe('what the authority says about itself', () => {
  const json = async (path: string) => (await fetch(`${server.authority}${path}`)).json();

  test.each(['/{tenant}/v2.0', '/{tenant}', '', '/common/v2.0', '/organizations/v2.0'])(
    'is at %s/.well-known/openid-configuration',
    async (base) => {
      const path = `${base.replace('{tenant}', server.known.tenantId)}/.well-known/openid-configuration`;
      const tenant = `${server.authority}/${server.known.tenantId}`;
      expect(await json(path)).toMatchObject({
        issuer: `${tenant}/v2.0`,
        token_endpoint: `${tenant}/oauth2/v2.0/token`,
        authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
        jwks_uri: `${tenant}/discovery/v2.0/keys`,
      });
    },
  );

  test('has public keys alone', async () => {
    const { keys } = z
      .object({ keys: z.array(z.record(z.string(), z.string())) })
      .parse(await json(`/${server.known.tenantId}/discovery/v2.0/keys`));
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'e', 'issuer', 'kid', 'kty', 'n', 'use']]);
    expect(keys[0]).toMatchObject({ kty: 'RSA', use: 'sig', kid: server.known.signingKey.id });
  });

  test('names itself alone in instance discovery', async () => {
    const { host } = new URL(server.authority);
    expect(await json('/common/discovery/instance?api-version=1.1')).toEqual({
      tenant_discovery_endpoint: `${server.authority}/${server.known.tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    });
  });

  test.each(LOOPBACK)('is there on %s', async (address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    const { port } = new URL(server.authority);
    const response = await fetch(`https://${host}:${port}/.well-known/openid-configuration`);
    expect(await response.json()).toMatchObject({ issuer: `${server.authority}/${server.known.tenantId}/v2.0` });
  });

  test.each([
    '/',
    '/nothing',
    '/{tenant}',
    '/{tenant}/oauth2/v2.0/token',
    '/{tenant}/oauth2/v2.0/authorize',
    '//',
    '/%',
  ])('has nothing at GET %s', async (path) => {
    const response = await fetch(`${server.authority}${path.replace('{tenant}', server.known.tenantId)}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: 'not_found' });
  });
});

test("A development token is a user's, and verifies like any other", async () => {
  const make = (name: string, role: 'client' | 'administrator') =>
    signDevelopmentToken({
      directory: server.directory,
      authority: server.authority,
      tenantId: server.known.tenantId,
      role,
      name,
      audience: APP,
      lifetimeSeconds: 60,
      now: new Date(),
    });
  const keys = createRemoteJWKSet(new URL(`${server.authority}/${server.known.tenantId}/discovery/v2.0/keys`));
  const { payload } = await jwtVerify(await make('ada', 'administrator'), keys, {
    issuer: `${server.authority}/${server.known.tenantId}/v2.0`,
    audience: APP,
  });
  expect(payload).toMatchObject({
    name: 'ada',
    preferred_username: 'ada@local',
    roles: ['RemoteRendering.Administrator'],
    scp: 'access_as_user',
    idtyp: 'user',
    ver: '2.0',
    tid: server.known.tenantId,
    oid: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
  });
  expect(decodeJwt(await make('ada', 'client'))['oid']).toBe(payload['oid']);
  expect(decodeJwt(await make('bob', 'client'))['oid']).not.toBe(payload['oid']);
});
