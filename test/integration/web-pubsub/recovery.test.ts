import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  anyone,
  connectRaw,
  HUB,
  type RawClient,
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

const text = { contentType: 'text/plain' } as const;

interface Reliable extends RawClient {
  readonly id: string;
  readonly url: string;
  readonly recoveryUrl: string;
}

async function connect(options = {}, to = service): Promise<Reliable> {
  const { url } = await to.serviceOf().getClientAccessToken(options);
  const client = await connectRaw(url, RELIABLE);
  await vi.waitFor(() => expect(client.frames.length).toBeGreaterThan(0));
  const hello = Object(client.frames[0]);
  const { connectionId, reconnectionToken } = hello;
  return {
    ...client,
    id: connectionId,
    url,
    recoveryUrl: `${url}&awps_connection_id=${connectionId}&awps_reconnection_token=${reconnectionToken}`,
  };
}

const exists = (id: string) => service.serviceOf().connectionExists(id);
const sequenceOf = ({ frames }: RawClient) =>
  frames
    .filter((frame) => Reflect.get(Object(frame), 'type') === 'message')
    .map((frame) => Reflect.get(Object(frame), 'sequenceId'));
const dataOf = ({ frames }: RawClient) =>
  frames
    .filter((frame) => Reflect.get(Object(frame), 'type') === 'message')
    .map((frame) => Reflect.get(Object(frame), 'data'));

/** Ends the TCP connection without a word. */
async function drop(client: Reliable): Promise<void> {
  client.socket.terminate();
  await client.closed;
}

describe('a reliable connection that is lost', () => {
  test('goes on where it was, with what it has not acknowledged and what came in between', async () => {
    const group = anyone();
    const client = await connect({ groups: [group], userId: 'u' });
    const server = service.serviceOf();
    for (const data of ['1', '2', '3']) await server.group(group).sendToAll(data, text);
    await vi.waitFor(() => expect(sequenceOf(client)).toEqual([1, 2, 3]));
    client.send({ type: 'sequenceAck', sequenceId: 2 });
    client.send({ type: 'ping' });
    await vi.waitFor(() => expect(client.frames.at(-1)).toEqual({ type: 'pong' }));
    await drop(client);
    await server.group(group).sendToAll('4', text);
    expect(await exists(client.id)).toBe(true);

    const again = await connectRaw(client.recoveryUrl, RELIABLE);
    await vi.waitFor(() => expect(sequenceOf(again)).toEqual([3, 4]));
    expect(again.frames[0]).toMatchObject({
      event: 'connected',
      connectionId: client.id,
      userId: 'u',
      reconnectionToken: expect.any(String),
    });
    await server.sendToConnection(client.id, '5', text);
    await vi.waitFor(() => expect(sequenceOf(again)).toEqual([3, 4, 5]));
    expect(dataOf(again)).toEqual(['3', '4', '5']);
    again.socket.close(1000);
  });

  test('keeps its permissions and the ack ids that it has used', async () => {
    const client = await connect({ roles: ['webpubsub.joinLeaveGroup'] });
    client.send({ type: 'joinGroup', group: 'g', ackId: 1 });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 1, success: true }));
    await drop(client);
    const again = await connectRaw(client.recoveryUrl, RELIABLE);
    again.send({ type: 'joinGroup', group: 'g', ackId: 1 });
    again.send({ type: 'joinGroup', group: 'h', ackId: 2 });
    await vi.waitFor(() => expect(again.frames).toHaveLength(3));
    expect(again.frames.slice(1)).toMatchObject([{ error: { name: 'Duplicate' } }, { ackId: 2, success: true }]);
    again.socket.close(1000);
  });

  test('needs no valid token, but the right reconnection token', async () => {
    const client = await connect();
    await drop(client);
    const base = `${client.url.split('?', 1)[0]}?access_token=expired&awps_connection_id=${client.id}`;
    const refused = await connectRaw(`${base}&awps_reconnection_token=x`, RELIABLE);
    expect((await refused.closed).code).toBe(1008);
    const right = new URL(client.recoveryUrl).searchParams.get('awps_reconnection_token');
    const again = await connectRaw(`${base}&awps_reconnection_token=${right}`, RELIABLE);
    await vi.waitFor(() => expect(again.frames[0]).toMatchObject({ connectionId: client.id }));
    again.socket.close(1000);
  });

  test('is given up after its time, and by a close with 1000 at once', async () => {
    await using hasty = await startService({ recoveryMilliseconds: 500 });
    const [late, done] = await Promise.all([connect({}, hasty), connect({}, hasty)]);
    const exists = (id: string) => hasty.serviceOf().connectionExists(id);
    await drop(late);
    done.socket.close(1000);
    await done.closed;
    expect(await exists(done.id)).toBe(false);
    expect(await exists(late.id)).toBe(true);
    await vi.waitFor(async () => expect(await exists(late.id)).toBe(false), { timeout: 5000, interval: 100 });
    for (const { recoveryUrl } of [late, done]) {
      expect((await (await connectRaw(recoveryUrl, RELIABLE)).closed).code).toBe(1008);
    }
  });

  test('that was closed by the service cannot be taken up again, nor in another hub', async () => {
    const client = await connect();
    const elsewhere = await connectRaw(client.recoveryUrl.replace(`/hubs/${HUB}`, '/hubs/other'), RELIABLE);
    expect((await elsewhere.closed).code).toBe(1008);
    await service.serviceOf().closeConnection(client.id);
    await client.closed;
    expect((await (await connectRaw(client.recoveryUrl, RELIABLE)).closed).code).toBe(1008);
  });

  test('goes over to the newer socket where the older one is still there', async () => {
    const client = await connect();
    const again = await connectRaw(client.recoveryUrl, RELIABLE);
    expect((await client.closed).code).toBe(1008);
    await service.serviceOf().sendToConnection(client.id, 'here', text);
    await vi.waitFor(() => expect(dataOf(again)).toEqual(['here']));
    again.socket.close(1000);
  });

  test('is not told what has expired', async () => {
    let later = 0;
    await using clocked = await startService({ now: () => new Date(Date.now() + later) });
    const client = await connect({}, clocked);
    await drop(client);
    await clocked.call('POST', `/connections/${client.id}/:send?messageTtlSeconds=1`, {
      body: 'old',
      headers: { 'content-type': 'text/plain' },
    });
    await clocked.serviceOf().sendToConnection(client.id, 'new', text);
    later = 1050;
    const again = await connectRaw(client.recoveryUrl, RELIABLE);
    await vi.waitFor(() => expect(dataOf(again)).toEqual(['new']));
    again.socket.close(1000);
  });
});

