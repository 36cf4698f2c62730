import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseConfig, settings } from '#lib/config';

const TENANT = '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11';
const ACCOUNT = 'd0f3c0de-5e1a-4b5c-8a57-0c4f4f2f7f10';
const HASH = 'a'.repeat(64);

const callers = {
  ENTRA_TENANT_IDS: TENANT,
  ENTRA_AUDIENCES: 'api://remote-rendering-functions',
  STS_ACCOUNT_ID: ACCOUNT,
};
const needed = { ...callers, AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
const endpoints = {
  AzureWebJobsStorage__blobServiceUri: 'https://acct.blob.core.windows.net',
  AzureWebJobsStorage__tableServiceUri: 'https://acct.table.core.windows.net',
};

function problemsOf(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The names of the settings that cannot be used. */
const namesOf = (environment: Readonly<Record<string, string | undefined>>) =>
  problemsOf(environment)
    .map((problem) => problem.replace(/:.*/, ''))
    .sort();

describe('settings that are left out', () => {
  test('have defaults, but for the storage account, whose callers are let in, and which account tokens are for', () => {
    expect(parseConfig(needed)).toMatchObject({
      DEPLOYMENT_NAME: 'local',
      MODELS_CONTAINER: 'models',
      ASSETS_CONTAINER: 'assets',
      UPLOAD_POLICY: 'convert',
      MAX_SESSIONS: 8,
      SESSION_SIZE: 'Standard',
      LEASE_SECONDS: 600,
      MAX_LEASE_SECONDS: 28_800,
      CONVERSION_MAX_MEMORY_BYTES: 2 ** 32,
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com',
      PLATFORM_AUTHENTICATION: 'off',
      CORS_ALLOWED_ORIGINS: [],
      TOKEN_REQUESTS_PER_MINUTE: 60,
      DEFAULT_READERS: 'clients',
      STS_ACCOUNT_KEY_HASHES: [],
      STS_TOKEN_LIFETIME_SECONDS: 86_400,
      accountDomain: 'localhost:7071',
      controlPlaneUrl: 'https://localhost:7071',
    });
    expect(namesOf({})).toEqual(['AzureWebJobsStorage', 'ENTRA_AUDIENCES', 'ENTRA_TENANT_IDS', 'STS_ACCOUNT_ID']);
  });

  test('may be there and empty', () => {
    const empty = Object.fromEntries(Object.keys(settings.shape).map((name) => [name, '']));
    expect(parseConfig({ ...empty, ...needed })).toEqual(parseConfig(needed));
    expect(problemsOf({ ...needed, AzureWebJobsStorage: '' })).toHaveLength(1);
  });

  test('may be undefined', () => {
    expect(parseConfig({ ...needed, MAX_SESSIONS: undefined }).MAX_SESSIONS).toBe(8);
  });
});

describe('settings that are given', () => {
  test('are read by their type; what is none of ours is left alone', () => {
    const config = parseConfig({ ...needed, MAX_SESSIONS: '3', UPLOAD_POLICY: 'convert-and-start', PATH: '/bin' });
    expect(config).toMatchObject({ MAX_SESSIONS: 3, UPLOAD_POLICY: 'convert-and-start' });
    expect(config).not.toHaveProperty('PATH');
  });

  test('cannot be changed any more', () => {
    const config: Record<string, unknown> = parseConfig(needed);
    expect(() => {
      config['MAX_SESSIONS'] = 1000;
    }).toThrow(TypeError);
  });

  test.each([
    [{ CONTROL_PLANE_URL: 'http://127.0.0.1:7071/' }, 'http://127.0.0.1:7071'],
    [{ CONTROL_PLANE_URL: 'https://app.example/base' }, 'https://app.example/base'],
    [{ WEBSITE_HOSTNAME: 'app.example' }, 'https://app.example'],
    [{ WEBSITE_HOSTNAME: 'app.example', CONTROL_PLANE_URL: 'http://inside' }, 'http://inside'],
  ])('say where session hosts reach the app: %o', (given, url) => {
    expect(parseConfig({ ...needed, ...given }).controlPlaneUrl).toBe(url);
  });

  test.each([
    [{ WEBSITE_HOSTNAME: 'app.example' }, 'app.example'],
    [{ WEBSITE_HOSTNAME: 'app.example', STS_ACCOUNT_DOMAIN: 'rendering.example' }, 'rendering.example'],
  ])("say which is the account's domain: %o", (given, domain) => {
    expect(parseConfig({ ...needed, ...given }).accountDomain).toBe(domain);
  });

  test.each([
    ['AZURE_AUTHORITY_HOST', 'https://localhost:8443/'],
    ['MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL', 'http://127.0.0.1:7071/'],
  ] as const)('have no slash at the end of %s', (name, url) => {
    expect(parseConfig({ ...needed, [name]: url })[name]).toBe(url.slice(0, -1));
  });
});

describe('settings that are lists', () => {
  test('have commas between their values; spaces around them do not count', () => {
    const config = parseConfig({
      ...needed,
      ENTRA_TENANT_IDS: `${TENANT}, ${ACCOUNT}`,
      ENTRA_AUDIENCES: ' api://app ,https://localhost:7443',
      CORS_ALLOWED_ORIGINS: 'https://app.example',
    });
    expect(config.ENTRA_TENANT_IDS).toEqual([TENANT, ACCOUNT]);
    expect(config.ENTRA_AUDIENCES).toEqual(['api://app', 'https://localhost:7443']);
    expect(config.CORS_ALLOWED_ORIGINS).toEqual(['https://app.example']);
  });

  test('hold hashes of keys in either case', () => {
    const { STS_ACCOUNT_KEY_HASHES } = parseConfig({ ...needed, STS_ACCOUNT_KEY_HASHES: `${HASH},${'B'.repeat(64)}` });
    expect(STS_ACCOUNT_KEY_HASHES).toEqual([HASH, 'b'.repeat(64)]);
  });

  test.each([
    ['ENTRA_AUDIENCES', 'api://app,'],
    ['ENTRA_AUDIENCES', ',api://app'],
    ['ENTRA_AUDIENCES', 'api://app,,api://other'],
    ['ENTRA_AUDIENCES', ' '],
    ['ENTRA_TENANT_IDS', 'common'],
    ['ENTRA_TENANT_IDS', `${TENANT},organizations`],
    ['ENTRA_TENANT_IDS', `${TENANT};${ACCOUNT}`],
    ['STS_ACCOUNT_KEY_HASHES', `${HASH},${HASH}0`],
    ['STS_ACCOUNT_KEY_HASHES', 'the key itself'],
  ])('are refused whole for one wrong value: %s = %j', (name, value) => {
    expect(namesOf({ ...needed, [name]: value })).toEqual([name]);
  });
});

describe('the storage account', () => {
  test('is opened by identity at its endpoints', () => {
    const { storage } = parseConfig({ ...callers, ...endpoints });
    expect(storage).toEqual({
      kind: 'identity',
      blobServiceUri: 'https://acct.blob.core.windows.net',
      tableServiceUri: 'https://acct.table.core.windows.net',
    });
  });

  test('is opened by identity where a connection string is left over beside them', () => {
    expect(parseConfig({ ...needed, ...endpoints }).storage.kind).toBe('identity');
  });

  test('is opened with a connection string where there are no endpoints', () => {
    const { storage } = parseConfig({ ...needed, AzureWebJobsStorage__blobServiceUri: '' });
    expect(storage).toEqual({ kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' });
  });

  test.each(['AzureWebJobsStorage__blobServiceUri', 'AzureWebJobsStorage__tableServiceUri'] as const)(
    'is not known by %s alone',
    (name) => {
      const [problem, ...others] = problemsOf({ ...callers, [name]: endpoints[name] });
      expect(problem).toMatch(/^AzureWebJobsStorage: is missing\. Give .*blobServiceUri and .*tableServiceUri/);
      expect(others).toEqual([]);
    },
  );

  test.each(['http://acct.blob.core.windows.net', 'acct.blob.core.windows.net'])(
    'takes tokens over https alone, not at %s',
    (uri) => {
      expect(namesOf({ ...callers, ...endpoints, AzureWebJobsStorage__blobServiceUri: uri })).toEqual([
        'AzureWebJobsStorage__blobServiceUri',
      ]);
    },
  );
});

describe('settings that go together', () => {
  const application = { AZURE_CLIENT_ID: ACCOUNT, AZURE_TENANT_ID: TENANT, AZURE_CLIENT_SECRET: 'c2VjcmV0' };

  test('are an application with its tenant, its id and its secret, or an id alone', () => {
    expect(parseConfig({ ...needed, ...application })).toMatchObject(application);
    expect(parseConfig({ ...needed, AZURE_CLIENT_ID: ACCOUNT }).AZURE_CLIENT_ID).toBe(ACCOUNT);
  });

  test.each([
    ['AZURE_CLIENT_ID', { AZURE_CLIENT_ID: '' }],
    ['AZURE_TENANT_ID', { AZURE_TENANT_ID: undefined }],
    ['AZURE_CLIENT_ID and AZURE_TENANT_ID', { AZURE_CLIENT_ID: '', AZURE_TENANT_ID: '' }],
  ])('are missed together: a secret needs %s', (missing, change) => {
    const [problem, ...others] = problemsOf({ ...needed, ...application, ...change });
    expect(problem).toBe(`AZURE_CLIENT_SECRET: an application needs ${missing} too.`);
    expect(others).toEqual([]);
  });

  test('are the domain and the id of an account elsewhere', () => {
    const domain = { MIXEDREALITY_ACCOUNT_DOMAIN: 'westeurope.mixedreality.azure.com' };
    expect(namesOf({ ...needed, ...domain })).toEqual(['MIXEDREALITY_ACCOUNT_ID']);
    expect(parseConfig({ ...needed, ...domain, MIXEDREALITY_ACCOUNT_ID: ACCOUNT })).toMatchObject(domain);
  });

  test('are named together with those that are wrong by themselves', () => {
    const given = { MAX_SESSIONS: 'many', AZURE_CLIENT_SECRET: 'c2VjcmV0', MIXEDREALITY_ACCOUNT_DOMAIN: 'a.example' };
    expect(namesOf({ ...callers, ...given })).toEqual([
      'AZURE_CLIENT_SECRET',
      'AzureWebJobsStorage',
      'MAX_SESSIONS',
      'MIXEDREALITY_ACCOUNT_ID',
    ]);
  });
});

describe('settings that cannot be used', () => {
  test.each([
    ['MAX_SESSIONS', '0'],
    ['MAX_SESSIONS', '1001'],
    ['MAX_SESSIONS', 'many'],
    ['MAX_SESSIONS', '-1'],
    ['MAX_SESSIONS', '1.5'],
    ['MAX_SESSIONS', '1e3'],
    ['LEASE_SECONDS', '0'],
    ['MAX_LEASE_SECONDS', '86401'],
    ['HEARTBEAT_SILENCE_SECONDS', '4'],
    ['CONVERSION_MAX_MEMORY_BYTES', '1024'],
    ['UPLOAD_POLICY', 'start'],
    ['SESSION_SIZE', 'standard'],
    ['DEPLOYMENT_NAME', 'My Deployment'],
    ['CONTROL_PLANE_URL', 'localhost:7071'],
    ['CONTROL_PLANE_URL', 'ftp://app.example'],
    ['MODELS_CONTAINER', '   '],
    ['AZURE_AUTHORITY_HOST', 'http://login.example'],
    ['AZURE_AUTHORITY_HOST', 'login.example'],
    ['PLATFORM_AUTHENTICATION', 'true'],
    ['DEFAULT_READERS', 'everybody'],
    ['TOKEN_REQUESTS_PER_MINUTE', '0'],
    ['UPLOAD_URL_SECONDS', '86401'],
    ['ASSET_URL_SECONDS', '9'],
    ['STS_ACCOUNT_ID', 'my-account'],
    ['STS_TOKEN_LIFETIME_SECONDS', '86401'],
    ['MIXEDREALITY_ACCOUNT_ID', 'my-account'],
    ['MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL', 'http://sts.example'],
    ['MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL', 'http://localhost.example'],
  ])('%s = %j is named, with what it is for', (name, value) => {
    const [problem, ...others] = problemsOf({ ...needed, [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}: .+\\. .+`));
    expect(others).toEqual([]);
  });

  test('are named all together, in one error', () => {
    expect(namesOf({ ...callers, MAX_SESSIONS: 'many', LEASE_SECONDS: '0', UPLOAD_POLICY: 'no' })).toEqual([
      'AzureWebJobsStorage',
      'LEASE_SECONDS',
      'MAX_SESSIONS',
      'UPLOAD_POLICY',
    ]);
    expect(() => parseConfig({ ...callers, MAX_SESSIONS: 'many' })).toThrow(
      /MAX_SESSIONS: .*\n.*AzureWebJobsStorage: /,
    );
  });

  test.each(['AzureWebJobsStorage', 'AZURE_CLIENT_SECRET', 'MIXEDREALITY_ACCOUNT_KEY', 'STS_ACCOUNT_KEY_HASHES'])(
    'never show what %s holds',
    (name) => {
      expect(() => parseConfig({ [name]: 'AccountKey=c2VjcmV0', MAX_SESSIONS: '0' })).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('c2VjcmV0') }),
      );
    },
  );
});

describe('local.settings.sample.json', () => {
  const sample = z.object({ IsEncrypted: z.literal(false), Values: z.record(z.string(), z.string()) });
  const values = async () => {
    const file = await readFile(new URL('../../../local.settings.sample.json', import.meta.url), 'utf8');
    return sample.parse(JSON.parse(file)).Values;
  };
  /** Names that the Functions host gives a meaning or a value. */
  const ofTheHost = /^(FUNCTIONS_|WEBSITE_|AzureWebJobs)/;

  test('has every setting of the app that the host does not set, and no other', async () => {
    const own = Object.keys(settings.shape).filter((name) => !ofTheHost.test(name));
    expect(
      Object.keys(await values())
        .filter((name) => !ofTheHost.test(name))
        .sort(),
    ).toEqual(own.sort());
  });

  test('can be used as it is', async () => {
    const given = await values();
    expect(given).toMatchObject({ FUNCTIONS_WORKER_RUNTIME: 'node' });
    expect(() => parseConfig(given)).not.toThrow();
  });
});
