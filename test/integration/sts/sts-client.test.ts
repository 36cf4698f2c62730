import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { MixedRealityStsClient, type StsClientOptions, type StsCredential, StsError } from '#lib/sts';
import { ACCOUNT, type ClientGround, clientGround, DAY, KEY } from './client-ground.ts';
import { answerWith } from './sts-server.ts';

let ground: ClientGround;
beforeEach(async () => {
  ground = await clientGround();
  ground.sts.answer(ground.tokenFor(DAY));
});
afterEach(() => ground[Symbol.asyncDispose]());

const idOf = ({ token }: { token: string }) => decodeJwt(token).jti;

describe('a request to the STS', () => {
  it('is what the original libraries send with an account key', async () => {
    await ground.client().getToken();
    const [request] = ground.sts.requests;
    expect(request).toMatchObject({
      method: 'GET',
      url: `/Accounts/${ACCOUNT}/token?api-version=2019-02-28-preview`,
      headers: {
        authorization: `Bearer ${ACCOUNT}:${KEY}`,
        accept: 'application/json',
        'x-mrc-cv': expect.stringMatching(/^[A-Za-z0-9+/]{22}$/),
      },
    });
  });

  it('has a correlation vector of its own each time', async () => {
    ground.sts.answer(answerWith(500), ground.tokenFor(DAY));
    await ground.client().getToken();
    const vectors = ground.sts.requests.map(({ headers }) => headers['x-mrc-cv']);
    expect(new Set(vectors).size).toBe(2);
  });

  it('brings the Entra token that the credential gave for the scope of the endpoint', async () => {
    const getToken = vi.fn(async () => ({ token: 'entra.token', expiresOnTimestamp: 0 }));
    await ground.client({ getToken }).getToken();
    expect(getToken).toHaveBeenCalledExactlyOnceWith(`${ground.sts.url}/.default`, {
      abortSignal: expect.any(AbortSignal),
    });
    expect(ground.sts.requests[0]?.headers.authorization).toBe('Bearer entra.token');
  });

  it('asks the credential for another scope where one is given', async () => {
    const getToken = vi.fn(async () => ({ token: 'entra.token', expiresOnTimestamp: 0 }));
    await ground.client({ getToken }, { scope: 'https://sts.mixedreality.azure.com//.default' }).getToken();
    expect(getToken.mock.calls[0]).toContain('https://sts.mixedreality.azure.com//.default');
  });

  it('goes to the domain of the account where no endpoint is named', async () => {
    const asked: string[] = [];
    const fetch = async (url: string | URL | Request) => {
      asked.push(String(url));
      return new Response(null, { status: 401 });
    };
    const scopes: unknown[] = [];
    const getToken = async (scope: string | string[]) => {
      scopes.push(scope);
      return { token: 'entra.token', expiresOnTimestamp: 0 };
    };
    const client = new MixedRealityStsClient(ACCOUNT, 'localhost:8443', { getToken }, { fetch });
    await expect(client.getToken()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(asked).toEqual([`https://sts.localhost:8443/Accounts/${ACCOUNT}/token?api-version=2019-02-28-preview`]);
    expect(scopes).toEqual(['https://sts.localhost:8443/.default']);
  });

  it('is none with a ready access token, until that one expires', async () => {
    const expiresOnTimestamp = ground.now().getTime() + 60_000;
    const client = ground.client({ token: 'ready.made.token', expiresOnTimestamp });
    expect(await client.getToken()).toEqual({ token: 'ready.made.token', expiresOn: new Date(expiresOnTimestamp) });
    ground.pass(60);
    await expect(client.getToken()).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('expired'),
    });
    expect(ground.sts.requests).toHaveLength(0);
  });
});

