import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  WebPubSubClient,
  type WebPubSubClientProtocol,
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
} from '@azure/web-pubsub-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EVENT_SOURCE, type LiveEvent, liveEvent, type Route, routes } from '#lib/api';
import { RemoteRenderingClient } from '#lib/client';
import { problemOf, startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb } from '../support/models/index.ts';

vi.setConfig({ testTimeout: 60_000 });
const PATH = routes['web-pubsub-events'].path;
const HIDDEN = { model: 'nowhere/absent.glb', session: null, readers: [] };

let stack: TestStack;
let ada: RemoteRenderingClient;
const clientOf = (role: 'client' | 'administrator', name: string) =>
  new RemoteRenderingClient({ url: stack.endpoints.app, token: () => stack.tokenFor(role, name) });
beforeAll(async () => {
  stack = await startTestStack({ UPLOAD_POLICY: 'convert', TOKEN_REQUESTS_PER_MINUTE: '1000' });
  ada = clientOf('administrator', 'ada');
  await stack.upload('box/box.glb', boxGlb());
  await ada.putPipeline('shown', { model: 'box/box.glb', session: { maxLeaseSeconds: 600 } });
  await ada.putPipeline('hidden', HIDDEN);
  await vi.waitFor(async () => expect((await ada.pipeline('shown')).state).toBe('ready'), 40_000);
});
afterAll(() => stack[Symbol.asyncDispose]());

const urlFor = (role: 'client' | 'administrator', name: string) => async () =>
  (await clientOf(role, name).clientToken()).url;

/** A client of the published package, connected. */
async function connected(getClientAccessUrl: () => Promise<string>, protocol: WebPubSubClientProtocol) {
  const live = new WebPubSubClient({ getClientAccessUrl }, { protocol });
  const events: LiveEvent[] = [];
  live.on('server-message', ({ message }) => events.push(liveEvent.parse(message.data)));
  await live.start();
  return {
    events,
    of: (subject: string) => events.filter((event) => event.subject === subject),
    [Symbol.dispose]: () => live.stop(),
  };
}

describe.each([
  ['json.webpubsub.azure.v1', WebPubSubJsonProtocol],
  ['json.reliable.webpubsub.azure.v1', WebPubSubJsonReliableProtocol],
])('a client of the published package that comes late over %s', (_name, protocol) => {
  test('hears the present state first: the last event of pipeline, conversion and session, as it was sent', async () => {
    using late = await connected(urlFor('client', 'cleo'), protocol());
    const subjects = ['/pipelines/shown', '/conversions/shown', '/sessions/shown'];
    await vi.waitFor(() => expect(late.events.length).toBeGreaterThanOrEqual(3), 10_000);
    const { history, conversionHistory, sessionHistory } = await ada.pipeline('shown');
    const last = [history, conversionHistory, sessionHistory].map((each) => each.at(-1));
    expect(subjects.map((subject) => late.of(subject).at(0)?.data)).toMatchObject(
      last.map((entry) => ({ id: 'shown', state: entry?.state, sequence: entry?.sequence })),
    );
    expect(late.of('/pipelines/shown')[0]).toMatchObject({
      id: `pipeline/shown/${history.length}`,
      source: `/accounts/${stack.endpoints.accountId}`,
      type: 'remoterendering.pipeline.state',
      time: history.at(-1)?.at,
    });
  });

  test('hears nothing of what it may not read, whereas an Administrator hears all', async () => {
    using cleo = await connected(urlFor('client', 'cleo'), protocol());
    using zoe = await connected(urlFor('administrator', 'zoe'), protocol());
    await vi.waitFor(() => {
      expect(zoe.of('/pipelines/hidden')).not.toEqual([]);
      expect(zoe.of('/pipelines/shown')).not.toEqual([]);
      expect(cleo.of('/pipelines/shown')).not.toEqual([]);
    }, 10_000);
    expect(cleo.of('/pipelines/hidden')).toEqual([]);
  });
});

test('whoever was taken off the readers hears no present state, even with an old token for the group', async () => {
  const rita = clientOf('client', 'rita');
  await ada.putPipeline('lent', { ...HIDDEN, readers: [await stack.subjectOf('rita')] });
  const { url } = await rita.clientToken({ pipelines: ['lent'] });
  await ada.setReaders('lent', []);
  using late = await connected(async () => url, WebPubSubJsonProtocol());
  await vi.waitFor(() => expect(late.of('/pipelines/shown')).not.toEqual([]), 10_000);
  expect(late.of('/pipelines/lent')).toEqual([]);
});

test('whoever is revoked and comes back with an old token is closed at once', async () => {
  const rex = clientOf('client', 'rex');
  const { url } = await rex.clientToken();
  await ada.revoke(await stack.subjectOf('rex'));
  const socket = new WebSocket(url, 'json.webpubsub.azure.v1');
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
  await Promise.race([closed, wait(10_000).then(() => expect.fail('It is still open.'))]);
});

test('a storm of connections is told, each of them', async () => {
  const { url } = await clientOf('client', 'cleo').clientToken();
  const sockets = Array.from({ length: 200 }, () => new WebSocket(url, 'json.webpubsub.azure.v1'));
  const told = sockets.map(
    (socket) =>
      new Promise<void>((resolve) =>
        socket.addEventListener('message', ({ data }) => String(data).includes('"/pipelines/shown"') && resolve()),
      ),
  );
  await Promise.race([Promise.all(told), wait(40_000).then(() => expect.fail('Some were not told.'))]);
  for (const socket of sockets) socket.close();
});

