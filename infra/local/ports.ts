import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeJson } from './json-file.ts';
import { StackError } from './stack-error.ts';

const port = z.number().int().min(1).max(65_535);
const storagePorts = z.object({ blob: port, queue: port, table: port });
const rememberedPorts = storagePorts.extend({ app: port.optional() });

/** The ports of one stack, all on 127.0.0.1. */
export interface StackPorts extends z.output<typeof storagePorts> {
  readonly app: number;
}

/**
 * Chooses the stack's ports and sees that they are free. The storage's are chosen once and remembered in `directory`, since URLs that
 * outlive a restart hold them; so is the app's where `appPort` is 0.
 * @throws StackError `port-taken`
 */
export async function choosePorts(directory: string, appPort: number): Promise<StackPorts> {
  const path = join(directory, 'ports.json');
  const remembered = await readJson(path, rememberedPorts);
  const storage = remembered ?? { blob: await freePort(), queue: await freePort(), table: await freePort() };
  const app = appPort || (remembered?.app ?? (await freePort()));
  const ports = { app, blob: storage.blob, queue: storage.queue, table: storage.table };
  for (const [name, number] of Object.entries(ports)) {
    if (!(await isFree(number))) throw taken(name, number, path);
  }
  await writeJson(path, { ...remembered, ...storage, ...(appPort === 0 && { app }) });
  return ports;
}

function taken(name: string, number: number, path: string): StackError {
  const what = name === 'app' ? 'the app' : `the ${name} storage`;
  const remedy =
    name === 'app'
      ? 'end that program or give the app another port with --port N'
      : `end that program or delete ${path}, and another port is chosen`;
  return new StackError('port-taken', `Port ${number}, which ${what} needs, is taken by another program: ${remedy}.`);
}

/** Below the ports that systems hand out for outgoing connections: one of those could hold a port while the stack is down. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const candidate = randomInt(20_000, 30_000);
    if (await isFree(candidate)) return candidate;
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
