import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LiveEvent } from '#lib/api';
import { RemoteRenderingClient } from '#lib/client';
import { ACCOUNT, Outboxes, openTable, RECORD_KINDS } from '#lib/records';
import { connectionString } from '../../infra/local/storage-account.ts';
import { startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb } from '../support/models/index.ts';
import { allProcesses, killAll } from '../support/processes.ts';

vi.setConfig({ testTimeout: 60_000 });
const within = { timeout: 30_000, interval: 50 };
const ABSENT = { model: 'nowhere/absent.glb', session: null };

let stack: TestStack;
const clientOf = (role: 'client' | 'administrator', name: string) =>
  new RemoteRenderingClient({ url: stack.endpoints.app, token: () => stack.tokenFor(role, name) });
let ada: RemoteRenderingClient;
beforeAll(async () => {
  stack = await startTestStack({ UPLOAD_POLICY: 'convert', LEASE_SECONDS: '4', TOKEN_REQUESTS_PER_MINUTE: '1000' });
  ada = clientOf('administrator', 'ada');
  await stack.upload('box/box.glb', boxGlb());
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Watches in the background; `events` grows. */
function watching(client: RemoteRenderingClient, id: string) {
  const stop = new AbortController();
  const events: LiveEvent[] = [];
  const over = (async () => {
    for await (const event of client.watch(id, { signal: stop.signal })) events.push(event);
  })();
  return { events, over, stop: () => stop.abort() };
}
/** Ends Web PubSub as a crash does; the supervisor starts it again after a second. */
async function killWebPubSub(): Promise<void> {
  const servers = await vi.waitFor(async () => {
    const found = (await allProcesses()).filter(
      ({ commandLine }) => commandLine.includes('web-pubsub.ts') && commandLine.includes(stack.endpoints.authority),
    );
    expect(found).toHaveLength(1);
    return found;
  }, within);
  killAll(servers);
}

const statesOf = (events: readonly LiveEvent[], subject: string) =>
  events
    .filter((event) => event.subject === subject && /\.(state|present)$/.test(event.type))
    .map(({ data }) => data.state);

/** The sockets that a token opens, with everything that comes over it. */
async function socketOf(client: RemoteRenderingClient, pipelines: readonly string[] = []) {
  const { url, ...token } = await client.clientToken({ pipelines: [...pipelines] });
  return { ...(await connected(url)), token };
}

async function connected(url: string) {
  const socket = new WebSocket(url, 'json.webpubsub.azure.v1');
  const frames: string[] = [];
  socket.addEventListener('message', ({ data }) => frames.push(String(data)));
  await vi.waitFor(() => expect(frames[0]).toContain('"connected"'), 10_000);
  return { socket, frames, [Symbol.dispose]: () => socket.close() };
}

describe('a watch', () => {
  test('tells the whole journey, every number of each subject in order and once, and ends with it', async () => {
    const id = 'watched';
    await ada.putPipeline(id, { model: 'box/box.glb', session: { maxLeaseSeconds: 4 } });
    const { events, over } = watching(clientOf('client', 'cleo'), id);
    await over;
    const states = ['waiting', 'converting', 'starting', 'ready', 'stopping', 'stopped'];
    const seen = statesOf(events, `/pipelines/${id}`);
    expect(seen).toEqual(states.slice(states.indexOf(seen[0] ?? '')));
    for (const subject of [`/pipelines/${id}`, `/conversions/${id}`, `/sessions/${id}`]) {
      const numbers = events.filter((event) => event.subject === subject).map(({ data }) => data.sequence);
      expect(numbers.length, subject).toBeGreaterThan(0);
      const [first = 0] = numbers;
      expect(numbers, subject).toEqual(numbers.map((_, index) => first + index));
    }
    expect(events.at(-1)?.data).toMatchObject({ state: 'stopped', reason: 'lease_expired' });
  });

  test('that comes late is told the present state first', async () => {
    const { events, over } = watching(clientOf('client', 'cleo'), 'watched');
    await over;
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: 'remoterendering.pipeline.present', data: { state: 'stopped' } });
  });

  test('of what the caller may not know of is refused', async () => {
    await ada.putPipeline('hidden', { ...ABSENT, readers: [] });
    const { over } = watching(clientOf('client', 'cleo'), 'hidden');
    await expect(over).rejects.toMatchObject({ status: 404 });
  });

  test('goes on after Web PubSub was gone, and misses nothing of its pipeline', async () => {
    const id = 'through-a-loss';
    await ada.putPipeline(id, ABSENT);
    const { events, over } = watching(ada, id);
    await vi.waitFor(() => expect(events).toHaveLength(1), 10_000);
    await killWebPubSub();
    await ada.stopPipeline(id);
    await over;
    expect(events.map(({ data }) => data.sequence)).toEqual(events.map((_, index) => 1 + index));
    expect(events.at(-1)?.data.state).toBe('stopped');
  });
});

