import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createCredential } from '#lib/identity';
import { secretsInSettings } from '#lib/pipeline';
import { createPubSub } from '#lib/pubsub';
import { configWith, startWebPubSubServer, type WebPubSubServer } from './web-pubsub-server.ts';

const CLIENT = '4b6d8f60-1a2c-4e3f-8b5d-7c9e0f1a2b3c';
const OTHER = '5c7e9071-2b3d-4f40-9c6e-8daf102b3c4d';
const TENANT = '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11';
const SECRET = 'Zq8~the.secret=of=it';

let service: WebPubSubServer;
let authority: WebPubSubServer;
let identity: Server;
const identities: (string | null)[] = [];
let isIdentityThere = true;

// One endpoint for all tests: the SDK looks for it once in the life of a process.
beforeAll(async () => {
  service = await startWebPubSubServer();
  authority = await startWebPubSubServer();
  identity = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const clientId = query.get('client_id');
    identities.push(clientId);
    if (!isIdentityThere) return response.writeHead(400).end('{"statusCode":400,"message":"No such identity."}');
    const expires_on = Math.floor(Date.now() / 1000) + 86_400;
    const access_token = `of-${clientId ?? 'the-system'}`;
    const token = { access_token, expires_on, resource: query.get('resource'), token_type: 'Bearer' };
    return response.setHeader('Content-Type', 'application/json').end(JSON.stringify(token));
  });
  identity.listen(0, '127.0.0.1');
  await once(identity, 'listening');
  const { port } = z.object({ port: z.number() }).parse(identity.address());
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${port}/msi/token`);
  vi.stubEnv('IDENTITY_HEADER', 'the header of this app');
  authority.answer(({ method, url }, response) => {
    const base = `${url.origin}/${TENANT}`;
    const answer =
      method === 'POST'
        ? { token_type: 'Bearer', expires_in: 3599, access_token: 'of-the-application' }
        : {
            issuer: `${base}/v2.0`,
            authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
            token_endpoint: `${base}/oauth2/v2.0/token`,
            jwks_uri: `${base}/discovery/v2.0/keys`,
          };
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
  });
});
beforeEach(() => {
  isIdentityThere = true;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  identity.closeAllConnections();
  identity.close();
  await service[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

const settingsWith = (given: Readonly<Record<string, string>>) =>
  configWith({ AZURE_AUTHORITY_HOST: authority.url, ...given });

/** A client token of an app with these settings; the bearer that the service was asked with. */
async function bearerWith(given: Readonly<Record<string, string>>): Promise<string | undefined> {
  const config = settingsWith(given);
  const pubsub = createPubSub(config, createCredential(config), () => new Date());
  await pubsub?.tokens.issue({ userId: 'cleo', minutes: 5, groups: [], roles: [] });
  return service.askedFor('/:generateToken').at(-1)?.authorization;
}

const aad = (more = '') => ({
  // Whatever the app's own identity is, a connection string names its own.
  AZURE_CLIENT_ID: OTHER,
  WEB_PUBSUB_CONNECTION_STRING: `Endpoint=${service.url};AuthType=aad;${more}Version=1.0;`,
});

describe('Web PubSub is asked', () => {
  test('as the system-assigned identity', async () => {
    expect(await bearerWith(aad())).toBe('Bearer of-the-system');
  });

  test('as the user-assigned identity of a connection string', async () => {
    expect(await bearerWith(aad(`ClientId=${CLIENT};`))).toBe(`Bearer of-${CLIENT}`);
  });

  test('as an application, which signs in at the authority of the settings and nowhere else', async () => {
    const before = identities.length;
    const application = `ClientId=${CLIENT};TenantId=${TENANT};ClientSecret=${SECRET};`;
    expect(await bearerWith(aad(application))).toBe('Bearer of-the-application');
    expect(identities).toHaveLength(before);
    const { url, body } = authority.asked.findLast(({ method }) => method === 'POST') ?? {};
    expect(url?.pathname).toBe(`/${TENANT}/oauth2/v2.0/token`);
    expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
      client_id: CLIENT,
      client_secret: SECRET,
      scope: 'https://webpubsub.azure.com/.default',
    });
  });

  test("as the app's own identity, where the settings are plain", async () => {
    expect(await bearerWith({ WEB_PUBSUB_ENDPOINT: service.url, AZURE_CLIENT_ID: OTHER })).toBe(`Bearer of-${OTHER}`);
  });
});

test('an identity that does not exist is told apart from a service that refuses', async () => {
  isIdentityThere = false;
  const error = await bearerWith(aad('ClientId=11111111-2222-4333-8444-555555555555;')).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'PubSubError', code: 'identity_unavailable' });
});

describe('a secret in the settings is warned about', () => {
  test.each([
    ['Endpoint=https://example.org;AccessKey=abc', ['WEB_PUBSUB_CONNECTION_STRING']],
    ['Endpoint=https://example.org; accesskey = abc', ['WEB_PUBSUB_CONNECTION_STRING']],
    [`Endpoint=https://example.org;AuthType=aad;ClientSecret=${SECRET}`, ['WEB_PUBSUB_CONNECTION_STRING']],
    ['Endpoint=https://example.org;AuthType=aad', []],
    [`Endpoint=https://example.org;AuthType=aad;ClientId=${CLIENT}`, []],
  ])('%s', (text, names) => {
    expect(secretsInSettings(settingsWith({ WEB_PUBSUB_CONNECTION_STRING: text }))).toEqual(names);
  });
});
