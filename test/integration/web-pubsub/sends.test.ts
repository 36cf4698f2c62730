import { odata } from '@azure/web-pubsub';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  anyone,
  connectRaw,
  HUB,
  JSON_PROTOCOL,
  RELIABLE,
  startService,
  type TestService,
  watch,
} from './test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const urlFor = async (options = {}) => (await service.serviceOf().getClientAccessToken(options)).url;

describe('a message of the server SDK', () => {
  test('to everybody is JSON unless it is said', async () => {
    await using watcher = await watch(() => urlFor({ userId: anyone() }));
    const server = service.serviceOf();
    await server.sendToAll({ state: 'ready', sequence: 9 });
    await server.sendToAll('text', { contentType: 'text/plain' });
    await server.sendToAll('a JSON string');
    await vi.waitFor(() => expect(watcher.received).toHaveLength(3));
    expect(watcher.received).toEqual([{ state: 'ready', sequence: 9 }, 'text', 'a JSON string']);
  });

  test('in bytes arrives as bytes', async () => {
    await using watcher = await watch(() => urlFor());
    await service.serviceOf().sendToAll(new Uint8Array([0, 255, 7]).buffer);
    await vi.waitFor(() => expect(watcher.received).toHaveLength(1));
    expect(watcher.received).toEqual([new Uint8Array([0, 255, 7]).buffer]);
  });

  test('with a filter reaches each connection that it matches once, and nobody else', async () => {
    const [owner, reader, stranger] = [anyone(), anyone(), anyone()];
    await using ownersOwn = await watch(() => urlFor({ userId: owner, groups: ['pipeline.1', 'clients'] }));
    await using administrator = await watch(() => urlFor({ userId: anyone(), groups: ['administrators'] }));
    await using readersOwn = await watch(() => urlFor({ userId: reader }));
    await using other = await watch(() => urlFor({ userId: stranger, groups: ['pipeline.2'] }));
    const filter = odata`'pipeline.1' in groups or 'administrators' in groups or userId in ('x', ${owner}) or userId eq ${reader}`;
    await service.serviceOf().sendToAll({ id: 1 }, { filter });
    await service.serviceOf().sendToAll('end');
    await vi.waitFor(() =>
      expect([ownersOwn, administrator, readersOwn, other].map((each) => each.received.at(-1))).toEqual(
        Array(4).fill('end'),
      ),
    );
    expect(ownersOwn.received).toEqual([{ id: 1 }, 'end']);
    expect(administrator.received).toEqual([{ id: 1 }, 'end']);
    expect(readersOwn.received).toEqual([{ id: 1 }, 'end']);
    expect(other.received).toEqual(['end']);
  });

  test('to a group names the group, and spares whom it excludes', async () => {
    await using one = await watch(() => urlFor({ groups: ['g'] }));
    await using two = await watch(() => urlFor({ groups: ['g'] }));
    const group = service.serviceOf().group('g');
    await group.sendToAll({ n: 1 }, { excludedConnections: [one.connectionId] });
    await group.sendToAll({ n: 2 });
    await vi.waitFor(() => expect(two.received).toHaveLength(2));
    expect(two.received).toEqual([
      ['g', { n: 1 }],
      ['g', { n: 2 }],
    ]);
    await vi.waitFor(() => expect(one.received).toEqual([['g', { n: 2 }]]));
  });

  test('to a user reaches all of its connections, and to a connection that one', async () => {
    const userId = anyone();
    await using one = await watch(() => urlFor({ userId }));
    await using two = await watch(() => urlFor({ userId }));
    await service.serviceOf().sendToUser(userId, 'for the user', { contentType: 'text/plain' });
    await service.serviceOf().sendToConnection(one.connectionId, 'for one', { contentType: 'text/plain' });
    await vi.waitFor(() => expect(one.received).toEqual(['for the user', 'for one']));
    expect(two.received).toEqual(['for the user']);
  });

  test('to nobody who exists is accepted', async () => {
    const server = service.serviceOf();
    await server.sendToUser(anyone(), 'x');
    await server.sendToConnection(anyone(), 'x');
    await server.group(anyone()).sendToAll('x');
  });

  test('reaches another hub never, and its own in any case', async () => {
    await using watcher = await watch(() => urlFor());
    await service.call('POST', '/:send', { body: '"here"', headers: { 'content-type': 'application/json' } });
    const headers = { authorization: `Bearer ${await service.tokenOf()}`, 'content-type': 'application/json' };
    const send = (hub: string) =>
      fetch(`${service.endpoint}/api/hubs/${hub}/:send?api-version=2024-12-01`, {
        method: 'POST',
        headers,
        body: `"${hub}"`,
      });
    expect((await send('another')).status).toBe(202);
    expect((await send(HUB.toUpperCase())).status).toBe(202);
    await vi.waitFor(() => expect(watcher.received).toHaveLength(2));
    expect(watcher.received).toEqual(['here', HUB.toUpperCase()]);
  });

  test.each([
    ['a filter that cannot be read', '/:send?filter=userId%20eq', 'application/json', '1', 400],
    ['a filter that is no condition', '/:send?filter=userId', 'application/json', '1', 400],
    ['a filter by what a connection does not have', "/:send?filter=role%20eq%20'x'", 'application/json', '1', 400],
    ['a time to live of more than 5 minutes', '/:send?messageTtlSeconds=301', 'application/json', '1', 400],
    ['a body that is not JSON', '/:send', 'application/json', '{', 400],
    ['a body in no type of a message', '/:send', 'text/html', '<p>', 415],
    ['an impossible name of a group', '/groups/%20/:send', 'application/json', '1', 400],
    ['more than 1 MB', '/:send', 'text/plain', 'x'.repeat(1024 * 1024 + 1), 413],
  ])('is refused with %s', async (_what, path, type, body, status) => {
    const response = await service.call('POST', path, { body, headers: { 'content-type': type } });
    expect(response.status).toBe(status);
    const refusal = await response.json();
    expect(refusal).toMatchObject({ code: expect.stringMatching(/^Error\./), message: expect.any(String) });
    expect(response.headers.get('x-ms-error-code')).toBe(Reflect.get(Object(refusal), 'code'));
  });

  test('keeps numbers that JavaScript cannot hold, and carries metadata', async () => {
    const client = await connectRaw(await urlFor(), JSON_PROTOCOL);
    const texts: string[] = [];
    client.socket.on('message', (data) => texts.push(String(data)));
    await service.call('POST', '/:send', {
      body: '{"big": 12345678901234567890}',
      headers: { 'content-type': 'application/json; charset=utf-8', 'x-webpubsub-metadata-Kind': 'state' },
    });
    await vi.waitFor(() => expect(texts.at(-1)).toContain('12345678901234567890'));
    expect(client.frames.at(-1)).toMatchObject({
      type: 'message',
      from: 'server',
      dataType: 'json',
      metadata: { kind: 'state' },
    });
    client.socket.close(1000);
  });
});

test('200 connections hear 50 messages with a filter, each once and in order', async () => {
  const urls = await Promise.all(
    Array.from({ length: 200 }, (_, index) => urlFor({ userId: `user-${index}`, groups: [`pipeline.${index % 10}`] })),
  );
  const clients = await Promise.all(urls.map((url, index) => connectRaw(url, index % 2 ? RELIABLE : JSON_PROTOCOL)));
  const server = service.serviceOf();
  const filter = "'pipeline.1' in groups or startswith(userId, 'user-') or userId in ('a', 'b', 'c')";
  for (let round = 0; round < 50; round += 1) await server.sendToAll({ round }, { filter });
  await vi.waitFor(() => expect(clients.every(({ frames }) => frames.length === 51)).toBe(true), { timeout: 10_000 });
  for (const { frames, socket } of clients) {
    expect(frames.slice(1).map((frame) => Reflect.get(Object(frame), 'data'))).toEqual(
      Array.from({ length: 50 }, (_, round) => ({ round })),
    );
    socket.close(1000);
  }
});
