import { expect, test } from 'vitest';
import { parseConfig } from '#lib/config';
import { appSettings } from '../../../infra/local/app-settings.ts';

const tenantId = '6c1f4f0e-2f0b-4a53-9d0c-5d0e6a3b7c11';
const accountId = 'a2f6c8d4-5b1e-4e07-9c3a-7d8e9f0a1b2c';
const keyHashes = ['0'.repeat(64), '1'.repeat(64)];
const options = {
  directory: '/app/.local',
  scriptRoot: '/app',
  ports: { app: 7071, appHttps: 7072, authority: 7073, identity: 7074, webPubSub: 29_001, blob: 1, queue: 2, table: 3 },
  storage: { blob: 'https://127.0.0.1:1/a', queue: 'https://127.0.0.1:2/a', table: 'https://127.0.0.1:3/a' },
  tenantId,
  account: { id: accountId, keyHashes },
  identity: { authority: 'https://localhost:7073', endpoint: 'http://127.0.0.1:7074/msi/token', header: 'secret' },
};
const overHttp = {
  ...options,
  storage: { blob: 'http://127.0.0.1:1/a', queue: 'http://127.0.0.1:2/a', table: 'http://127.0.0.1:3/a' },
};
/** What a developer's shell may hold. */
const shell = {
  AzureWebJobsStorage: 'AccountName=production',
  AzureWebJobsStorage__blobServiceUri: 'https://production.blob.core.windows.net',
  AzureWebJobsStorage__tableServiceUri: 'https://production.table.core.windows.net',
  AZURE_CLIENT_ID: 'somebody',
  AZURE_TENANT_ID: 'somewhere',
  AZURE_CLIENT_SECRET: 'secret',
  AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com',
  ENTRA_TENANT_IDS: '11111111-1111-4111-8111-111111111111',
  ENTRA_AUDIENCES: 'api://production',
  IDENTITY_ENDPOINT: 'http://127.0.0.1:1/production',
  STS_ACCOUNT_ID: '11111111-1111-4111-8111-111111111111',
};

test('The app accepts the settings of the local stack', () => {
  expect(parseConfig(appSettings({ ...options, caller: {} }))).toMatchObject({
    UPLOAD_POLICY: 'convert-and-start',
    controlPlaneUrl: 'http://127.0.0.1:7071',
    LOCAL_MACHINES_DIRECTORY: '/app/.local/machines',
    SESSION_HOST_PROGRAM: '/app/dist/session-host/main.mjs',
    storage: { kind: 'identity', blobServiceUri: options.storage.blob, tableServiceUri: options.storage.table },
    AZURE_AUTHORITY_HOST: 'https://localhost:7073',
    ENTRA_TENANT_IDS: [tenantId],
    ENTRA_AUDIENCES: [
      'api://remote-rendering-functions',
      'https://localhost:7072',
      'https://127.0.0.1:7072',
      'https://sts.localhost:7072',
    ],
    STS_ACCOUNT_ID: accountId,
    accountDomain: 'localhost:7072',
    STS_ACCOUNT_KEY_HASHES: keyHashes,
    STS_KEYS_FILE: '/app/.local/sts-keys.json',
  });
});

test('Where storage speaks HTTP, the app opens it with its key, and is not reached over HTTPS', () => {
  expect(parseConfig(appSettings({ ...overHttp, caller: {} }))).toMatchObject({
    storage: {
      kind: 'connection-string',
      connectionString: expect.stringMatching(/^DefaultEndpointsProtocol=http;.*BlobEndpoint=http:\/\/127.0.0.1:1\/a;/),
    },
    ENTRA_AUDIENCES: ['api://remote-rendering-functions'],
    accountDomain: 'localhost:7071',
  });
});

test("The caller's environment overrides what is a matter of taste, where it is not empty", () => {
  const caller = { UPLOAD_POLICY: 'convert', MODELS_CONTAINER: '' };
  expect(appSettings({ ...options, caller })).toMatchObject({ UPLOAD_POLICY: 'convert', MODELS_CONTAINER: 'models' });
});

test.each([
  ['HTTPS', options],
  ['HTTP', overHttp],
])('It overrides neither storage nor identity: a local stack over %s never reaches Azure', (_scheme, given) => {
  const local = appSettings({ ...given, caller: {} });
  expect(appSettings({ ...given, caller: shell })).toEqual(local);
  // What the app sees: the caller's environment, and over it the settings.
  expect(parseConfig({ ...shell, ...local })).toEqual(parseConfig(local));
});
