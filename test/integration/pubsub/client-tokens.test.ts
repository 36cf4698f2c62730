import { inspect } from 'node:util';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ClientTokenRequest, createPubSub } from '#lib/pubsub';
import {
  type Answer,
  answerAsTheService,
  answerLacking,
  answerToken,
  answerWith,
  claimsFor,
  configWith,
  FakeIdentity,
  IDENTITY_TOKEN,
  pubSubAt,
  startWebPubSubServer,
  tokenWith,
  type WebPubSubServer,
} from './web-pubsub-server.ts';

const GENERATE = 'Microsoft.SignalRService/WebPubSub/clientConnection/generateToken/action';
const CONNECT = 'Microsoft.SignalRService/WebPubSub/clientConnection/write';
const request: ClientTokenRequest = {
  userId: '11111111-2222-4333-8444-555555555555',
  minutes: 10,
  groups: ['clients', 'pipeline.duck'],
  roles: ['webpubsub.joinLeaveGroup.pipeline.duck'],
};

let server: WebPubSubServer;
beforeAll(async () => {
  server = await startWebPubSubServer();
});
beforeEach(() => server.answer(answerAsTheService));
afterAll(() => server[Symbol.asyncDispose]());

const issue = (change: Partial<ClientTokenRequest> = {}) =>
  pubSubAt(server.url).tokens.issue({ ...request, ...change });

describe('with an identity', () => {
  test('the service makes the token: with the user, the groups, the roles and the minutes that were asked for', async () => {
    const identity = new FakeIdentity();
    const { token, baseUrl, url, expiresOn } = await pubSubAt(server.url, identity).tokens.issue(request);
    expect(baseUrl).toBe(`${server.url.replace('https', 'wss')}/client/hubs/rendering`);
    expect(url).toBe(`${baseUrl}?access_token=${token}`);
    expect(decodeJwt(token)).toMatchObject({ sub: request.userId, role: request.roles[0] });
    expect(expiresOn.getTime()).toBe((decodeJwt(token).exp ?? 0) * 1000);

    const asked = server.askedFor('/api/hubs/rendering/:generateToken').at(-1);
    expect(asked).toMatchObject({ method: 'POST', authorization: `Bearer ${IDENTITY_TOKEN}` });
    const query = [...(asked?.url.searchParams ?? [])].filter(([name]) => name !== 'api-version');
    expect(query.sort()).toEqual([
      ['group', 'clients'],
      ['group', 'pipeline.duck'],
      ['minutesToExpire', '10'],
      ['role', 'webpubsub.joinLeaveGroup.pipeline.duck'],
      ['userId', request.userId],
    ]);
    expect(identity.scopes).toEqual(['https://webpubsub.azure.com/.default']);
  });

  test('the identity is asked once, however many tokens there are', async () => {
    const identity = new FakeIdentity();
    const { tokens } = pubSubAt(server.url, identity);
    await Promise.all([1, 2, 3, 4, 5].map(() => tokens.issue(request)));
    await tokens.issue(request);
    expect(identity.scopes).toHaveLength(1);
  });

  test.each([
    ['a user with a slash', { userId: 'tenant/alice' }],
    ['a user with a percent sign', { userId: 'a%2Fb' }],
    ['a user that is a path', { userId: '..' }],
    ['no user', { userId: '' }],
    ['no time', { minutes: 0 }],
    ['half a minute', { minutes: 1.5 }],
    ['more than the maximum', { minutes: 61 }],
    ['no number', { minutes: Number.NaN }],
    ['an empty group', { groups: [''] }],
    ['a blank group', { groups: [' '] }],
    ['an over-long group', { groups: ['x'.repeat(1025)] }],
    ['a role that is none', { roles: ['webpubsub.joinleavegroup.x'] }],
  ])('%s is never sent', async (_, change) => {
    const before = server.asked.length;
    await expect(issue(change)).rejects.toMatchObject({ name: 'PubSubError', code: 'invalid' });
    expect(server.asked).toHaveLength(before);
  });

  const later = (seconds: number) => (Date.now() / 1000 + seconds) | 0;
  const wrong: [string, Answer][] = [
    ['no token', answerWith(200, {})],
    ['a token that is no JWT', answerWith(200, { token: 'abc' })],
    ['a token with a payload that is no JSON', answerWith(200, { token: 'abc.def.ghi' })],
    ['a token that is a number', answerWith(200, { token: 5 })],
    ['an unsigned token', answerWith(200, { token: tokenWith({}).replace(/[^.]+$/, '') })],
    ['an endless token', answerWith(200, { token: `${tokenWith({})}${'x'.repeat(20_000)}` })],
    ['plain text', answerWith(200, 'a token', { 'Content-Type': 'text/plain' })],
    ['another success', answerWith(204)],
    ['a redirect', answerWith(307, undefined, { Location: 'https://example.org/' })],
    ["somebody else's token", changed({ sub: 'another' })],
    ['a token without user', changed({ sub: undefined })],
    ['a token without expiry', changed({ exp: undefined })],
    ['a token that has expired', changed({ exp: later(-1) })],
    ['a token that lasts longer', changed({ exp: later(10 * 60 + 400) })],
    ['a token for another hub', changed({ aud: 'https://localhost/client/hubs/other' })],
    ['a token for nobody', changed({ aud: undefined })],
    ['a wider role', changed({ role: [...request.roles, 'webpubsub.sendToGroup'] })],
    ['another role', changed({ role: 'webpubsub.joinLeaveGroup' })],
    ['another group', changed({ 'webpubsub.group': ['administrators'] })],
  ];
  test.each(wrong)('%s is never passed on', async (_, answer) => {
    server.answer(answer);
    await expect(issue()).rejects.toMatchObject({ name: 'PubSubError', code: 'bad_answer' });
  });

  test.each([
    ['several audiences', { aud: ['https://elsewhere.example', 'AUDIENCE'] }],
    ['an audience with another scheme and case', { aud: 'WSS-AUDIENCE' }],
    ['fewer roles', { role: undefined }],
    ['a shorter life', { exp: later(30) }],
  ])('%s is as good', async (_, change) => {
    const own = `${server.url}/client/hubs/rendering`;
    const spelled = JSON.stringify(change)
      .replace('WSS-AUDIENCE', own.replace('https', 'wss').replace('hubs/rendering', 'hubs/Rendering'))
      .replace('AUDIENCE', own);
    server.answer(changed(JSON.parse(spelled)));
    await expect(issue()).resolves.toMatchObject({ baseUrl: expect.stringMatching(/^wss:/) });
  });
});

