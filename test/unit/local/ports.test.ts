import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
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
  expect(new Set(Object.values(ports)).size).toBe(4);
  expect(await choosePorts(directory.path, 0)).toEqual(ports);
});

test('A given port of the app does not change those of the storage, nor the one that was chosen before', async () => {
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

test('A taken port of the storage is named with what to do', async () => {
  await using directory = await temporaryDirectory();
  const { blob } = await choosePorts(directory.path, 0);
  await occupy(blob);
  await expect(choosePorts(directory.path, 0)).rejects.toThrow(`Port ${blob}, which the blob storage needs, is taken`);
});