describe('what a reliable client leaves unacknowledged', () => {
  test('is at most 1,000 messages: then it is closed with 1008, beyond recovery', async () => {
    const client = await connect();
    for (let batch = 0; batch < 20; batch += 1) {
      await Promise.all(Array.from({ length: 50 }, () => service.serviceOf().sendToConnection(client.id, 'x', text)));
    }
    expect(await exists(client.id)).toBe(true);
    await service.serviceOf().sendToConnection(client.id, 'one more', text);
    expect((await client.closed).code).toBe(1008);
    expect(sequenceOf(client)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
    expect((await (await connectRaw(client.recoveryUrl, RELIABLE)).closed).code).toBe(1008);
  });

  test('is at most 16 MB, while it is away too', async () => {
    const client = await connect();
    await drop(client);
    const body = 'x'.repeat(1024 * 1024 - 1000);
    for (let sent = 0; sent < 16; sent += 1) await service.serviceOf().sendToConnection(client.id, body, text);
    expect(await exists(client.id)).toBe(true);
    await service.serviceOf().sendToConnection(client.id, body, text);
    expect(await exists(client.id)).toBe(false);
  });
});

test('the real client SDK loses and doubles nothing over a drop', async () => {
  const userId = anyone();
  await using one = await watch(async () => (await service.serviceOf().getClientAccessToken({ userId })).url);
  const server = service.serviceOf();
  const numbers = Array.from({ length: 30 }, (_, index) => index);
  for (const number of numbers) {
    await server.sendToUser(userId, number);
    // The SDK's own socket, cut as a network would.
    if (number === 10)
      Reflect.get(Reflect.get(Reflect.get(one.client, '_wsClient'), '_socket'), 'terminate').call(
        Reflect.get(Reflect.get(one.client, '_wsClient'), '_socket'),
      );
  }
  await vi.waitFor(() => expect(one.received).toHaveLength(30), { timeout: 10_000 });
  expect(one.received).toEqual(numbers);
  expect(await exists(one.connectionId)).toBe(true);
});
