import { createHmac } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { type EventServer, startEventServer } from './event-server.ts';
import {
  connectRaw,
  HUB,
  JSON_PROTOCOL,
  type RawClient,
  RELIABLE,
  startService,
  type TestService,
  type TestServiceOptions,
  watch,
} from './test-service.ts';

const SYSTEM_EVENTS = ['connect', 'connected', 'disconnected'] as const;

interface Setup extends AsyncDisposable {
  readonly service: TestService;
  readonly webhook: EventServer;
  url(options?: object): Promise<string>;
}

async function setUp(settings = {}, options: TestServiceOptions = {}): Promise<Setup> {
  const webhook = await startEventServer();
  const urlTemplate = `${webhook.url}/hubs/{hub}/{event}`;
  const handler = { hub: HUB, urlTemplate, userEventPattern: '*', systemEvents: [...SYSTEM_EVENTS], ...settings };
  const service = await startService({ eventHandlers: [handler], retryDelays: [10, 10, 10], ...options });
  return {
    service,
    webhook,
    url: async (given = {}) => (await service.serviceOf().getClientAccessToken(given)).url,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await webhook[Symbol.asyncDispose]();
    },
  };
}

describe('an event handler', () => {
  test('is asked once whether it wants events, then told of a connection from its start to its end', async () => {
    await using setup = await setUp();
    const { webhook } = setup;
    const client = await connectRaw(await setup.url({ userId: 'alice' }), JSON_PROTOCOL);
    await vi.waitFor(() => expect(webhook.eventsOf('connected')).toHaveLength(1));
    client.socket.close(1000, 'done');
    await vi.waitFor(() => expect(webhook.eventsOf('disconnected')).toHaveLength(1));

    expect(webhook.validations).toHaveLength(1);
    expect(webhook.validations[0]).toMatchObject({
      path: `/hubs/${HUB}/validate`,
      headers: { 'webhook-request-origin': 'localhost', 'ce-awpsversion': '1.0' },
    });
    expect(webhook.events.map(({ method, path }) => `${method} ${path}`)).toEqual(
      SYSTEM_EVENTS.map((name) => `POST /hubs/${HUB}/${name}`),
    );
    const connectionId = String(webhook.events[0]?.headers['ce-connectionid']);
    for (const [index, name] of SYSTEM_EVENTS.entries()) {
      const headers = webhook.events[index]?.headers ?? {};
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'webhook-request-origin': 'localhost',
        'ce-specversion': '1.0',
        'ce-awpsversion': '1.0',
        'ce-type': `azure.webpubsub.sys.${name}`,
        'ce-source': `/hubs/${HUB}/client/${connectionId}`,
        'ce-id': expect.any(String),
        'ce-time': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        'ce-connectionid': connectionId,
        'ce-hub': HUB,
        'ce-eventname': name,
        'ce-userid': 'alice',
      });
      // Without access keys there is nothing to sign with.
      expect(headers['ce-signature']).toBeUndefined();
      expect(headers['ce-subprotocol']).toBe(name === 'connect' ? undefined : JSON_PROTOCOL);
    }
    expect(JSON.parse(webhook.events[1]?.body ?? '')).toEqual({});
    expect(JSON.parse(webhook.events[2]?.body ?? '')).toEqual({ reason: 'done' });
  });

  test('sees who connects, but not their token', async () => {
    await using setup = await setUp();
    const client = await connectRaw(
      `${await setup.url({ userId: 'alice', roles: ['webpubsub.sendToGroup'] })}&room=1&room=2`,
      JSON_PROTOCOL,
      {
        headers: { 'x-test': 'yes' },
      },
    );
    const body = JSON.parse(setup.webhook.eventsOf('connect')[0]?.body ?? '');
    expect(body).toMatchObject({
      claims: { sub: ['alice'], role: ['webpubsub.sendToGroup'] },
      query: { room: ['1', '2'] },
      headers: { 'x-test': ['yes'] },
      subprotocols: [JSON_PROTOCOL],
      clientCertificates: [],
    });
    expect(JSON.stringify(body)).not.toContain('eyJ');
    client.socket.close(1000);
  });

  test('decides who a client is, its groups, its roles and its subprotocol', async () => {
    await using setup = await setUp();
    setup.webhook.answer = ({ path }) =>
      path.endsWith('/connect')
        ? {
            status: 200,
            headers: { 'content-type': 'application/json', 'ce-connectionState': 'eyJrIjoxfQ==' },
            body: JSON.stringify({ userId: 'bob', groups: ['given'], roles: [], subprotocol: RELIABLE }),
          }
        : {};
    const socket = await connectRaw(await setup.url({ userId: 'alice', roles: ['webpubsub.sendToGroup'] }), RELIABLE);
    await vi.waitFor(() => expect(socket.frames[0]).toMatchObject({ userId: 'bob' }));
    socket.send({ type: 'sendToGroup', group: 'given', ackId: 1, data: 1 });
    await vi.waitFor(() => expect(socket.frames.at(-1)).toMatchObject({ error: { name: 'Forbidden' } }));
    expect(await setup.service.serviceOf().groupExists('given')).toBe(true);
    socket.send({ type: 'event', event: 'ask', data: 1 });
    await vi.waitFor(() => expect(setup.webhook.eventsOf('ask')).toHaveLength(1));
    expect(setup.webhook.eventsOf('ask')[0]?.headers).toMatchObject({
      'ce-connectionstate': 'eyJrIjoxfQ==',
      'ce-userid': 'bob',
    });
    socket.socket.close(1000);
  });

  test.each([
    [403, '403'],
    [401, '401'],
    [500, '500'],
    [302, '500'],
  ])('that answers %i to a connect refuses the client with it', async (status, seen) => {
    await using setup = await setUp();
    setup.webhook.answer = () => ({ status, headers: { location: 'http://127.0.0.1:1/' } });
    await expect(connectRaw(await setup.url(), JSON_PROTOCOL)).rejects.toThrow(seen);
    expect(setup.webhook.eventsOf('connected')).toEqual([]);
  });

  test.each(['no JSON', '{"groups":["  "]}', '{"subprotocol":"not offered"}'])(
    'whose answer to a connect is wrong lets nobody in: %s',
    async (body) => {
      await using setup = await setUp();
      setup.webhook.answer = () => ({ status: 200, body });
      await expect(connectRaw(await setup.url(), JSON_PROTOCOL)).rejects.toThrow('500');
    },
  );

  test.each([undefined, 'example.com'])('that allows requests of %s gets none', async (allowed) => {
    await using setup = await setUp({ systemEvents: ['connected'] });
    setup.webhook.allowedOrigin = allowed;
    const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
    client.send({ type: 'event', event: 'ask', ackId: 1, data: 1 });
    await vi.waitFor(() =>
      expect(client.frames.at(-1)).toMatchObject({ ackId: 1, error: { name: 'InternalServerError' } }),
    );
    expect(setup.webhook.events).toEqual([]);
    setup.webhook.allowedOrigin = 'localhost:8443';
    client.send({ type: 'event', event: 'ask', ackId: 1, data: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 1, success: true }));
    client.socket.close(1000);
  });

  test('is shown both signatures where there are access keys', async () => {
    const keys = ['first key', 'second key'];
    await using setup = await setUp({}, { accessKeys: keys });
    const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
    const { headers } = setup.webhook.eventsOf('connect')[0] ?? {};
    const expected = keys.map(
      (key) => `sha256=${createHmac('sha256', key).update(String(headers?.['ce-connectionid'])).digest('hex')}`,
    );
    expect(headers?.['ce-signature']).toBe(expected.join(','));
    client.socket.close(1000);
  });
});