describe('the door for the events of Web PubSub', () => {
  const headers = (change: Readonly<Record<string, string>> = {}) => ({
    'ce-specversion': '1.0',
    'ce-type': 'azure.webpubsub.sys.connected',
    'ce-hub': stack.endpoints.hub,
    'ce-connectionId': randomUUID(),
    ...change,
  });
  const without = (name: string) => Object.fromEntries(Object.entries(headers()).filter(([each]) => each !== name));
  const webPubSub = () => stack.tokenFor('eventSource', 'web-pubsub');
  const post = async (given: { headers?: Record<string, string>; token?: string | null; body?: unknown } = {}) =>
    await stack.call('POST', PATH, { token: await webPubSub(), headers: headers(), body: {}, ...given });
  const handshake = (origin: string) =>
    stack.call('OPTIONS', PATH, { token: null, headers: { 'WebHook-Request-Origin': origin } });

  test.each(['localhost', 'LocalHost:8443', 'other.example, localhost'])('lets %s in', async (origin) => {
    const answer = await handshake(origin);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('webhook-allowed-origin')).toBe('localhost');
  });

  test.each(['other.example', 'localhost.other.example', '*', ','])('does not let %j in', async (origin) => {
    const answer = await handshake(origin);
    expect(answer.headers.get('webhook-allowed-origin')).toBeNull();
    expect(problemOf(answer)).toMatchObject({ status: 403, field: 'WebHook-Request-Origin' });
  });

  test('is no door elsewhere', async () => {
    const asked = { token: null, headers: { 'WebHook-Request-Origin': 'localhost' } };
    expect((await stack.call('OPTIONS', '/api/pipelines', asked)).headers.get('webhook-allowed-origin')).toBeNull();
    expect((await handshake('')).headers.get('webhook-allowed-origin')).toBeNull();
  });

  test('takes an event of Web PubSub, and answers nothing', async () => {
    expect(await post()).toMatchObject({ status: 204, body: undefined });
    expect((await post({ body: undefined })).status).toBe(204);
  });

  test('is closed to whoever shows no token, or one with another role', async () => {
    expect((await post({ token: null })).status).toBe(401);
    expect((await post({ token: 'a.b.c' })).status).toBe(401);
    expect((await post({ token: await stack.applicationToken('no-roles') })).status).toBe(403);
    const answer = await post({ token: await stack.tokenFor('administrator', 'ada') });
    expect(answer.status).toBe(403);
    expect(problemOf(answer).detail).toContain(EVENT_SOURCE);
  });

  test.each(['ce-type', 'ce-hub', 'ce-connectionId', 'ce-specversion'])('refuses an event without %s', async (name) => {
    expect(problemOf(await post({ headers: without(name) }))).toMatchObject({ status: 400, field: name });
  });

  test.each([
    ['ce-type', 'azure.webpubsub.sys.connect'],
    ['ce-type', 'azure.webpubsub.user.message'],
    ['ce-hub', 'another'],
    ['ce-connectionId', "x' or true or '"],
    ['ce-connectionId', 'x'.repeat(65)],
    ['ce-specversion', '0.3'],
  ])('refuses an event whose %s is %s', async (name, value) => {
    expect(problemOf(await post({ headers: headers({ [name]: value }) }))).toMatchObject({ status: 400, field: name });
  });

  test.each<[string, string, Record<string, string>, number]>([
    ['no JSON', '{', {}, 400],
    ['no object', '[]', {}, 400],
    ['too large', JSON.stringify({ padding: 'x'.repeat(70_000) }), {}, 413],
    ['of another media type', '{}', { 'Content-Type': 'text/plain' }, 415],
  ])('refuses a body that is %s', async (_name, body, more, status) => {
    expect((await post({ body, headers: headers(more) })).status).toBe(status);
  });

  test.each(Object.entries<Route>(routes).filter(([, { access }]) => access.kind !== 'anyone'))(
    'opens nothing else: %s',
    async (name, route) => {
      const { method, path, access } = route;
      const at = path.replace('{accountId}', stack.endpoints.accountId).replaceAll(/\{\w+\}/g, () => randomUUID());
      const { status } = await stack.call(method, at, { token: await webPubSub() });
      if (name === 'web-pubsub-events') expect(status).toBe(400);
      else expect(status).toBe(access.kind === 'machine' ? 401 : 403);
    },
  );

  test('asks for the signature too where Web PubSub is opened with its key, and fails no event for what cannot be sent', async () => {
    const key = 'a key of this test';
    await using keyed = await startTestStack({
      WEB_PUBSUB_ENDPOINT: '',
      // Nothing listens there.
      WEB_PUBSUB_CONNECTION_STRING: `Endpoint=https://localhost:9;AccessKey=${key};Version=1.0;`,
    });
    const connectionId = randomUUID();
    const signed = (by: string) => `sha256=${createHmac('sha256', by).update(connectionId).digest('hex')}`;
    const statusWith = async (signature: string | undefined) => {
      const signatures = signature === undefined ? {} : { 'ce-signature': signature };
      const token = await keyed.tokenFor('eventSource', 'web-pubsub');
      const given = { token, headers: headers({ 'ce-connectionId': connectionId, ...signatures }), body: {} };
      return (await keyed.call('POST', PATH, given)).status;
    };
    await keyed.call('PUT', '/api/pipelines/some', { body: HIDDEN });
    expect(await statusWith(signed(key))).toBe(204);
    expect(await statusWith(`${signed('another')},${signed(key).toUpperCase().replace('SHA256', 'sha256')}`)).toBe(204);
    for (const wrong of [undefined, '', 'sha256=', signed('another'), signed(key).slice(0, -1)]) {
      expect(await statusWith(wrong), wrong).toBe(401);
    }
    expect(keyed.log().join('\n')).toContain('present states');
  });
});