/** The token that was asked for, with other claims. */
function changed(change: Readonly<Record<string, unknown>>): Answer {
  return (asked, response) => answerToken({ ...claimsFor(asked), ...change })(asked, response);
}

describe('the two permissions are told apart', () => {
  test('an identity that may make no token', async () => {
    server.answer(answerLacking(GENERATE, '/:generateToken'));
    const error = { code: 'permission', dataAction: GENERATE, message: expect.stringContaining(GENERATE) };
    await expect(issue()).rejects.toMatchObject(error);
  });

  test('an identity with whose tokens nobody could connect', async () => {
    server.answer(answerLacking(CONNECT, '/connections/remote-rendering-functions-permission-check'));
    const error = { code: 'permission', dataAction: CONNECT, message: expect.stringContaining(CONNECT) };
    await expect(issue()).rejects.toMatchObject(error);
  });

  test('that is looked at again only after five minutes, and at once while it lacks the permission', async () => {
    let at = Date.now();
    const { tokens } = pubSubAt(server.url, new FakeIdentity(), () => new Date(at));
    const looks = () => server.askedFor('-permission-check').length;
    const before = looks();
    server.answer(answerLacking(CONNECT, '-permission-check'));
    await expect(tokens.issue(request)).rejects.toMatchObject({ code: 'permission' });
    server.answer(answerAsTheService);
    await tokens.issue(request);
    await tokens.issue(request);
    expect(looks() - before).toBe(2);
    at += 301_000;
    await tokens.issue({ ...request, minutes: 60 });
    expect(looks() - before).toBe(3);
  });

  test.each([404, 429, 500, 403])('the answer %i to that look says nothing, and the token is given', async (status) => {
    const body = { code: 'Error', message: 'Microsoft.SignalRService/WebPubSub/group/write is required.' };
    server.answer((asked, response) =>
      asked.method === 'DELETE' ? answerWith(status, body)(asked, response) : answerAsTheService(asked, response),
    );
    await expect(issue()).resolves.toHaveProperty('token');
  });

  test('a 403 that names no permission is one of the network, or of a role', async () => {
    server.answer(answerWith(403, { code: 'Error.Forbidden', message: 'Public network access is disabled.' }));
    await expect(issue()).rejects.toMatchObject({ code: 'permission', dataAction: undefined });
  });
});