describe('a session during which Web PubSub is killed again and again', () => {
  const id = 'through-kills';
  const subjects = [`/pipelines/${id}`, `/conversions/${id}`, `/sessions/${id}`];
  let events: readonly LiveEvent[];
  beforeAll(async () => {
    await ada.putPipeline(id, { model: 'box/box.glb', session: { maxLeaseSeconds: 8 } });
    const watch = watching(clientOf('client', 'cleo'), id);
    events = watch.events;
    const heard = async (isIt: (event: LiveEvent) => boolean) =>
      await vi.waitFor(() => expect(events.some(isIt)).toBe(true), within);
    await heard(({ subject, data }) => subject === `/pipelines/${id}` && data.state === 'ready');
    await killWebPubSub();
    const { etag } = await ada.lease(id);
    await ada.renewLease(id, 12, etag);
    await heard(({ type }) => type === 'remoterendering.session.lease_renewed');
    await killWebPubSub();
    await heard(({ subject, data }) => subject === `/sessions/${id}` && data.state === 'stopping');
    await killWebPubSub();
    await watch.over;
  }, 90_000);

  test('is told to its end, and ends as if nothing had been', () => {
    expect(events.at(-1)?.data).toMatchObject({ id, state: 'stopped', reason: 'lease_expired' });
  });

  test('is told whole: every number of each subject from the first that was heard, in order and once', async () => {
    const { history, conversionHistory, sessionHistory } = await ada.pipeline(id);
    for (const [index, entries] of [history, conversionHistory, sessionHistory].entries()) {
      const numbers = events.filter(({ subject }) => subject === subjects[index]).map(({ data }) => data.sequence);
      const written = entries.map(({ sequence }) => sequence);
      expect(numbers.length, subjects[index]).toBeGreaterThan(0);
      expect(numbers, subjects[index]).toEqual(written.slice(written.indexOf(numbers[0] ?? 0)));
    }
  });

  test('leaves nothing in the outboxes', async () => {
    const storage = { kind: 'connection-string', connectionString: connectionString(stack.endpoints) } as const;
    const outboxes = new Outboxes(openTable(storage), ACCOUNT);
    await vi.waitFor(async () => {
      const left = await Promise.all(RECORD_KINDS.map((kind) => outboxes.read(kind, id)));
      expect(left).toEqual([undefined, undefined, undefined]);
    }, within);
  });
});

describe('groups', () => {
  test('an upload is heard by Clients and Administrators who know no id yet, once each', async () => {
    const [cleo, administrator] = [await socketOf(clientOf('client', 'cleo')), await socketOf(ada)];
    expect([cleo.token.groups, administrator.token.groups]).toEqual([['clients'], ['administrators']]);
    const { files, uploadId } = await ada.createUpload([{ name: 'box.glb', bytes: boxGlb().length }]);
    for (const file of files) await ada.uploadFile(file, new Uint8Array(boxGlb()));
    const model = `${uploadId}/box.glb`;
    const id = await vi.waitFor(async () => {
      const found = (await ada.pipelines()).find((pipeline) => pipeline.model === model);
      expect(found?.state).toBe('converted');
      return found?.id ?? '';
    }, 20_000);
    for (const { frames, socket } of [cleo, administrator]) {
      // What is on its way while they connect may come twice, word for word.
      const states = () =>
        [...new Set(frames)]
          .filter((frame) => frame.includes(`"/pipelines/${id}"`))
          .flatMap((frame) => /"state":"(\w+)"/.exec(frame)?.slice(1) ?? []);
      await vi.waitFor(() => expect(states()).toEqual(['waiting', 'converting', 'converted']), 10_000);
      socket.close();
    }
  });

  test('a pipeline without readers is for its owner and Administrators alone', async () => {
    const [cleo, zoe] = [await socketOf(clientOf('client', 'cleo')), await socketOf(clientOf('administrator', 'zoe'))];
    await ada.putPipeline('secret', { ...ABSENT, readers: [] });
    await vi.waitFor(() => expect(zoe.frames.join()).toContain('/pipelines/secret'), 10_000);
    expect(cleo.frames.join()).not.toContain('/pipelines/secret');
    for (const { socket } of [cleo, zoe]) socket.close();
  });
});

