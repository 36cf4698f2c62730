import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { isAlive, type ProcessIdentity, processIdentity } from '#lib/compute';
import { connectionString } from '../../../infra/local/storage-account.ts';
import { startStorage, temporaryDirectory } from '../../support/stack.ts';

const program = fileURLToPath(new URL('../../support/stub-stack.ts', import.meta.url));
const endpointsOf = z.object({ app: z.string(), blob: z.string(), queue: z.string(), table: z.string() });
const processesOf = z.object({ children: z.array(processIdentity) });
const within = { timeout: 15_000, interval: 50 };

interface Run {
  readonly process: ChildProcess;
  readonly directory: string;
  /** What it has printed to stderr so far. */
  printed(): string;
  readonly exited: Promise<number | null>;
}

const runs: Run[] = [];
afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.process.kill('SIGTERM');
    await run.exited;
  }
});

/** A stack in a process group of its own, as a shell starts one. */
function run(directory: string, ...options: readonly string[]): Run {
  const child = spawn(process.execPath, [program, '--directory', directory, ...options], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let printed = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const exited = once(child, 'close').then(([code]) => z.number().nullable().parse(code));
  const started = { process: child, directory, printed: () => printed, exited };
  runs.push(started);
  return started;
}

async function endpoints({ directory }: Run): Promise<z.output<typeof endpointsOf>> {
  const read = async () => JSON.parse(await readFile(join(directory, 'endpoints.json'), 'utf8'));
  return endpointsOf.parse(await vi.waitFor(read, within));
}

async function childrenOf({ directory }: Run): Promise<ProcessIdentity[]> {
  const processes = await readFile(join(directory, 'processes.json'), 'utf8');
  return processesOf.parse(JSON.parse(processes)).children;
}

async function running(processes: readonly ProcessIdentity[]): Promise<number> {
  return (await Promise.all(processes.map(isAlive))).filter(Boolean).length;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('A stack answers where endpoints.json says, keeps its state and its ports over a restart, and leaves nothing running', async () => {
  await using directory = await temporaryDirectory();
  const first = run(directory.path);
  const where = await endpoints(first);
  expect(await (await fetch(`${where.app}/environment`)).json()).toMatchObject({
    AzureWebJobsStorage: connectionString(where),
    CONTROL_PLANE_URL: where.app,
  });
  const models = BlobServiceClient.fromConnectionString(connectionString(where)).getContainerClient('models');
  await models.uploadBlockBlob('duck/duck.glb', 'quack', 5);
  const children = await childrenOf(first);
  expect(children).toHaveLength(3);
  first.process.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(await running(children)).toBe(0);
  expect(await exists(join(directory.path, 'endpoints.json'))).toBe(false);

  const second = run(directory.path);
  expect(await endpoints(second)).toEqual(where);
  expect(await models.getBlobClient('duck/duck.glb').exists()).toBe(true);
  await vi.waitFor(async () => expect(await (await fetch(`${where.app}/received`)).json()).toHaveLength(0), within);
});

test('A SIGKILL of the supervisor leaves no child, and the next stack starts with what was acknowledged', async () => {
  await using directory = await temporaryDirectory();
  const first = run(directory.path);
  const where = await endpoints(first);
  const children = await childrenOf(first);
  const models = BlobServiceClient.fromConnectionString(connectionString(where)).getContainerClient('models');
  await models.uploadBlockBlob('duck/duck.glb', 'quack', 5);
  first.process.kill('SIGKILL');
  await first.exited;
  const second = run(directory.path);
  await vi.waitFor(async () => expect(await running(children)).toBe(0), within);
  await vi.waitFor(async () => expect(await childrenOf(second)).not.toEqual(children), within);
  expect(await endpoints(second)).toEqual(where);
  expect(await models.getBlobClient('duck/duck.glb').exists()).toBe(true);
});

test('A Ctrl-C that reaches the whole process group leaves the storage up until the machines are stopped', async () => {
  await using directory = await temporaryDirectory();
  await using elsewhere = await temporaryDirectory();
  const permission = join(elsewhere.path, 'may-stop');
  const stack = run(directory.path, '--before-stop', permission);
  const { blob } = await endpoints(stack);
  const supervisor = z.number().parse(stack.process.pid);
  for (const { pid } of await childrenOf(stack)) process.kill(-pid, 'SIGINT');
  process.kill(-supervisor, 'SIGINT');
  await vi.waitFor(() => expect(stack.printed()).toContain('Stopping'), within);
  process.kill(-supervisor, 'SIGINT');
  await vi.waitFor(() => expect(stack.printed()).toContain('Already stopping, waiting for the machines'), within);
  expect((await fetch(blob)).status).toBeGreaterThan(0);
  await writeFile(permission, '');
  expect(await stack.exited).toBe(0);

  await using storage = await startStorage(join(directory.path, 'storage'));
  const table = TableClient.fromConnectionString(storage.connectionString, 'stopped', {
    allowInsecureConnection: true,
  });
  expect(await table.getEntity('machine', 'host_lost')).toMatchObject({ rowKey: 'host_lost' });
});

test('--clean forgets what was there, unless another stack runs there: then it is refused and does that one no harm', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'anything'), '');
  const first = run(directory.path, '--clean');
  const where = await endpoints(first);
  expect(await exists(join(directory.path, 'anything'))).toBe(false);
  const second = run(directory.path, '--clean');
  expect(await second.exited).toBe(1);
  expect(second.printed()).toBe(
    `Another stack (process ${first.process.pid}) runs in ${directory.path}: stop it first.\n`,
  );
  expect((await fetch(`${where.app}/received`)).status).toBe(200);
  expect(await exists(join(directory.path, 'endpoints.json'))).toBe(true);
});

test('A taken port is one line that names it, and nothing is left behind', async () => {
  await using directory = await temporaryDirectory();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = z.object({ port: z.number() }).parse(taken.address()).port;
  const stack = run(directory.path, '--port', String(port));
  expect(await stack.exited).toBe(1);
  taken.close();
  expect(stack.printed()).toMatch(new RegExp(`^Port ${port}, which the app needs, .* --port N\\.\\n$`));
  expect(await exists(join(directory.path, 'processes.json'))).toBe(false);
});

test('When a child that nothing works without is killed, the stack stops, says so and exits 1; blob events are started again', async () => {
  await using directory = await temporaryDirectory();
  const stack = run(directory.path);
  await endpoints(stack);
  const children = await childrenOf(stack);
  const [, blobEvents, host] = z.tuple([processIdentity, processIdentity, processIdentity]).parse(children);
  process.kill(blobEvents.pid, 'SIGKILL');
  await vi.waitFor(async () => expect(await childrenOf(stack)).toHaveLength(4), within);
  process.kill(host.pid, 'SIGKILL');
  expect(await stack.exited).toBe(1);
  expect(stack.printed()).toContain('Functions host ended by itself with signal SIGKILL');
  expect(await running(children)).toBe(0);
});

test('An unknown option is refused with exit code 2', async () => {
  await using directory = await temporaryDirectory();
  const stack = run(directory.path, '--prot', '1');
  expect(await stack.exited).toBe(2);
  expect(stack.printed()).toContain("Unknown option '--prot'");
});