describe('what goes wrong has a code', () => {
  test.each([
    ['401', answerWith(401), 'refused'],
    ['400', answerWith(400, { code: 'Error.BadRequest', message: 'no' }), 'refused'],
    ['404', answerWith(404), 'refused'],
    ['500', answerWith(500, { code: 'Error', message: 'no' }), 'unreachable'],
    ['503', answerWith(503), 'unreachable'],
    ['no answer at all', (_: unknown, response: { destroy(): unknown }) => void response.destroy(), 'unreachable'],
  ] as const)('%s', async (_, answer, code) => {
    const before = server.askedFor('/:generateToken').length;
    server.answer(answer);
    await expect(issue()).rejects.toMatchObject({ name: 'PubSubError', code });
    expect(server.askedFor('/:generateToken').length - before).toBe(1);
  });

  test('429, with the time that the service asks for', async () => {
    server.answer(answerWith(429, undefined, { 'Retry-After': '7' }));
    await expect(issue()).rejects.toMatchObject({ code: 'throttled', retryAfterSeconds: 7 });
    server.answer(answerWith(429));
    await expect(issue()).rejects.toMatchObject({ code: 'throttled', retryAfterSeconds: 5 });
  });

  test('a service that is not there', async () => {
    await expect(pubSubAt('https://localhost:1').tokens.issue(request)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('an identity that gives no token', async () => {
    const failing = [
      async () => null,
      async () => ({ token: '', expiresOnTimestamp: Date.now() + 60_000 }),
      async () => {
        throw new Error('ManagedIdentityCredential: Authentication failed.');
      },
    ];
    for (const getToken of failing) {
      const pubsub = createPubSub(configWith({ WEB_PUBSUB_ENDPOINT: server.url }), { getToken }, () => new Date());
      await expect(pubsub?.tokens.issue(request)).rejects.toMatchObject({ code: 'identity_unavailable' });
    }
  });

  test('and no error shows a token, whatever the service answers', async () => {
    const bearer = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`;
    const identity = { getToken: async () => ({ token: bearer, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const pubsub = createPubSub(configWith({ WEB_PUBSUB_ENDPOINT: server.url }), identity, () => new Date());
    for (const status of [200, 400, 401, 403, 429, 500]) {
      server.answer(({ authorization }, response) =>
        answerWith(status, { code: authorization, message: `You sent ${authorization}.`, token: authorization })(
          { method: '', url: new URL(server.url), authorization, body: '' },
          response,
        ),
      );
      const error = await pubsub?.tokens.issue(request).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('a'.repeat(40));
    }
  });
});

describe('with an access key', () => {
  const KEY = 'bm90IGEgcmVhbCBrZXkgYnV0IGFzIGxvbmcgYXMgb25lLi4=';
  const keyed = (endpoint: string) =>
    createPubSub(
      configWith({ WEB_PUBSUB_CONNECTION_STRING: `Endpoint=${endpoint};AccessKey=${KEY};Version=1.0;` }),
      new FakeIdentity(),
      () => new Date(),
    );

  test('the token is signed here, and nobody is asked', async () => {
    const before = server.asked.length;
    const given = await keyed(server.url)?.tokens.issue(request);
    expect(decodeJwt(given?.token ?? '')).toMatchObject({
      aud: `${server.url}/client/hubs/rendering`,
      sub: request.userId,
      role: request.roles,
      'webpubsub.group': request.groups,
    });
    expect(server.asked).toHaveLength(before);
  });

  test('an emulator on loopback may do without TLS', async () => {
    const given = await keyed('http://localhost:8080')?.tokens.issue(request);
    expect(given?.baseUrl).toBe('ws://localhost:8080/client/hubs/rendering');
  });
});

describe('the settings', () => {
  test('may name no Web PubSub', () => {
    expect(createPubSub(configWith({}), new FakeIdentity(), () => new Date())).toBeUndefined();
  });

  test('name the hub', async () => {
    const settings = configWith({ WEB_PUBSUB_ENDPOINT: `${server.url}/`, WEB_PUBSUB_HUB: 'other_hub' });
    const given = await createPubSub(settings, new FakeIdentity(), () => new Date())?.tokens.issue(request);
    expect(given?.baseUrl).toMatch(/\/client\/hubs\/other_hub$/);
  });

  test('with an endpoint need no connection string, and none is read', async () => {
    const settings = configWith({ WEB_PUBSUB_ENDPOINT: server.url, WEB_PUBSUB_CONNECTION_STRING: 'left over' });
    const given = await createPubSub(settings, new FakeIdentity(), () => new Date())?.tokens.issue(request);
    expect(given?.baseUrl).toMatch(/^wss:\/\/localhost/);
  });

  test('with a connection string that is wrong say so at once, and nothing of it', () => {
    const settings = configWith({ WEB_PUBSUB_CONNECTION_STRING: 'Endpoint=https://example.org;AccessKey=abc;def' });
    expect(() => createPubSub(settings, new FakeIdentity(), () => new Date())).toThrow(/part 3/);
  });
});
