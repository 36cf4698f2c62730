import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LiveEvent } from '#lib/api';
import { type Audience, createPubSub, joinRole, type PubSub, pipelineGroup } from '#lib/pubsub';
import { anyone, HUB, OWNER, startService, type TestService, type Watcher, watch } from '../web-pubsub/test-service.ts';
import {
  answerAsTheService,
  answerWith,
  configWith,
  FakeIdentity,
  pubSubAt,
  startWebPubSubServer,
  type WebPubSubServer,
} from './web-pubsub-server.ts';

const event: LiveEvent = {
  specversion: '1.0',
  id: 'pipeline/duck/3',
  source: '/accounts/a',
  type: 'remoterendering.pipeline.state',
  subject: '/pipelines/duck',
  time: '2026-03-01T12:00:00.000Z',
  datacontenttype: 'application/json',
  data: { id: 'duck', state: 'ready', sequence: 3 },
};
const audience = (change: Partial<Audience> = {}): Audience => ({
  pipelineId: 'duck',
  owner: 'ada',
  readers: [],
  ...change,
});

describe('with the service', () => {
  let service: TestService;
  let pubsub: PubSub;
  const watchers: Watcher[] = [];
  beforeAll(async () => {
    service = await startService();
    const credential = {
      getToken: async () => ({ token: await service.tokenOf(OWNER), expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const settings = configWith({ WEB_PUBSUB_ENDPOINT: service.endpoint, WEB_PUBSUB_HUB: HUB });
    const made = createPubSub(settings, credential, () => new Date());
    if (made === undefined) throw new Error('The settings name no Web PubSub.');
    pubsub = made;
  });
  afterEach(async () => {
    for (const watcher of watchers.splice(0)) await watcher[Symbol.asyncDispose]();
  });
  afterAll(() => service[Symbol.asyncDispose]());

  /** The real client SDK with a token of ours. */
  async function watching(userId: string, groups: readonly string[] = [], autoReconnect = true): Promise<Watcher> {
    const roles = groups.map(joinRole);
    const url = async () => (await pubsub.tokens.issue({ userId, minutes: 10, groups, roles })).url;
    const watcher = await watch(url, { autoReconnect });
    watchers.push(watcher);
    return watcher;
  }

  /** What each has received once all have the last message. */
  async function received(...all: Watcher[]): Promise<unknown[][]> {
    await service.serviceOf().sendToAll('end');
    await vi.waitFor(() => {
      for (const { received: each } of all) expect(each.at(-1)).toBe('end');
    });
    return all.map(({ received: each }) => each.slice(0, -1));
  }

  test('an event reaches group, owner, readers and Administrators once each, and nobody else', async () => {
    const [owner, reader] = [anyone(), anyone()];
    const all = [
      await watching(owner, ['clients', 'pipeline.duck']),
      await watching(reader),
      await watching(anyone(), ['administrators', 'pipeline.duck']),
      await watching(anyone(), ['pipeline.duck']),
      await watching(anyone(), ['clients']),
      await watching(anyone(), ['pipeline.duck2']),
    ];
    await pubsub.events.publish(event, audience({ owner, readers: [reader] }));
    expect(await received(...all)).toEqual([[event], [event], [event], [event], [], []]);
  });

  test('what every Client may read reaches every Client', async () => {
    const all = [await watching(anyone(), ['clients']), await watching(anyone(), ['administrators'])];
    await pubsub.events.publish(event, audience({ readers: ['clients'] }));
    expect(await received(...all)).toEqual([[event], [event]]);
  });

  test('so does one with a hundred readers, still once each', async () => {
    const readers = Array.from({ length: 100 }, () => anyone());
    const all = [
      await watching(readers[0] ?? '', ['pipeline.duck']),
      await watching(readers[99] ?? '', ['pipeline.duck']),
      await watching(readers[50] ?? ''),
      await watching(readers[99] ?? '', ['administrators']),
      await watching(anyone()),
    ];
    await pubsub.events.publish(event, audience({ readers }));
    expect(await received(...all)).toEqual([[event], [event], [event], [event], []]);
  });

  test('names that mean something in a filter mean nothing there', async () => {
    const stranger = await watching(anyone());
    const readers = ["x' or userId ne 'y", 'a/b', '..', ''];
    await pubsub.events.publish(event, audience({ owner: "' or '' eq '", readers }));
    await pubsub.events.publish(event, audience({ pipelineId: "' in groups or userId ne 'y" }));
    expect(await received(stranger)).toEqual([[]]);
  });

  test('an event is sent again to those of some connections who may hear it, and to no other', async () => {
    const [owner, reader] = [anyone(), anyone()];
    const [late, lateOwner, lateAdministrator, stranger] = [
      await watching(reader),
      await watching(owner),
      await watching(anyone(), ['administrators']),
      await watching(anyone(), ['clients']),
    ];
    const there = [await watching(reader), await watching(anyone(), ['administrators'])];
    const come = [late, lateOwner, lateAdministrator, stranger];
    const ids = come.map(({ connectionId }) => connectionId);
    const readers = [...Array.from({ length: 60 }, () => anyone()), reader];
    await pubsub.events.repeat(event, audience({ owner, readers }), ids, AbortSignal.timeout(5000));
    expect(await received(...come, ...there)).toEqual([[event], [event], [event], [], [], []]);
  });

  test('or to all who may hear it, where so many come that naming them costs more', async () => {
    const all = [
      await watching(anyone(), ['clients']),
      await watching(anyone(), ['administrators']),
      await watching(anyone()),
    ];
    await pubsub.events.repeat(event, audience({ readers: ['clients'] }), 'everyone', AbortSignal.timeout(5000));
    expect(await received(...all)).toEqual([[event], [event], []]);
  });

  test('who is kept out hears nothing, whatever group or list they are in, and however many are kept out', async () => {
    const [revoked, owner] = [anyone(), anyone()];
    const keptOut = [...Array.from({ length: 60 }, () => anyone()), revoked, 'no user id\n', "' or '' eq '"];
    const out = await watching(revoked, ['administrators', 'clients', 'pipeline.duck']);
    const owning = await watching(owner);
    const readers = ['clients', revoked, ...Array.from({ length: 60 }, () => anyone())];
    await pubsub.events.publish(event, audience({ owner, readers, keptOut }));
    const ids = [out, owning].map(({ connectionId }) => connectionId);
    await pubsub.events.repeat(event, audience({ owner, readers, keptOut }), ids, AbortSignal.timeout(5000));
    expect(await received(out, owning)).toEqual([[], [event, event]]);
  });

  test('a stale group lets nobody hear', async () => {
    const [inGroup, administrator] = [
      await watching(anyone(), ['pipeline.duck']),
      await watching(anyone(), ['administrators']),
    ];
    const ids = [inGroup, administrator].map(({ connectionId }) => connectionId);
    const signal = AbortSignal.timeout(5000);
    await pubsub.events.repeat(event, audience({ groupIsStale: true }), ids, signal);
    expect(await received(inGroup, administrator)).toEqual([[], [event]]);
    await pubsub.events.repeat(event, audience(), ids, signal);
    expect(await received(inGroup)).toEqual([['end', event]]);
  });

  test("a user's connections are closed, all of them and no other", async () => {
    const user = anyone();
    const closed = [await watching(user, [], false), await watching(user, [], false)];
    const other = await watching(anyone(), [], false);
    const stopped = closed.map(({ client }) => new Promise<void>((resolve) => client.on('stopped', () => resolve())));
    await pubsub.events.closeUser(user, 'revoked');
    await Promise.all(stopped);
    expect(await received(other)).toEqual([[]]);
  });

  test('a reader is taken out of the group of a pipeline, and cannot come back into it', async () => {
    const [user, owner] = [anyone(), anyone()];
    const groups = ['pipeline.duck', 'pipeline.other'];
    const [former, stays] = [await watching(user, groups), await watching(anyone(), groups)];
    await pubsub.events.dropReader(user, 'duck');
    await expect(former.client.joinGroup('pipeline.duck')).rejects.toMatchObject({ name: 'SendMessageError' });
    await former.client.joinGroup('pipeline.other');
    await pubsub.events.publish(event, audience({ owner }));
    expect(await received(former, stays)).toEqual([[], [event]]);
  });

  test('and so is everybody but the audience and Administrators', async () => {
    const [owner, reader] = [anyone(), anyone()];
    const group = pipelineGroup('swan');
    const all = [
      await watching(anyone(), [group]),
      await watching(owner, [group]),
      await watching(reader, [group]),
      await watching(anyone(), ['administrators', group]),
    ];
    await pubsub.events.dropOthers(audience({ pipelineId: 'swan', owner, readers: [reader] }));
    await service.serviceOf().group(group).sendToAll('hello');
    const heard = [[group, 'hello']];
    expect(await received(...all)).toEqual([[], heard, heard, heard]);
    await pubsub.events.dropOthers(audience({ pipelineId: 'swan', readers: ['clients'] }));
    expect(await service.serviceOf().groupExists(group)).toBe(true);
  });

  test('an identity that may not send is told which permission it lacks', async () => {
    const poor = anyone();
    service.roles[poor] = [];
    const credential = {
      getToken: async () => ({ token: await service.tokenOf(poor), expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const settings = configWith({ WEB_PUBSUB_ENDPOINT: service.endpoint });
    const made = createPubSub(settings, credential, () => new Date());
    await expect(made?.events.publish(event, audience())).rejects.toMatchObject({
      code: 'permission',
      dataAction: 'Microsoft.SignalRService/WebPubSub/hub/send/action',
    });
    service.roles[poor] = ['Microsoft.SignalRService/WebPubSub/clientConnection/generateToken/action'];
    const wanted = { userId: anyone(), minutes: 1, groups: [], roles: [] };
    await expect(made?.tokens.issue(wanted)).rejects.toMatchObject({
      code: 'permission',
      dataAction: 'Microsoft.SignalRService/WebPubSub/clientConnection/write',
    });
  });
});

describe('without it', () => {
  let server: WebPubSubServer;
  beforeAll(async () => {
    server = await startWebPubSubServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('an event is one request, whatever comes of it', async () => {
    for (const [status, code] of [
      [500, 'unreachable'],
      [429, 'throttled'],
      [401, 'refused'],
      [200, 'bad_answer'],
    ] as const) {
      const before = server.asked.length;
      server.answer(answerWith(status));
      await expect(pubSubAt(server.url).events.publish(event, audience())).rejects.toMatchObject({ code });
      expect(server.asked).toHaveLength(before + 1);
    }
  });

  test('the request is the event, with one filter', async () => {
    server.answer(answerAsTheService);
    await pubSubAt(server.url).events.publish(event, audience({ readers: ['bob', 'ada', 'clients'] }));
    const sent = server.asked.at(-1);
    expect(JSON.parse(sent?.body ?? '')).toEqual(event);
    expect(sent?.url.pathname).toBe('/api/hubs/rendering/:send');
    expect(sent?.url.searchParams.get('filter')).toBe(
      "'pipeline.duck' in groups or 'administrators' in groups or 'clients' in groups or userId eq 'ada' or userId eq 'bob'",
    );
  });

  test('sent again it is one request for fifty connections, short enough for a URL, with their names escaped', async () => {
    server.answer(answerAsTheService);
    const { events } = pubSubAt(server.url);
    const before = server.asked.length;
    const signal = AbortSignal.timeout(5000);
    const ids = Array.from({ length: 120 }, (_, index) => `c-${index}-${'x'.repeat(56)}`);
    const readers = Array.from({ length: 19 }, () => anyone());
    await events.repeat(event, audience({ readers: [...readers, 'clients'] }), ids, signal);
    const sent = server.asked.slice(before).map(({ url }) => url);
    expect(sent).toHaveLength(3);
    for (const { href } of sent) expect(href.length).toBeLessThan(8192);
    const all = sent.map(({ searchParams }) => searchParams.get('filter')).join();
    for (const id of ids) expect(all).toContain(`connectionId eq '${id}'`);
    await events.repeat(event, audience(), ["a'b"], signal);
    expect(server.asked.at(-1)?.url.searchParams.get('filter')).toBe(
      "(connectionId eq 'a''b') and ('pipeline.duck' in groups or 'administrators' in groups or userId eq 'ada')",
    );
  });

  test('and it ends with its first failure', async () => {
    server.answer(answerWith(429));
    const before = server.asked.length;
    const ids = Array.from({ length: 120 }, (_, index) => `c-${index}`);
    const repeating = pubSubAt(server.url).events.repeat(event, audience(), ids, AbortSignal.timeout(5000));
    await expect(repeating).rejects.toMatchObject({ code: 'throttled' });
    expect(server.asked).toHaveLength(before + 1);
  });

  test('a service that does not answer is given up after a second, or when the caller has no more time', async () => {
    server.answer(() => undefined);
    const { events } = pubSubAt(server.url);
    let started = performance.now();
    await expect(events.publish(event, audience())).rejects.toMatchObject({ name: 'PubSubError', code: 'timeout' });
    expect(performance.now() - started).toBeLessThan(1500);
    started = performance.now();
    const signal = AbortSignal.timeout(50);
    await expect(events.publish(event, audience(), signal)).rejects.toMatchObject({ code: 'timeout' });
    expect(performance.now() - started).toBeLessThan(500);
    await expect(events.publish(event, audience(), AbortSignal.abort())).rejects.toMatchObject({ code: 'timeout' });
  });

  test('an identity that does not answer is no longer waited for either', async () => {
    const hanging = new FakeIdentity();
    hanging.getToken = () => new Promise(() => undefined);
    const publishing = pubSubAt(server.url, hanging).events.publish(event, audience());
    await expect(publishing).rejects.toMatchObject({ code: 'timeout' });
  });

  test.each(['..', '.', 'a/b', '', 'a%2Fb', 'x'.repeat(200)])('the user %j is never part of a path', async (user) => {
    const { events } = pubSubAt(server.url);
    const before = server.asked.length;
    await expect(events.closeUser(user, 'revoked')).rejects.toMatchObject({ code: 'invalid' });
    await expect(events.dropReader(user, 'duck')).rejects.toMatchObject({ code: 'invalid' });
    expect(server.asked).toHaveLength(before);
  });
});
