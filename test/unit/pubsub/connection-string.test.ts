import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PubSubError, parseConnectionString } from '#lib/pubsub';

const CLIENT = '4b6d8f60-1a2c-4e3f-8b5d-7c9e0f1a2b3c';
const TENANT = '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11';
const SECRET = 'Zq8~a.b=c==';
const KEY = 'bm90IGEgcmVhbCBrZXkgYnV0IGFzIGxvbmcgYXMgb25lLi4=';
const endpoint = 'https://rendering.webpubsub.azure.com';

function mistakeOf(text: string): string {
  try {
    parseConnectionString(text);
  } catch (error) {
    if (error instanceof PubSubError && error.code === 'connection_string') return error.message;
    throw error;
  }
  return 'none';
}

describe('a connection string', () => {
  test('names the system-assigned identity', () => {
    expect(parseConnectionString(`Endpoint=${endpoint};AuthType=aad;Version=1.0;`)).toEqual({
      endpoint,
      kind: 'system-assigned',
    });
  });

  test('names a user-assigned identity by its client id', () => {
    expect(parseConnectionString(`Endpoint=${endpoint};AuthType=aad;ClientId=${CLIENT};Version=1.0;`)).toEqual({
      endpoint,
      kind: 'user-assigned',
      clientId: CLIENT,
    });
  });

  test.each([TENANT, 'contoso.onmicrosoft.com'])(
    'names an application of the tenant %s, with its secret',
    (tenantId) => {
      const text = `Endpoint=${endpoint};AuthType=aad;ClientId=${CLIENT};TenantId=${tenantId};ClientSecret=${SECRET};Version=1.0;`;
      const application = { kind: 'application', clientId: CLIENT, tenantId, clientSecret: SECRET };
      expect(parseConnectionString(text)).toEqual({ endpoint, ...application });
    },
  );

  test('has an access key, as those of the portal do', () => {
    expect(parseConnectionString(`Endpoint=${endpoint};AccessKey=${KEY};Version=1.0;`)).toEqual({
      endpoint,
      kind: 'access-key',
      accessKey: KEY,
    });
  });

  test.each([
    ['keys in any case', `ENDPOINT=${endpoint};authtype=AAD;version=1.0`],
    ['blanks around keys and values', `  Endpoint = ${endpoint} ; AuthType= aad ;Version =1.0 ; `],
    ['empty parts', `;;Endpoint=${endpoint};;AuthType=aad;;`],
    ['no version', `Endpoint=${endpoint};AuthType=aad`],
    ['another order', `Version=1.0;AuthType=aad;Endpoint=${endpoint}`],
    ['a slash behind the endpoint', `Endpoint=${endpoint}/;AuthType=aad`],
    ['the port of the scheme', `Endpoint=${endpoint}:443;AuthType=aad`],
    ['that port on its own', `Endpoint=${endpoint};Port=443;AuthType=aad`],
  ])('may have %s', (_, text) => {
    expect(parseConnectionString(text)).toEqual({ endpoint, kind: 'system-assigned' });
  });

  test.each([
    [`Endpoint=https://localhost;Port=8443;AuthType=aad`, 'https://localhost:8443'],
    [`Endpoint=https://localhost:1;Port=8443;AuthType=aad`, 'https://localhost:8443'],
    [`Endpoint=https://[::1]:8443;AuthType=aad`, 'https://[::1]:8443'],
    [`Endpoint=http://localhost:8080;AccessKey=${KEY}`, 'http://localhost:8080'],
    [`Endpoint=http://127.0.0.1;Port=8080;AccessKey=${KEY}`, 'http://127.0.0.1:8080'],
  ])('says where: %s', (text, where) => {
    expect(parseConnectionString(text).endpoint).toBe(where);
  });
});