describe('an event handler that wants a token of the resource itself', () => {
  const auth = { resource: 'api://handler' };
  const header = 'what the endpoint wants';

  /** An endpoint of managed identities that gives out what a test wants, once it wants it. */
  async function startTokens(secondsLeft = 3600, wanted?: Promise<void>) {
    const endpoint = await startEventServer();
    let given = 0;
    endpoint.answer = async ({ headers }) => {
      given += 1;
      await wanted;
      const body = { access_token: `token-${given}`, expires_on: String(Math.floor(Date.now() / 1000) + secondsLeft) };
      return headers['x-identity-header'] === header ? { status: 200, body: JSON.stringify(body) } : { status: 401 };
    };
    return endpoint;
  }
  const connectTwice = async (setup: Setup) =>
    await Promise.all([1, 2].map(async () => connectRaw(await setup.url(), JSON_PROTOCOL)));
  const close = (clients: readonly RawClient[]) => {
    for (const { socket } of clients) socket.close(1000);
  };
  const shownTo = ({ webhook }: Setup) => webhook.events.map(({ headers }) => headers.authorization);

  test('is shown one, asked for once for all events, and not for the handshake', async () => {
    const bothConnected = Promise.withResolvers<void>();
    await using tokens = await startTokens(3600, bothConnected.promise);
    const identity = { endpoint: tokens.url, header };
    await using setup = await setUp({ auth, systemEvents: ['connected'] }, { identity });
    const clients = await connectTwice(setup);
    bothConnected.resolve();
    await vi.waitFor(() => expect(shownTo(setup)).toEqual(['Bearer token-1', 'Bearer token-1']));
    close(clients);
    close(await connectTwice(setup));
    await vi.waitFor(() => expect(shownTo(setup)).toHaveLength(4));
    expect(tokens.events.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /?api-version=2019-08-01&resource=api%3A%2F%2Fhandler',
    ]);
    expect(setup.webhook.validations.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test('is never shown one that is about to expire', async () => {
    await using tokens = await startTokens(200);
    await using setup = await setUp(
      { auth, systemEvents: ['connected'] },
      { identity: { endpoint: tokens.url, header } },
    );
    for (const count of [1, 2]) {
      const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
      await vi.waitFor(() => expect(shownTo(setup)).toHaveLength(count));
      client.socket.close(1000);
    }
    expect(new Set(shownTo(setup))).toEqual(new Set(['Bearer token-1', 'Bearer token-2']));
  });

  test.each([
    ['there is no identity', undefined],
    ['the endpoint refuses', 'another'],
  ])('is told nothing where %s, and its clients connect all the same', async (_name, wrong) => {
    await using tokens = await startTokens();
    const identity = wrong === undefined ? undefined : { endpoint: tokens.url, header: wrong };
    await using setup = await setUp({ auth, systemEvents: ['connected'] }, { identity });
    const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
    client.send({ type: 'event', event: 'ask', ackId: 1, data: 1 });
    // It is asked with the same token that there is not.
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 1, success: false }));
    expect(setup.webhook.events).toEqual([]);
    client.socket.close(1000);
  });
});

