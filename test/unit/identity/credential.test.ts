import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { ClientSecretCredential, ManagedIdentityCredential } from '@azure/identity';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createCredential, storageAccess } from '#lib/identity';
import { prepareCertificates } from '../../../infra/local/certificates.ts';
import { trustCertificate } from '../../../infra/local/trusted-certificates.ts';
import { testConfig } from '../../support/records.ts';
import { watchRequests } from '../../support/sent-requests.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const CLIENT = '4b6d8f60-1a2c-4e3f-8b5d-7c9e0f1a2b3c';
const TENANT = '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11';
const SECRET = 'the secret of an application';

const credentialFor = (settings: Readonly<Record<string, string>>) =>
  createCredential(testConfig('UseDevelopmentStorage=true', settings));

interface Listening extends AsyncDisposable {
  readonly port: number;
}

async function listen(server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

describe('without a secret', () => {
  const queries: URLSearchParams[] = [];
  let endpoint: Listening;

  // One for all tests: the SDK looks for it once in the life of a process.
  beforeAll(async () => {
    const respond = (request: IncomingMessage, response: ServerResponse) => {
      const query = new URL(request.url ?? '', 'http://localhost').searchParams;
      queries.push(query);
      const expiresOn = Math.floor(Date.now() / 1000) + 86_400;
      const resource = query.get('resource');
      answer(response, { access_token: 'a token', expires_on: expiresOn, resource, token_type: 'Bearer' });
    };
    endpoint = await listen(createServer(respond));
    vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${endpoint.port}/msi/token`);
    vi.stubEnv('IDENTITY_HEADER', 'the header of this app');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await endpoint[Symbol.asyncDispose]();
  });

  /** What App Service's endpoint was asked by a credential of these settings, and the token that came of it. */
  async function asked(settings: Readonly<Record<string, string>>, resource: string) {
    queries.length = 0;
    const credential = credentialFor(settings);
    expect(credential).toBeInstanceOf(ManagedIdentityCredential);
    const token = await credential.getToken(`${resource}/.default`);
    return { token: token?.token, queries: queries.map((query) => Object.fromEntries(query)) };
  }

  test('the app has its system-assigned identity', async () => {
    expect(await asked({}, 'https://system.example')).toEqual({
      token: 'a token',
      queries: [{ 'api-version': '2019-08-01', resource: 'https://system.example' }],
    });
  });

  test('and with AZURE_CLIENT_ID the user-assigned identity of that id, whatever tenant is named', async () => {
    const settings = { AZURE_CLIENT_ID: CLIENT, AZURE_TENANT_ID: TENANT };
    expect(await asked(settings, 'https://user.example')).toEqual({
      token: 'a token',
      queries: [{ 'api-version': '2019-08-01', resource: 'https://user.example', client_id: CLIENT }],
    });
  });
});

describe('with AZURE_CLIENT_SECRET', () => {
  const application = { AZURE_CLIENT_ID: CLIENT, AZURE_TENANT_ID: TENANT, AZURE_CLIENT_SECRET: SECRET };

  test('the app is that application', () => {
    expect(credentialFor(application)).toBeInstanceOf(ClientSecretCredential);
  });

  test('and signs in at AZURE_AUTHORITY_HOST, asking nobody else whether that is an authority', async () => {
    await using directory = await temporaryDirectory();
    const { caCertificate, certificate, key } = await prepareCertificates(directory.path, new Date());
    await trustCertificate(caCertificate);
    const posted: unknown[] = [];
    const respond = async (request: IncomingMessage, response: ServerResponse) => {
      const authority = `https://${request.headers.host}/${TENANT}`;
      if (request.method === 'POST') {
        posted.push(request.url?.replace(/\?.*/, ''), Object.fromEntries(new URLSearchParams(await text(request))));
        answer(response, { token_type: 'Bearer', expires_in: 3599, access_token: 'a token' });
        return;
      }
      answer(response, {
        issuer: `${authority}/v2.0`,
        authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
        token_endpoint: `${authority}/oauth2/v2.0/token`,
        jwks_uri: `${authority}/discovery/v2.0/keys`,
      });
    };
    const tls = { cert: await readFile(certificate), key: await readFile(key) };
    await using listening = await listen(createSecureServer(tls, (...exchange) => void respond(...exchange)));
    using requests = watchRequests();
    const credential = credentialFor({
      ...application,
      AZURE_AUTHORITY_HOST: `https://localhost:${listening.port}/`,
    });
    expect(await credential.getToken('https://storage.azure.com/.default')).toMatchObject({ token: 'a token' });
    expect(posted).toEqual([
      `/${TENANT}/oauth2/v2.0/token`,
      expect.objectContaining({
        client_id: CLIENT,
        client_secret: SECRET,
        grant_type: 'client_credentials',
        scope: 'https://storage.azure.com/.default',
      }),
    ]);
    expect(requests.count('/common/discovery/instance')).toBe(0);
    expect(requests.count(`/${TENANT}/v2.0/.well-known/openid-configuration`)).toBe(1);
  });
});

describe('storage', () => {
  const credential = credentialFor({});

  test('is opened by identity where the settings have its endpoints', () => {
    const endpoints = {
      AzureWebJobsStorage__blobServiceUri: 'https://acct.blob.core.windows.net',
      AzureWebJobsStorage__tableServiceUri: 'https://acct.table.core.windows.net',
    };
    expect(storageAccess(testConfig('UseDevelopmentStorage=true', endpoints), credential)).toEqual({
      kind: 'identity',
      blobServiceUri: 'https://acct.blob.core.windows.net',
      tableServiceUri: 'https://acct.table.core.windows.net',
      credential,
    });
  });

  test('is opened with the connection string elsewhere, and no credential goes with it', () => {
    expect(storageAccess(testConfig('UseDevelopmentStorage=true'), credential)).toEqual({
      kind: 'connection-string',
      connectionString: 'UseDevelopmentStorage=true',
    });
  });
});