describe('a token', () => {
  it('is kept until five minutes before it expires', async () => {
    const client = ground.client();
    const first = await client.getToken();
    expect(first.expiresOn).toEqual(new Date(ground.now().getTime() + DAY * 1000));
    ground.pass(DAY - 301);
    expect(await client.getToken()).toEqual(first);
    ground.pass(1);
    expect(idOf(await client.getToken())).toBe(2);
    expect(ground.sts.requests).toHaveLength(2);
  });

  it('that is short-lived is kept for nine tenths of its life', async () => {
    ground.sts.answer(ground.tokenFor(100));
    const client = ground.client();
    await client.getToken();
    ground.pass(89);
    expect(idOf(await client.getToken())).toBe(1);
    ground.pass(1);
    expect(idOf(await client.getToken())).toBe(2);
  });

  it('is asked for once however many callers wait, at first and at each renewal', async () => {
    const client = ground.client();
    for (const round of [1, 2, 3]) {
      const tokens = await Promise.all(Array.from({ length: 1000 }, () => client.getToken()));
      expect(new Set(tokens.map(idOf))).toEqual(new Set([round]));
      expect(ground.sts.requests).toHaveLength(round);
      ground.pass(DAY);
    }
  });

  it('is waited for by the others where one caller gives up', async () => {
    let answerNow = () => {};
    ground.sts.answer((response, request) => {
      answerNow = () => ground.tokenFor(DAY)(response, request);
    });
    const client = ground.client();
    const hasty = new AbortController();
    const reason = new Error('The caller left.');
    const first = client.getToken({ abortSignal: hasty.signal });
    const second = client.getToken();
    await vi.waitFor(() => expect(ground.sts.requests).toHaveLength(1));
    hasty.abort(reason);
    await expect(first).rejects.toBe(reason);
    answerNow();
    expect(idOf(await second)).toBe(1);
    await expect(client.getToken({ abortSignal: hasty.signal })).rejects.toBe(reason);
    expect(ground.sts.requests).toHaveLength(1);
  });

  it('that still lives is the answer where it cannot be renewed, and the STS is left alone for half a minute', async () => {
    const client = ground.client();
    await client.getToken();
    ground.pass(DAY - 300);
    ground.sts.answer(answerWith(500));
    expect(idOf(await client.getToken())).toBe(1);
    expect(ground.sts.requests).toHaveLength(4);
    ground.pass(29);
    expect(idOf(await client.getToken())).toBe(1);
    expect(ground.sts.requests).toHaveLength(4);
    ground.pass(1);
    ground.sts.answer(ground.tokenFor(DAY));
    expect(idOf(await client.getToken())).toBe(2);
  });

  it('that is over is not the answer, and what kept it from being renewed is', async () => {
    const client = ground.client();
    await client.getToken();
    ground.pass(DAY - 10);
    ground.sts.answer(answerWith(401));
    expect(idOf(await client.getToken())).toBe(1);
    ground.pass(10);
    await expect(client.getToken()).rejects.toMatchObject({ code: 'unauthorized' });
    ground.sts.answer(ground.tokenFor(DAY));
    expect(idOf(await client.getToken())).toBe(2);
  });

  it('that came after a failure is renewed like any other', async () => {
    ground.sts.answer(answerWith(401), ground.tokenFor(20));
    const client = ground.client();
    await expect(client.getToken()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(idOf(await client.getToken())).toBe(1);
    ground.pass(18);
    expect(idOf(await client.getToken())).toBe(2);
  });
});

describe('an STS that wants to be left alone', () => {
  it('is not asked again before its time, and callers know how long that is', async () => {
    ground.sts.answer(answerWith(429, { 'Retry-After': '30' }));
    const client = ground.client();
    await expect(client.getToken()).rejects.toMatchObject({ code: 'throttled', retryAfterSeconds: 30 });
    ground.pass(20);
    await expect(Promise.all([client.getToken(), client.getToken()])).rejects.toMatchObject({
      code: 'throttled',
      retryAfterSeconds: 10,
      message: expect.stringContaining('Ask again in 10 s.'),
      serviceCorrelationVector: 'service.cv.0',
    });
    expect(ground.sts.requests).toHaveLength(1);
    ground.pass(10);
    ground.sts.answer(ground.tokenFor(DAY));
    expect(idOf(await client.getToken())).toBe(1);
  });

  it('leaves a token that still lives in use for as long', async () => {
    const client = ground.client();
    await client.getToken();
    ground.pass(DAY - 300);
    ground.sts.answer(answerWith(503, { 'Retry-After': '120' }));
    for (const seconds of [0, 60, 59]) {
      ground.pass(seconds);
      expect(idOf(await client.getToken())).toBe(1);
    }
    expect(ground.sts.requests).toHaveLength(2);
    ground.sts.answer(ground.tokenFor(DAY));
    ground.pass(1);
    expect(idOf(await client.getToken())).toBe(2);
  });

  test.each([
    ['2', 2000],
    ['0', 0],
  ])('for %s s only is asked again by the same call', async (seconds, wait) => {
    ground.sts.answer(answerWith(429, { 'Retry-After': seconds }), ground.tokenFor(DAY));
    expect(idOf(await ground.client().getToken())).toBe(1);
    expect(ground.waits).toEqual([wait]);
  });

  test.each([
    [429, { 'Retry-After': 'Thu, 01 Jan 2026 00:01:30 GMT' }, 90],
    [503, { 'Retry-After': 'Thu, 01 Jan 2026 00:01:30 GMT' }, 90],
    [429, { 'Retry-After': '99999999999999999999' }, 3600],
    [429, {}, 5],
    [429, { 'Retry-After': 'soon' }, 5],
    [429, { 'Retry-After': '-5' }, 5],
    [429, { 'Retry-After': '2026-01-01T00:01:30Z' }, 5],
  ])('by %i with %j is for %i s', async (status, headers, seconds) => {
    ground.sts.answer(answerWith(status, headers));
    await expect(ground.client().getToken()).rejects.toMatchObject({ retryAfterSeconds: seconds });
    expect(ground.sts.requests).toHaveLength(1);
  });
});

describe('what a client is made of', () => {
  const make = (given: {
    account?: string;
    domain?: string;
    credential?: unknown;
    options?: StsClientOptions;
  }): StsError => {
    const { account = ACCOUNT, domain = 'example.org', options = {} } = given;
    const credential = 'credential' in given ? given.credential : { key: KEY };
    try {
      // Whoever calls from JavaScript is held by no type.
      Reflect.construct(MixedRealityStsClient, [account, domain, credential, options]);
    } catch (error) {
      if (error instanceof StsError) return error;
      throw error;
    }
    return expect.unreachable('It was made.');
  };
  const getToken = async () => null;

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', KEY],
    ['an empty object', {}],
    ['a key that is none', { key: 5 }],
    ['a token without expiry', { token: 'a' }],
    ['a token with an expiry that is none', { token: 'a', expiresOnTimestamp: 'soon' }],
    ['a credential without getToken()', { getToken: 'no function' }],
    ['a key and a credential', { key: KEY, getToken }],
    ['a key and a token', { key: KEY, token: 'a', expiresOnTimestamp: 1 }],
    ['a token and a credential', { token: 'a', expiresOnTimestamp: 1, getToken }],
    ['all three', { key: KEY, token: 'a', expiresOnTimestamp: 1, getToken }],
  ])('is no credential: %s', (_, credential) => {
    const error = make({ credential });
    expect(error).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('exactly one of { key }'),
    });
  });

  test.each([
    [{ account: '' }, 'account id'],
    [{ account: 'my-account' }, 'account id'],
    [{ account: `${ACCOUNT}/../admin` }, 'account id'],
    [{ account: `${ACCOUNT}\n` }, 'account id'],
    [{ domain: '' }, 'account domain'],
    [{ domain: 'https://example.org' }, 'account domain'],
    [{ domain: 'example.org/path' }, 'account domain'],
    [{ domain: 'user@example.org' }, 'account domain'],
    [{ domain: 'example.org\r\nX: y' }, 'account domain'],
    [{ domain: 'a'.repeat(260) }, 'account domain'],
    [{ domain: 'example.org:99999' }, 'endpoint must be a URL'],
    [{ credential: { key: '' } }, 'account key'],
    [{ credential: { key: 'a b' } }, 'account key'],
    [{ credential: { key: 'a\r\nX-Role: admin' } }, 'account key'],
    [{ credential: { key: 'k'.repeat(513) } }, 'account key'],
    [{ credential: { token: 'a\nb', expiresOnTimestamp: 1 } }, 'access token'],
    [{ options: { authenticationEndpointUrl: 'sts.example.org' } }, 'endpoint must be a URL'],
    [{ options: { authenticationEndpointUrl: 'http://sts.example.org' } }, 'must be https'],
    [{ options: { authenticationEndpointUrl: 'http://127.0.0.1.example.org' } }, 'must be https'],
    [{ options: { authenticationEndpointUrl: 'file:///etc/passwd' } }, 'must be https'],
    [{ options: { authenticationEndpointUrl: 'https://user:pass@sts.example.org' } }, 'no user'],
    [{ options: { authenticationEndpointUrl: 'https://sts.example.org?a=b' } }, 'no user, query'],
    [{ options: { authenticationEndpointUrl: 'https://sts.example.org/\r\n' } }, 'endpoint must be a URL'],
    [{ options: { scope: 'two scopes' } }, 'scope'],
    [{ options: { timeoutMilliseconds: 0 } }, 'timeout'],
    [{ options: { timeoutMilliseconds: Number.NaN } }, 'timeout'],
  ])('is refused: %j', (given, named) => {
    expect(make(given)).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(named) });
  });

  test.each([
    'http://localhost:1',
    'http://sts.localhost:1',
    'http://127.8.9.1',
    'http://[::1]:1',
    'https://sts.example.org/base/',
  ])('may be the endpoint %s', (authenticationEndpointUrl) => {
    const credential: StsCredential = { key: KEY };
    const client = new MixedRealityStsClient(ACCOUNT, 'example.org', credential, { authenticationEndpointUrl });
    expect(client).toBeInstanceOf(MixedRealityStsClient);
  });

  it('may be a credential of a class that hides its secret under a name like ours', async () => {
    class Hiding {
      readonly token = { token: 'inner' };
      async getToken() {
        return { token: 'entra.token', expiresOnTimestamp: 0 };
      }
    }
    expect(idOf(await ground.client(new Hiding()).getToken())).toBe(1);
  });
});
