import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { anyone, connectRaw, JSON_PROTOCOL, RELIABLE, startService, type TestService, watch } from './test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const urlFor = async (options = {}) => (await service.serviceOf().getClientAccessToken(options)).url;
const connect = async (options = {}, protocol: string = JSON_PROTOCOL) => connectRaw(await urlFor(options), protocol);
const ALL_GROUPS = { roles: ['webpubsub.joinLeaveGroup', 'webpubsub.sendToGroup'] };

describe.each([JSON_PROTOCOL, RELIABLE])('a client of %s', (protocol) => {
  test('is told first who it is', async () => {
    const client = await connect({ userId: 'alice' }, protocol);
    expect(client.socket.protocol).toBe(protocol);
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    expect(client.frames[0]).toEqual({
      type: 'system',
      event: 'connected',
      userId: 'alice',
      connectionId: expect.any(String),
      ...(protocol === RELIABLE && { reconnectionToken: expect.any(String) }),
    });
    client.socket.close(1000);
  });

  test('is answered, once for each ack id', async () => {
    const client = await connect(ALL_GROUPS, protocol);
    client.send({ type: 'ping' });
    client.send({ type: 'joinGroup', group: 'g', ackId: 1 });
    client.send({ type: 'sendToGroup', group: 'g', ackId: 2, dataType: 'text', data: 'hi' });
    client.send({ type: 'sendToGroup', group: 'g', ackId: 2, dataType: 'text', data: 'hi' });
    client.send({ type: 'sendToGroup', group: 'g', ackId: 3, dataType: 'text', data: 'not to me', noEcho: true });
    client.send({ type: 'leaveGroup', group: 'g', ackId: 4 });
    client.send({ type: 'sendToGroup', group: 'g', data: { a: 1 } });
    client.send({ type: 'ping' });
    await vi.waitFor(() => expect(client.frames).toHaveLength(9));
    expect(client.frames.slice(1)).toEqual([
      { type: 'pong' },
      { type: 'ack', ackId: 1, success: true },
      {
        type: 'message',
        from: 'group',
        group: 'g',
        fromUserId: null,
        dataType: 'text',
        data: 'hi',
        ...(protocol === RELIABLE && { sequenceId: 1 }),
      },
      { type: 'ack', ackId: 2, success: true },
      {
        type: 'ack',
        ackId: 2,
        success: false,
        error: { name: 'Duplicate', message: 'Message with ack-id: 2 has been processed' },
      },
      { type: 'ack', ackId: 3, success: true },
      { type: 'ack', ackId: 4, success: true },
      { type: 'pong' },
    ]);
    client.socket.close(1000);
  });

  test('without a role may neither join nor send, but is in the groups of its token', async () => {
    const group = anyone();
    const client = await connect({ groups: [group] }, protocol);
    client.send({ type: 'joinGroup', group: 'other', ackId: 1 });
    client.send({ type: 'sendToGroup', group, ackId: 2, data: 1 });
    client.send({ type: 'leaveGroup', group, ackId: 3 });
    client.send({ type: 'sendToGroup', group, data: 'nobody is told' });
    await service.serviceOf().group(group).sendToAll('for members', { contentType: 'text/plain' });
    await vi.waitFor(() => expect(client.frames).toHaveLength(5));
    for (const [index, ackId] of [1, 2, 3].entries()) {
      const error = { name: 'Forbidden', message: expect.stringContaining('does not have permission') };
      expect(client.frames[index + 1]).toEqual({ type: 'ack', ackId, success: false, error });
    }
    expect(client.frames[4]).toMatchObject({ from: 'group', group, data: 'for members' });
    client.socket.close(1000);
  });

  test('what was refused may be tried again under the same ack id', async () => {
    const client = await connect({}, protocol);
    client.send({ type: 'joinGroup', group: 'later', ackId: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ success: false }));
    const id = String(Reflect.get(Object(client.frames[0]), 'connectionId'));
    await service.serviceOf().grantPermission(id, 'joinLeaveGroup', { targetName: 'later' });
    client.send({ type: 'joinGroup', group: 'later', ackId: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toEqual({ type: 'ack', ackId: 1, success: true }));
    client.socket.close(1000);
  });

  test('takes ack ids of 64 bits', async () => {
    const client = await connect(ALL_GROUPS, protocol);
    const texts: string[] = [];
    client.socket.on('message', (data) => texts.push(String(data)));
    client.socket.send('{"type":"joinGroup","group":"g","ackId":18446744073709551615}');
    await vi.waitFor(() => expect(texts.at(-1)).toBe('{"type":"ack","ackId":18446744073709551615,"success":true}'));
    client.socket.close(1000);
  });

  test.each([
    ['binary frames', Buffer.from('{"type":"ping"}'), 1003],
    ['what is no JSON', '{"type":', 1007],
    ['what is no object', '[1]', 1007],
    ['a type that there is not', '{"type":"shout"}', 1007],
    ['a group without a name', '{"type":"joinGroup","group":"","ackId":1}', 1007],
    ['an ack id that is no number', '{"type":"joinGroup","group":"g","ackId":"1"}', 1007],
    ['a message without data', '{"type":"sendToGroup","group":"g"}', 1007],
    ['text that is no string', '{"type":"sendToGroup","group":"g","dataType":"text","data":1}', 1007],
    ['binary that is no base64', '{"type":"sendToGroup","group":"g","dataType":"binary","data":"?"}', 1007],
    ['a name that no event may have', '{"type":"event","event":"1","data":1}', 1007],
    ['a frame of more than 1 MB', 'x'.repeat(1024 * 1024 + 1), 1009],
  ])('that sends %s is closed, for good', async (_what, frame, code) => {
    const client = await connect(ALL_GROUPS, protocol);
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    const id = String(Reflect.get(Object(client.frames[0]), 'connectionId'));
    client.socket.send(frame);
    expect((await client.closed).code).toBe(code);
    await vi.waitFor(async () => expect(await service.serviceOf().connectionExists(id)).toBe(false));
  });

  test('may send a frame of 1 MB', async () => {
    const client = await connect({ ...ALL_GROUPS, groups: ['large'] }, protocol);
    client.send({ type: 'sendToGroup', group: 'large', dataType: 'text', data: 'x'.repeat(1024 * 1024 - 100) });
    await vi.waitFor(() => expect(client.frames).toHaveLength(2));
    client.socket.close(1000);
  });
});

