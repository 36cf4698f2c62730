import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseConfig, settings } from '#lib/config';

const needed = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

function problemsOf(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings that are left out', () => {
  test('have defaults, but for the storage account', () => {
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
      controlPlaneUrl: 'https://localhost:7071',
    });
    expect(problemsOf({})).toEqual([expect.stringMatching(/^AzureWebJobsStorage: .*Connection string/)]);
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
  ])('%s = %j is named, with what it is for', (name, value) => {
    const [problem, ...others] = problemsOf({ ...needed, [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}: .+\\. .+`));
    expect(others).toEqual([]);
  });

  test('are named all together, in one error', () => {
    const problems = problemsOf({ MAX_SESSIONS: 'many', LEASE_SECONDS: '0', UPLOAD_POLICY: 'no' });
    expect(problems.map((line) => line.replace(/:.*/, '')).sort()).toEqual([
      'AzureWebJobsStorage',
      'LEASE_SECONDS',
      'MAX_SESSIONS',
      'UPLOAD_POLICY',
    ]);
    expect(() => parseConfig({ MAX_SESSIONS: 'many' })).toThrow(/AzureWebJobsStorage: .*\n.*MAX_SESSIONS: /);
  });

  test('never show the value of the storage account', () => {
    const secret = 'AccountKey=c2VjcmV0';
    expect(() => parseConfig({ AzureWebJobsStorage: secret, MAX_SESSIONS: '0' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('c2VjcmV0') }),
    );
  });
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
