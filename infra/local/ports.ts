import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeJson } from './json-file.ts';
import { StackError } from './stack-error.ts';

const port = z.number().int().min(1).max(65_535);
const names = z.enum(['app', 'appHttps', 'authority', 'identity', 'webPubSub', 'blob', 'queue', 'table']);
type PortName = z.output<typeof names>;
/** Those of an earlier version lack some. */
const rememberedPorts = z.partialRecord(names, port);

/** The ports of one stack, all on 127.0.0.1. */
export type StackPorts = Readonly<Record<PortName, number>>;

/** What needs each port, as messages call it. */
const users: Readonly<Record<PortName, string>> = {
  app: 'the app',
  appHttps: 'the app, for HTTPS,',
  authority: 'the authority that signs tokens',
  identity: 'the endpoint of managed identities',
  webPubSub: 'Web PubSub',
  blob: 'the blob storage',
  queue: 'the queue storage',
  table: 'the table storage',
};

/**
 * Chooses the stack's ports and sees that they are free. They are chosen once and remembered in `directory`, since URLs and tokens that
 * outlive a restart hold them; the app's only where `appPort` is 0.
 * @throws StackError `port-taken`
 */
export async function choosePorts(directory: string, appPort: number): Promise<StackPorts> {
  const path = join(directory, 'ports.json');
  const remembered = (await readJson(path, rememberedPorts)) ?? {};
  const chosen = new Set([...Object.values(remembered), appPort]);
  const choose = async (name: PortName) => remembered[name] ?? (await freePort(chosen));
  const ports: StackPorts = {
    app: appPort || (await choose('app')),
    appHttps: await choose('appHttps'),
    authority: await choose('authority'),
    identity: await choose('identity'),
    webPubSub: await choose('webPubSub'),
    blob: await choose('blob'),
    queue: await choose('queue'),
    table: await choose('table'),
  };
  for (const name of names.options) {
    if (!(await isFree(ports[name]))) throw taken(name, ports[name], path);
  }
  const { app, ...others } = ports;
  await writeJson(path, { ...remembered, ...others, ...(appPort === 0 && { app }) });
  return ports;
}

function taken(name: PortName, number: number, path: string): StackError {
  const remedy =
    name === 'app'
      ? 'end that program or give the app another port with --port N'
      : `end that program or delete ${path}, and another port is chosen`;
  return new StackError(
    'port-taken',
    `Port ${number}, which ${users[name]} needs, is taken by another program: ${remedy}.`,
  );
}

/** Below the ports that systems hand out for outgoing connections: one of those could hold a port while the stack is down. */
async function freePort(chosen: Set<number>): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const candidate = randomInt(20_000, 30_000);
    if (chosen.has(candidate) || !(await isFree(candidate))) continue;
    chosen.add(candidate);
    return candidate;
  }
  throw new StackError('port-taken', 'No free port was found between 20000 and 29999: end programs that listen there.');
}

async function isFree(number: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port: number, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES'))
      return false;
    throw error;
  } finally {
    server.close();
  }
}