describe('the real client SDK', () => {
  test('joins, sends, leaves, and is told of its mistakes', async () => {
    await using one = await watch(() =>
      urlFor({ userId: 'one', roles: ['webpubsub.joinLeaveGroups.team.*', 'webpubsub.sendToGroup.team.a'] }),
    );
    await one.client.joinGroup('team.a');
    await one.client.sendToGroup('team.a', { hello: true }, 'json');
    await one.client.sendToGroup('team.a', 'quiet', 'text', { noEcho: true });
    await one.client.sendToGroup('team.a', new Uint8Array([1, 2]).buffer, 'binary');
    await vi.waitFor(() => expect(one.received).toHaveLength(2));
    expect(one.received).toEqual([
      ['team.a', { hello: true }],
      ['team.a', new Uint8Array([1, 2]).buffer],
    ]);
    await expect(one.client.joinGroup('team.a.b')).rejects.toMatchObject({ errorDetail: { name: 'Forbidden' } });
    await expect(one.client.sendToGroup('team.b', 1, 'json')).rejects.toMatchObject({
      errorDetail: { name: 'Forbidden' },
    });
    expect(await one.client.joinGroup('team.c', { ackId: 77 })).toEqual({ ackId: 77, isDuplicated: false });
    expect(await one.client.joinGroup('team.c', { ackId: 77 })).toEqual({ ackId: 77, isDuplicated: true });
    await one.client.leaveGroup('team.a');
  });

  test('is refused where its token is, and comes back with a new one after it was closed', async () => {
    await expect(watch(async () => `${await urlFor()}x`)).rejects.toThrow('401');
    await using one = await watch(() => urlFor({ userId: 'back' }));
    const again = new Promise<string>((resolve) =>
      one.client.on('connected', ({ connectionId }) => resolve(connectionId)),
    );
    await service.serviceOf().closeUserConnections('back');
    expect(await again).not.toBe(one.connectionId);
    await service.serviceOf().sendToUser('back', 'hello');
    await vi.waitFor(() => expect(one.received).toEqual(['hello']));
  });
});

describe('a client without a subprotocol', () => {
  test('gets bare payloads', async () => {
    const client = await connectRaw(await urlFor({ userId: 'bare' }));
    const server = service.serviceOf();
    await vi.waitFor(async () => expect(await server.userExists('bare')).toBe(true));
    const binary: boolean[] = [];
    client.socket.on('message', (_data, isBinary) => binary.push(isBinary));
    await server.sendToUser('bare', 'text', { contentType: 'text/plain' });
    await server.sendToUser('bare', { a: 1 });
    await server.sendToUser('bare', new Uint8Array([1]).buffer);
    await vi.waitFor(() => expect(client.frames.map(String)).toEqual(['text', '{"a":1}', '\u0001']));
    expect(binary).toEqual([false, false, true]);
    client.socket.close(1000);
  });

  test('sends to a group where its URL and its role say so', async () => {
    const member = await connect({ groups: ['room'] });
    const sender = await connectRaw(
      `${await urlFor({ userId: 'bare', roles: ['webpubsub.sendToGroup.room'] })}&webpubsub_mode=sendToGroup&group=room`,
    );
    sender.socket.send('hello');
    await vi.waitFor(() =>
      expect(member.frames.at(-1)).toMatchObject({
        group: 'room',
        fromUserId: 'bare',
        dataType: 'text',
        data: 'hello',
      }),
    );
    const stranger = await connectRaw(`${await urlFor()}&webpubsub_mode=sendToGroup&group=room`);
    stranger.socket.send('hello');
    expect((await stranger.closed).code).toBe(1008);
    for (const { socket } of [member, sender]) socket.close(1000);
  });

  test('may offer subprotocols that are not spoken here beside one that is, but not alone', async () => {
    const socket = new WebSocket(await urlFor(), ['protobuf.webpubsub.azure.v1', JSON_PROTOCOL]);
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.protocol).toBe(JSON_PROTOCOL);
    socket.close(1000);
    await expect(connectRaw(await urlFor(), 'protobuf.webpubsub.azure.v1')).rejects.toThrow('501');
  });
});
