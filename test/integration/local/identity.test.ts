import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningChild } from '../../../infra/local/child-process.ts';
import { prepareIdentity } from '../../../infra/local/identity/index.ts';
import { temporaryDirectory } from '../../support/stack.ts';
import { type AzureIdentityJob, askForToken } from './azure-identity.ts';
import {
  APP,
  HEADER,
  type IdentityProcess,
  LOOPBACK,
  STORAGE,
  STS,
  startIdentity,
  tokenAnswer,
} from './identity-process.ts';

const DAY_SECONDS = 86_400;

let server: IdentityProcess;
beforeAll(async () => {
  server = await startIdentity();
});
afterAll(() => server.stop());

describe('the managed-identity endpoint, asked by the real ManagedIdentityCredential', () => {
  const ask = (scope: string, identity = {}, header = HEADER) =>
    askForToken(
      { credential: 'managed-identity', scope, identity },
      { IDENTITY_ENDPOINT: server.endpoint, IDENTITY_HEADER: header },
    );

  test('speaks for the suite itself where no identity is named, for 24 hours, and is asked once', async () => {
    const outcome = await ask(`${STORAGE}/.default`);
    if ('error' in outcome) throw new Error(outcome.error.message);
    expect(outcome.kept).toBe(true);
    expect(outcome.expiresOnTimestamp / 1000).toBeGreaterThan(Date.now() / 1000 + DAY_SECONDS - 60);
    const claims = decodeJwt(outcome.token);
    expect(claims).toMatchObject({
      aud: STORAGE,
      iss: `https://sts.windows.net/${server.known.tenantId}/`,
      oid: server.identityOf('system-assigned').principalId,
      sub: server.identityOf('system-assigned').principalId,
      appid: server.identityOf('system-assigned').clientId,
      tid: server.known.tenantId,
      ver: '1.0',
      idtyp: 'app',
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(DAY_SECONDS);
    expect(claims['roles']).toBeUndefined();
  });

  test.each([
    ['clientId', 'clientId'],
    ['objectId', 'principalId'],
    ['resourceId', 'resourceId'],
  ] as const)('speaks for a user-assigned identity that is named by its %s, with its role', async (option, claim) => {
    const identity = server.identityOf('rendering-client');
    const outcome = await ask(`${APP}/.default`, { [option]: identity[claim] });
    if ('error' in outcome) throw new Error(outcome.error.message);
    expect(decodeJwt(outcome.token)).toMatchObject({
      aud: APP,
      iss: `${server.authority}/${server.known.tenantId}/v2.0`,
      oid: identity.principalId,
      azp: identity.clientId,
      roles: ['RemoteRendering.Client'],
      ver: '2.0',
    });
  });

  test.each(['no-roles', 'system-assigned'])('gives %s no role', async (name) => {
    const identity = name === 'system-assigned' ? {} : { clientId: server.identityOf(name).clientId };
    const outcome = await ask(`${APP}/.default`, identity);
    if ('error' in outcome) throw new Error(outcome.error.message);
    expect(decodeJwt(outcome.token)['oid']).toBe(server.identityOf(name).principalId);
    expect(decodeJwt(outcome.token)['roles']).toBeUndefined();
  });

  test.each([
    ['an identity that is not there', { clientId: '5b2c1a90-3f7e-4d68-9a1b-0c2d3e4f5a6b' }, HEADER, 'No User Assigned'],
    ['an identity of the system by its id', { clientId: '8f6f2f0a-7a0d-4c58-b1f6-2a4d5b9e0c31' }, HEADER, 'No User'],
    ['a wrong header', {}, `${HEADER}-not`, 'X-IDENTITY-HEADER is missing or wrong'],
  ])('refuses %s at once', async (_what, identity, header, reason) => {
    const started = performance.now();
    const outcome = await ask(`${STORAGE}/.default`, identity, header);
    expect(outcome).toMatchObject({ error: { name: 'CredentialUnavailableError', message: expect.any(String) } });
    expect(JSON.stringify(outcome)).toContain(reason);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});

describe('the authority, asked by the real ClientSecretCredential', () => {
  const ask = (job: Partial<AzureIdentityJob>, name = 'client') => {
    const { clientId, clientSecret } = server.applicationOf(name);
    const { tenantId } = server.known;
    const whose = { authorityHost: server.authority, tenantId, clientId, clientSecret };
    return askForToken(
      { credential: 'client-secret', scope: `${APP}/.default`, ...whose, ...job },
      { NODE_EXTRA_CA_CERTS: server.certificates.caCertificate },
    );
  };

  test.each([
    ['administrator', ['RemoteRendering.Administrator']],
    ['client', ['RemoteRendering.Client']],
    ['no-roles', undefined],
  ])('gives %s a token that its keys verify, with its roles', async (name, roles) => {
    const verify = { authority: server.authority, tenantId: server.known.tenantId, audience: APP };
    const outcome = await ask({ verify }, name);
    if ('error' in outcome) throw new Error(outcome.error.message);
    const { clientId, objectId } = server.applicationOf(name);
    expect(outcome.claims).toMatchObject({ oid: objectId, azp: clientId, tid: server.known.tenantId, idtyp: 'app' });
    expect(outcome.claims?.['roles']).toEqual(roles);
    expect(outcome.kept).toBe(true);
  });

  test.each([
    [`${STS}/.default`, STS],
    [`${STS}//.default`, STS],
    ['https://webpubsub.azure.com/.default', 'https://webpubsub.azure.com'],
    [`${STORAGE}/.default`, STORAGE],
  ])('takes the scope %s', async (scope, audience) => {
    const outcome = await ask({ scope });
    if ('error' in outcome) throw new Error(outcome.error.message);
    const claims = decodeJwt(outcome.token);
    expect(claims.aud).toBe(audience);
    expect(claims['roles']).toEqual(audience === STS ? ['RemoteRendering.Client'] : undefined);
    expect(claims['ver']).toBe(audience === STORAGE ? '1.0' : '2.0');
  });

  test.each([
    ['a wrong secret', { clientSecret: 'not-the-secret' }, 'AADSTS7000215'],
    ['an unknown application', { clientId: 'c0ffee00-0000-4000-8000-000000000000' }, 'AADSTS700016'],
    ['an unknown resource', { scope: 'https://unknown.example/.default' }, 'AADSTS500011'],
    ['an unknown tenant', { tenantId: 'c0ffee00-0000-4000-8000-000000000000' }, 'endpoints_resolution_error'],
  ])('refuses %s', async (_what, job, reason) => {
    const outcome = await ask(job);
    expect(JSON.stringify(outcome)).toContain(reason);
    expect(outcome).toHaveProperty('error');
  });
});

describe('what is kept', () => {
  const token = async (at: RunningChild) => {
    const { clientId, clientSecret } = server.applicationOf('client');
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${APP}/.default`,
    });
    const url = `${at.endpoints['authority']}/${server.known.tenantId}/oauth2/v2.0/token`;
    return tokenAnswer.parse(await (await fetch(url, { method: 'POST', body })).json()).access_token;
  };

  test('survives a kill: the secrets and the key are the same, and older tokens still verify', async () => {
    const first = await server.startAnother();
    const old = await token(first);
    process.kill(-first.pid, 'SIGKILL');
    await first.ended;
    const port = Number(new URL(first.endpoints['authority'] ?? '').port);
    const second = await server.startAnother({ authority: port, identity: 0 });
    try {
      expect(decodeProtectedHeader(await token(second)).kid).toBe(decodeProtectedHeader(old).kid);
      const url = second.endpoints['authority'];
      const keys = createRemoteJWKSet(new URL(`${url}/${server.known.tenantId}/discovery/v2.0/keys`));
      await jwtVerify(old, keys, { issuer: `${url}/${server.known.tenantId}/v2.0`, audience: APP });
    } finally {
      await second.stop(2000);
    }
  });

  test('is for its owner alone', async () => {
    const folder = join(server.directory, 'identity');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = await readdir(folder);
    expect(files.sort()).toEqual(['applications.json', 'signing-key.json']);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  test.each(['applications.json', 'signing-key.json'])('is made anew where %s is torn', async (file) => {
    await using other = await temporaryDirectory();
    const before = await prepareIdentity(other.path);
    const path = join(other.path, 'identity', file);
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 40));
    const after = await prepareIdentity(other.path);
    const again = await prepareIdentity(other.path);
    expect(again.applications).toEqual(after.applications);
    expect(again.signingKey.id).toBe(after.signingKey.id);
    const changed = {
      'applications.json': after.applications[0]?.clientSecret !== before.applications[0]?.clientSecret,
      'signing-key.json': after.signingKey.id !== before.signingKey.id,
    };
    expect(changed).toEqual({ 'applications.json': false, 'signing-key.json': false, [file]: true });
  });

  test('is of its own for each stack', async () => {
    await using other = await temporaryDirectory();
    const { applications, signingKey } = await prepareIdentity(other.path);
    expect(signingKey.id).not.toBe(server.known.signingKey.id);
    const secrets = [...applications, ...server.known.applications].map(({ clientSecret }) => clientSecret);
    expect(new Set(secrets).size).toBe(secrets.length);
    expect(Math.min(...secrets.map(({ length }) => length))).toBeGreaterThanOrEqual(43);
  });
});

test.each(LOOPBACK)('A port that another program holds on %s is told', async (host) => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, host, resolve));
  const address = blocker.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  try {
    await expect(server.startAnother({ authority: port, identity: 0 })).rejects.toMatchObject({ code: 'port-taken' });
  } finally {
    blocker.close();
  }
});

test('Nothing that is printed or answered to a wrong request holds a secret', async () => {
  const { clientId, clientSecret } = server.applicationOf('administrator');
  const { access_token } = tokenAnswer.parse(
    await (
      await fetch(`${server.endpoint}?api-version=2019-08-01&resource=${APP}`, {
        headers: { 'x-identity-header': HEADER },
      })
    ).json(),
  );
  const before = server.printed.length;
  const form = { grant_type: 'client_credentials', client_id: clientId, scope: `${APP}/.default` };
  const wrong = [
    { ...form, client_secret: `${clientSecret}x` },
    { ...form, client_secret: clientSecret, client_id: clientSecret },
    { ...form, client_secret: clientSecret, grant_type: clientSecret },
    { ...form, client_secret: clientSecret, scope: clientSecret },
    { ...form, client_secret: clientSecret, scope: `https://${clientSecret}/.default` },
  ];
  const answers = await Promise.all([
    ...wrong.map((body) =>
      fetch(`${server.authority}/${server.known.tenantId}/oauth2/v2.0/token`, {
        method: 'POST',
        body: new URLSearchParams(body),
      }),
    ),
    fetch(`${server.authority}/${clientSecret}/oauth2/v2.0/token`, { method: 'POST' }),
    fetch(`${server.authority}/${clientSecret}?${clientSecret}`),
    fetch(`${server.endpoint}?resource=${clientSecret}`, { headers: { 'x-identity-header': `${HEADER}x` } }),
    fetch(`${server.endpoint}?api-version=2019-08-01&resource=${APP}&client_id=${access_token}`, {
      headers: { 'x-identity-header': HEADER },
    }),
  ]);
  const said = await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map(({ ok }) => ok)).not.toContain(true);
  // All but the unknown path is printed.
  await vi.waitFor(() => expect(server.printed.length - before).toBe(answers.length - 1));
  const everything = [...server.printed, ...said].join('\n');
  expect(everything).toContain('AADSTS7000215');
  const secrets = [HEADER, access_token, ...server.known.applications.map((application) => application.clientSecret)];
  for (const secret of secrets) expect(everything).not.toContain(secret);
});