describe('an event of a client', () => {
  test('is answered by its handler, in the form in which it answers', async () => {
    await using setup = await setUp({ systemEvents: [] });
    await using watcher = await watch(() => setup.url({ userId: 'alice' }));
    const types = { text: 'text/plain', json: 'application/json', bytes: 'application/octet-stream' };
    const bodies = { text: 'hi', json: '{"a":1}', bytes: Buffer.from([0, 255]) };
    setup.webhook.answer = ({ path }) => {
      const form = path.split('/').at(-1) as keyof typeof types;
      return { status: 200, headers: { 'content-type': types[form] }, body: bodies[form] };
    };
    await watcher.client.sendEvent('text', 'plain', 'text');
    await watcher.client.sendEvent('json', { q: 1 }, 'json');
    await watcher.client.sendEvent('bytes', new Uint8Array([7]).buffer, 'binary');
    await vi.waitFor(() => expect(watcher.received).toHaveLength(3));
    expect(watcher.received).toEqual(['hi', { a: 1 }, new Uint8Array([0, 255]).buffer]);
    expect(
      setup.webhook.events.map(({ headers, body }) => [headers['ce-type'], headers['content-type'], body]),
    ).toEqual([
      ['azure.webpubsub.user.text', 'text/plain', 'plain'],
      ['azure.webpubsub.user.json', 'application/json', '{"q":1}'],
      ['azure.webpubsub.user.bytes', 'application/octet-stream', '\u0007'],
    ]);
  });

  test('that is invoked is answered to the one who asked', async () => {
    await using setup = await setUp({ systemEvents: [] });
    await using watcher = await watch(() => setup.url());
    const { client } = watcher;
    setup.webhook.answer = ({ path, body }) => {
      if (path.endsWith('/refused')) return { status: 400 };
      return path.endsWith('/silent')
        ? {}
        : { status: 200, headers: { 'content-type': 'text/plain' }, body: `${body}!` };
    };
    expect(await client.invokeEvent('echo', 'ping', 'text')).toMatchObject({ dataType: 'text', data: 'ping!' });
    expect((await client.invokeEvent('silent', { a: 1 }, 'json')).data).toBeUndefined();
    await expect(client.invokeEvent('refused', 1, 'json')).rejects.toMatchObject({
      errorDetail: { name: 'InternalServerError' },
    });
    expect(watcher.received).toEqual([]);
  });

  test('waits for the one before it', async () => {
    await using setup = await setUp({ systemEvents: [] });
    const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
    let running = 0;
    let most = 0;
    setup.webhook.answer = async () => {
      running += 1;
      most = Math.max(most, running);
      await nextTurn();
      running -= 1;
      return {};
    };
    for (let ackId = 1; ackId <= 20; ackId += 1) client.send({ type: 'event', event: 'ask', ackId, data: ackId });
    client.send({ type: 'ping' });
    await vi.waitFor(() => expect(client.frames).toHaveLength(22));
    expect(client.frames.slice(1, 21)).toEqual(
      Array.from({ length: 20 }, (_, index) => ({ type: 'ack', ackId: index + 1, success: true })),
    );
    expect(client.frames[21]).toEqual({ type: 'pong' });
    expect(most).toBe(1);
    client.socket.close(1000);
  });

  test('is sent again while its handler fails, then given up; a refusal is final', async () => {
    await using setup = await setUp({ systemEvents: [] });
    const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
    setup.webhook.answer = ({ path }) => {
      if (path.endsWith('/refused')) return { status: 400 };
      return { status: path.endsWith('/flaky') && setup.webhook.eventsOf('flaky').length === 2 ? 204 : 503 };
    };
    client.send({ type: 'event', event: 'flaky', ackId: 1, data: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 1, success: true }));
    client.send({ type: 'event', event: 'broken', ackId: 2, data: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 2, success: false }));
    expect(setup.webhook.eventsOf('broken')).toHaveLength(4);
    client.send({ type: 'event', event: 'refused', ackId: 3, data: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 3, success: false }));
    expect(setup.webhook.eventsOf('refused')).toHaveLength(1);
    client.socket.close(1000);
  });

  test('goes to the handler whose pattern names it, and fails without one', async () => {
    await using setup = await setUp({ systemEvents: [], userEventPattern: 'model.*, ask' });
    const client = await connectRaw(await setup.url(), JSON_PROTOCOL);
    for (const [index, event] of ['model.load', 'ASK', 'other'].entries())
      client.send({ type: 'event', event, ackId: index, data: 1 });
    await vi.waitFor(() => expect(client.frames).toHaveLength(4));
    expect(client.frames.slice(1)).toMatchObject([{ success: true }, { success: true }, { success: false }]);
    client.socket.close(1000);
  });

  test('of a client without a subprotocol is called message; where it fails, the client is closed', async () => {
    await using setup = await setUp({ systemEvents: [] });
    const client = await connectRaw(await setup.url());
    setup.webhook.answer = ({ body }) =>
      body === 'fail' ? { status: 400 } : { status: 200, headers: { 'content-type': 'text/plain' }, body: `${body}!` };
    client.socket.send('hello');
    await vi.waitFor(() => expect(client.frames.map(String)).toEqual(['hello!']));
    expect(setup.webhook.eventsOf('message')[0]?.headers['ce-type']).toBe('azure.webpubsub.user.message');
    client.socket.send('fail');
    expect((await client.closed).code).toBe(1011);
  });
});

test('taking a lost connection up again is no new connection', async () => {
  await using setup = await setUp();
  const url = await setup.url();
  const client = await connectRaw(url, RELIABLE);
  await vi.waitFor(() => expect(client.frames).toHaveLength(1));
  const { connectionId, reconnectionToken } = Object(client.frames[0]);
  client.socket.terminate();
  await client.closed;
  const again = await connectRaw(
    `${url}&awps_connection_id=${connectionId}&awps_reconnection_token=${reconnectionToken}`,
    RELIABLE,
  );
  await vi.waitFor(() => expect(again.frames).toHaveLength(1));
  again.socket.close(1000);
  await vi.waitFor(() => expect(setup.webhook.eventsOf('disconnected')).toHaveLength(1));
  expect(setup.webhook.events.map(({ path }) => path.split('/').at(-1))).toEqual([
    'connect',
    'connected',
    'disconnected',
  ]);
});
