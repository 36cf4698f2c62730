import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningChild, startChild } from '../../../infra/local/child-process.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const programOf = (name: string) => fileURLToPath(new URL(`../../../infra/local/${name}`, import.meta.url));

/** Stands where Core Tools stand: serves how it was called, and ends at SIGINT. */
const fakeFunc = `#!${process.execPath}
const [, , ...called] = process.argv;
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/crash') process.exit(3);
  const { AzureWebJobsStorage: storage, NODE_EXTRA_CA_CERTS: certificates, STACK_SECRET_OPTIONS: options } = process.env;
  response.end(JSON.stringify({ called, folder: process.cwd(), storage, certificates, options, pid: process.pid }));
});
server.listen(Number(called[2]), '127.0.0.1');
process.on('SIGINT', () => process.exit(0));
`;
const answer = z.object({
  called: z.array(z.string()),
  folder: z.string(),
  storage: z.string(),
  certificates: z.string(),
  options: z.string().optional(),
  pid: z.number(),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  server.close();
  await once(server, 'close');
  return port;
}

async function startFunc(folder: string, port: number, content = fakeFunc): Promise<RunningChild> {
  await writeFile(join(folder, 'func'), content, { mode: 0o755 });
  return await startChild({
    name: 'Functions host',
    program: programOf('func-host.ts'),
    options: { scriptRoot: folder, port, database: 'unused' },
    secretOptions: { systemKey: 'unused', environment: { AzureWebJobsStorage: 'local' } },
    environment: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: '/certificates.pem',
      PATH: `${folder}${delimiter}${process.env['PATH']}`,
    },
    startMilliseconds: 10_000,
  });
}

test('func is started on the port, in the folder of the app, with its settings and certificates, and ends with the stack', async () => {
  await using folder = await temporaryDirectory();
  const port = await freePort();
  const host = await startFunc(folder.path, port);
  const app = host.endpoints['app'] ?? '';
  const { pid, ...called } = answer.parse(await (await fetch(app)).json());
  expect(called).toEqual({
    called: ['start', '--port', String(port)],
    folder: folder.path,
    storage: 'local',
    certificates: '/certificates.pem',
  });
  await host.stop(5000);
  expect(await host.ended).toBe('exit code 0');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('When func ends by itself the child ends too, so that the stack stops', async () => {
  await using folder = await temporaryDirectory();
  const host = await startFunc(folder.path, await freePort());
  await fetch(`${host.endpoints['app']}/crash`).catch(() => undefined);
  expect(await host.ended).toBe('exit code 1');
});

test('A func that does not start is reported with what it said', async () => {
  await using folder = await temporaryDirectory();
  const failing = `#!${process.execPath}\nconsole.error('No job functions found.'); process.exit(1);\n`;
  await expect(startFunc(folder.path, await freePort(), failing)).rejects.toThrow(
    /func ended with exit code 1[\s\S]*No job functions found/,
  );
});

test('npm run start:func without func says what to install, exits 1 and starts nothing', async () => {
  const command = spawn(process.execPath, [programOf('start-func.ts')], {
    env: { PATH: '/nowhere' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(command.stderr), once(command, 'exit')]);
  expect(said).toContain('npm install --global azure-functions-core-tools@4');
  expect(code).toBe(1);
});
