import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { choosePorts } from '../../../infra/local/ports.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

test('A directory keeps its ports, and they differ from each other', async () => {
  await using directory = await temporaryDirectory();
  const ports = await choosePorts(directory.path, 0);
  expect(new Set(Object.values(ports)).size).toBe(8);
  expect(await choosePorts(directory.path, 0)).toEqual(ports);
});

test('A given port of the app does not change the others, nor the one that was chosen before', async () => {
  await using directory = await temporaryDirectory();
  const chosen = await choosePorts(directory.path, 0);
  const free = await occupy(0);
  servers.pop()?.close();
  expect(await choosePorts(directory.path, free)).toEqual({ ...chosen, app: free });
  expect(await choosePorts(directory.path, 0)).toEqual(chosen);
});

test('A taken port of the app is named with what to do', async () => {
  await using directory = await temporaryDirectory();
  const port = await occupy(0);
  await expect(choosePorts(directory.path, port)).rejects.toMatchObject({
    code: 'port-taken',
    message: expect.stringMatching(new RegExp(`^Port ${port}, which the app needs, is taken .* --port N\\.$`)),
  });
});

test.each([
  ['appHttps', 'the app, for HTTPS,'],
  ['authority', 'the authority that signs tokens'],
  ['identity', 'the endpoint of managed identities'],
  ['webPubSub', 'Web PubSub'],
  ['blob', 'the blob storage'],
  ['queue', 'the queue storage'],
  ['table', 'the table storage'],
] as const)('A taken port that is remembered, %s, is named with what to do', async (name, user) => {
  await using directory = await temporaryDirectory();
  const port = (await choosePorts(directory.path, 0))[name];
  await occupy(port);
  const remedy = `end that program or delete ${join(directory.path, 'ports.json')}, and another port is chosen`;
  await expect(choosePorts(directory.path, 0)).rejects.toMatchObject({
    code: 'port-taken',
    message: `Port ${port}, which ${user} needs, is taken by another program: ${remedy}.`,
  });
});

test('A directory of an earlier version, which had fewer ports, keeps those and is given the others', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'ports.json');
  const { app, blob, queue, table } = await choosePorts(directory.path, 0);
  await writeFile(path, JSON.stringify({ app, blob, queue, table }));
  const ports = await choosePorts(directory.path, 0);
  expect(ports).toMatchObject({ app, blob, queue, table });
  expect(new Set(Object.values(ports)).size).toBe(8);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(ports);
});