describe('what a token may not', () => {
  const ask = async (role: 'client' | 'administrator', body: unknown) =>
    await stack.call('POST', '/api/tokens/client', { token: await stack.tokenFor(role, 'mallory'), body });

  test.each<[string, unknown, number]>([
    ['another user', { userId: 'ada' }, 400],
    ['groups of its own choice', { groups: ['administrators'] }, 400],
    ['the role to send', { roles: ['webpubsub.sendToGroup'] }, 403],
    ['the role to join any group', { roles: ['webpubsub.joinLeaveGroup'] }, 403],
    ['the group of Administrators', { roles: ['webpubsub.joinLeaveGroup.administrators'] }, 403],
    ['a pipeline that is hidden', { pipelines: ['hidden'] }, 404],
    ['a life beyond the maximum', { minutes: 61 }, 400],
    ['no life', { minutes: 0 }, 400],
  ])('%s', async (_name, body, status) => {
    expect((await ask('client', body)).status).toBe(status);
  });

  test('in the shape of the design spec either', async () => {
    const token = await stack.tokenFor('client', 'mallory');
    const get = async (query: string) => await stack.call('GET', `/api/v1/auth/clientToken?${query}`, { token });
    expect((await get(`hub=${stack.endpoints.hub}&ttl=5`)).body).toEqual({ AccessToken: expect.any(String) });
    expect((await get(`userId=${await stack.subjectOf('mallory')}`)).status).toBe(200);
    expect((await get(`userId=${await stack.subjectOf('ada')}`)).status).toBe(403);
    expect((await get('roles=webpubsub.sendToGroup&roles=webpubsub.joinLeaveGroup')).status).toBe(403);
    expect((await get('ttl=1e3')).status).toBe(400);
    expect([400, 404]).toContain((await get('hub=another')).status);
  });
});

describe('access that ends', () => {
  test('a revocation closes the connections of its user', async () => {
    const { socket } = await socketOf(clientOf('client', 'rex'));
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
    await ada.revoke(await stack.subjectOf('rex'));
    await Promise.race([closed, wait(50_000).then(() => expect.fail('It is still open.'))]);
  });

  test('a reader who is taken off hears no more', async () => {
    const subject = await stack.subjectOf('rita');
    await ada.putPipeline('shared', { ...ABSENT, readers: [subject] });
    const { socket, frames } = await socketOf(clientOf('client', 'rita'), ['shared']);
    await ada.setReaders('shared', []);
    await ada.stopPipeline('shared');
    const administrator = watching(ada, 'shared');
    await administrator.over;
    const shared = frames.filter((frame) => frame.includes('"/pipelines/shared"'));
    expect(shared.join()).not.toContain('"stopped"');
    socket.close();
  });

  test('nor does one who comes back with an old token', async () => {
    const [subject, rita] = [await stack.subjectOf('rita'), clientOf('client', 'rita')];
    await ada.putPipeline('taken', { ...ABSENT, readers: [subject] });
    const { url } = await rita.clientToken({ pipelines: ['taken'] });
    await ada.setReaders('taken', []);
    using again = await connected(url);
    await ada.stopPipeline('taken');
    await watching(ada, 'taken').over;
    // Whatever was sent before this has come by then.
    await ada.putPipeline('hers', { ...ABSENT, readers: [subject] });
    await vi.waitFor(() => expect(again.frames.join()).toContain('"/pipelines/hers"'), 10_000);
    expect(again.frames.join()).not.toContain('"/pipelines/taken"');
  });
});