describe('a mistake in it is told apart from every other', () => {
  const aad = `Endpoint=${endpoint};AuthType=aad`;
  const mistakes: [string, string, RegExp][] = [
    ['nothing', '', /no Endpoint/],
    ['no endpoint', 'AuthType=aad;Version=1.0', /no Endpoint/],
    ['an empty endpoint', 'Endpoint=;AuthType=aad', /empty Endpoint/],
    ['an endpoint without a scheme', 'Endpoint=rendering.webpubsub.azure.com;AuthType=aad', /no https URL/],
    ['an endpoint of another scheme', 'Endpoint=wss://rendering.webpubsub.azure.com;AuthType=aad', /no https URL/],
    ['an endpoint that is no URL', 'Endpoint=https://;AuthType=aad', /no https URL/],
    ['http with an identity', 'Endpoint=http://localhost;AuthType=aad', /http Endpoint: an identity/],
    ['http to elsewhere', `Endpoint=http://example.org;AccessKey=${KEY}`, /loopback alone/],
    [
      'http to what only looks like loopback',
      `Endpoint=http://localhost.example.org;AccessKey=${KEY}`,
      /loopback alone/,
    ],
    ['a user in the endpoint', 'Endpoint=https://me:pw@example.org;AuthType=aad', /a user, a query or a fragment/],
    ['a query in the endpoint', 'Endpoint=https://example.org?a=b;AuthType=aad', /a user, a query or a fragment/],
    ['a fragment in the endpoint', 'Endpoint=https://example.org#a;AuthType=aad', /a user, a query or a fragment/],
    ['a path in the endpoint', 'Endpoint=https://example.org/path;AuthType=aad', /with a path/],
    ['neither a key nor an identity', `Endpoint=${endpoint};Version=1.0`, /neither AuthType=aad nor AccessKey/],
    ['another authentication', `Endpoint=${endpoint};AuthType=azure`, /AuthType other than aad/],
    [
      'another authentication beside a key',
      `Endpoint=${endpoint};AuthType=key;AccessKey=${KEY}`,
      /AuthType other than/,
    ],
    ['an identity and a key', `${aad};AccessKey=${KEY}`, /both AuthType=aad and AccessKey/],
    [
      'a key and a client',
      `Endpoint=${endpoint};AccessKey=${KEY};ClientId=${CLIENT}`,
      /both AccessKey and an identity/,
    ],
    ['an empty key', `Endpoint=${endpoint};AccessKey=`, /empty AccessKey/],
    ['a client that is no GUID', `${aad};ClientId=my-app`, /ClientId that is no GUID/],
    [
      'a tenant that is none',
      `${aad};ClientId=${CLIENT};TenantId=a/b;ClientSecret=${SECRET}`,
      /TenantId that is neither/,
    ],
    ['a secret without tenant', `${aad};ClientId=${CLIENT};ClientSecret=${SECRET}`, /ClientSecret without TenantId/],
    ['a secret without client', `${aad};TenantId=${TENANT};ClientSecret=${SECRET}`, /ClientSecret without ClientId/],
    ['a tenant without secret', `${aad};ClientId=${CLIENT};TenantId=${TENANT}`, /TenantId without ClientSecret/],
    ['another version', `${aad};Version=2.0`, /Version other than 1\.0/],
    ['a port that is none', `${aad};Port=https`, /Port that is none/],
    ['a port out of range', `${aad};Port=65536`, /Port that is none/],
    ['port 0', `${aad};Port=0`, /Port that is none/],
    ['a key twice', `${aad};endpoint=${endpoint}`, /Endpoint twice/],
    ['an unknown key', `${aad};Hub=rendering`, /part 3 that is none of/],
    ['no key', `${aad};rendering`, /part 3 that is none of/],
    ['an equals sign alone', `${aad};=x`, /part 3 that is none of/],
    ['a semicolon in a secret', `${aad};ClientId=${CLIENT};TenantId=${TENANT};ClientSecret=ab;cd`, /cannot hold a ;/],
    ['a line break', `${aad}\r\n;Version=1.0`, /line break/],
    ['a line break in a value', `Endpoint=https://example\n.org;AuthType=aad`, /line break/],
    ['a NUL', `${aad}\0`, /control character/],
    ['too much', `${aad};ClientSecret=${'x'.repeat(5000)}`, /characters; 4096 are allowed/],
  ];
  test.each(mistakes)('%s', (_, text, told) => {
    expect(mistakeOf(text)).toMatch(told);
    expect(mistakeOf(text)).toMatch(/^WEB_PUBSUB_CONNECTION_STRING: has /);
  });
});

describe('whatever it holds', () => {
  const word = fc.string({ minLength: 12, maxLength: 40, unit: fc.constantFrom(...'QWXYZqwxyz0123456789~=+/') });

  test('a secret comes back whole, and no mistake shows any of it', () => {
    fc.assert(
      fc.property(word, (secret) => {
        const good = `Endpoint=${endpoint};AuthType=aad;ClientId=${CLIENT};TenantId=${TENANT};ClientSecret=${secret}`;
        expect(parseConnectionString(good)).toMatchObject({ clientSecret: secret });
        expect(parseConnectionString(`Endpoint=${endpoint};AccessKey=${secret}`)).toMatchObject({ accessKey: secret });
      }),
    );
    fc.assert(
      fc.property(word, word, (one, other) => {
        for (const bad of [
          `Endpoint=${endpoint};AccessKey=${one};${other}`,
          `Endpoint=${endpoint};AccessKey=${one};${other}=x`,
          `Endpoint=${endpoint};AccessKey=${one};AccessKey=${other}`,
          `Endpoint=${one};AccessKey=${other}`,
          `AccessKey=${one};AuthType=${other}`,
          `${one};${other}`,
          `Endpoint=${endpoint};AuthType=aad;ClientSecret=${one};Version=${other}`,
        ]) {
          const told = mistakeOf(bad);
          expect(told).not.toBe('none');
          expect(told).not.toContain(one);
          expect(told).not.toContain(other);
        }
      }),
    );
  });

  test('it is read or refused, and never anything else', () => {
    const part = fc.tuple(
      fc.constantFrom(
        'Endpoint',
        'AuthType',
        'AccessKey',
        'ClientId',
        'TenantId',
        'ClientSecret',
        'Port',
        'Version',
        '',
      ),
      fc.oneof(fc.string(), fc.constantFrom(endpoint, 'aad', CLIENT, TENANT, '1.0', '443')),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
        const text = parts.map(([key, value]) => `${key}=${value}`).join(';');
        if (mistakeOf(text) === 'none') {
          expect(parseConnectionString(text).endpoint).toMatch(/^https?:\/\/[^/]+$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
