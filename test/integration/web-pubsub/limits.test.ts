import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type WebSocket from 'ws';
import {
  anyone,
  connectRaw,
  HUB,
  JSON_PROTOCOL,
  type RawClient,
  RELIABLE,
  startService,
  type TestService,
} from './test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const urlFor = async (options = {}) => (await service.serviceOf().getClientAccessToken(options)).url;
const text = { contentType: 'text/plain' } as const;

test('1,000 connections hold, and each gets what is sent', async () => {
  const url = await urlFor({ groups: ['crowd'] });
  const clients: RawClient[] = [];
  for (let batch = 0; batch < 20; batch += 1) {
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => connectRaw(url, RELIABLE)))));
  }
  await service.serviceOf().group('crowd').sendToAll({ all: true });
  await vi.waitFor(() => expect(clients.filter(({ frames }) => frames.length === 2)).toHaveLength(1000), {
    timeout: 10_000,
  });
  for (const { socket } of clients) socket.close(1000);
  await Promise.all(clients.map(({ closed }) => closed));
  await vi.waitFor(async () => expect(await service.serviceOf().groupExists('crowd')).toBe(false));
});

describe('a client that does not read', () => {
  const body = 'x'.repeat(1024 * 1024);

  test.each([
    [JSON_PROTOCOL, JSON_PROTOCOL],
    [RELIABLE, RELIABLE],
    ['no subprotocol', undefined],
  ])('over %s is given up when too much waits for it, and nobody else notices', async (_name, protocol) => {
    const [slow, quick] = [anyone(), anyone()];
    const reader = await connectRaw(await urlFor({ userId: quick }), JSON_PROTOCOL);
    const sleeper = await connectRaw(await urlFor({ userId: slow }), protocol);
    await vi.waitFor(async () => expect(await service.serviceOf().userExists(slow)).toBe(true));
    sleeper.socket.pause();
    for (let sent = 0; sent < 60 && (await service.serviceOf().userExists(slow)); sent += 1) {
      await service.serviceOf().sendToUser(slow, body, text);
    }
    expect(await service.serviceOf().userExists(slow)).toBe(false);
    await service.serviceOf().sendToUser(quick, 'still here', text);
    await vi.waitFor(() => expect(reader.frames.at(-1)).toMatchObject({ data: 'still here' }));
    sleeper.socket.resume();
    await sleeper.closed;
    reader.socket.close(1000);
  });
});

describe('what is no proper WebSocket', () => {
  const open = async (lines: readonly string[]) => {
    const { hostname, port } = new URL(service.endpoint);
    const socket = connectTls({ host: hostname, port: Number(port), servername: hostname });
    await once(socket, 'secureConnect');
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    return { socket, closed: once(socket, 'close'), text: () => Buffer.concat(chunks).toString() };
  };
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Host: localhost'];

  test.each([
    ['a handshake without a key', ['Sec-WebSocket-Version: 13'], 400],
    ['a version that there is not', ['Sec-WebSocket-Version: 99', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='], 400],
  ])('%s is refused', async (_what, lines, status) => {
    const target = (await urlFor()).replace(/^wss:\/\/[^/]+/, '');
    const connection = await open([`GET ${target} HTTP/1.1`, ...upgrade, ...lines]);
    await connection.closed;
    expect(connection.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('another upgrade, and rubbish, are refused', async () => {
    const other = await open([
      `GET /client/hubs/${HUB} HTTP/1.1`,
      'Connection: Upgrade',
      'Upgrade: h2c',
      'Host: localhost',
    ]);
    await other.closed;
    expect(other.text()).toMatch(/^HTTP\/1.1 400 /);
    const rubbish = await open(['rubbish']);
    await rubbish.closed;
    expect(rubbish.text()).toMatch(/^HTTP\/1.1 400 /);
  });

  test('a client that goes away in the middle of the handshake leaves nothing behind', async () => {
    const target = (await urlFor({ userId: 'gone' })).replace(/^wss:\/\/[^/]+/, '');
    for (let time = 0; time < 20; time += 1) {
      const { socket } = await open([
        `GET ${target} HTTP/1.1`,
        ...upgrade,
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ]);
      socket.destroy();
    }
    await vi.waitFor(async () => expect(await service.serviceOf().userExists('gone')).toBe(false));
  });

  test('frames that break the protocol close the socket, not the service', async () => {
    const client = await connectRaw(await urlFor(), JSON_PROTOCOL);
    // An unmasked frame: clients must mask theirs.
    Reflect.get(client.socket satisfies WebSocket, '_socket').write(Buffer.from([0x81, 0x01, 0x61]));
    expect((await client.closed).code).toBe(1002);
    const invalid = await connectRaw(await urlFor(), JSON_PROTOCOL);
    Reflect.get(invalid.socket, '_socket').write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]));
    expect((await invalid.closed).code).toBe(1007);
    expect((await service.call('HEAD', '/users/x')).status).toBe(404);
  });
});
