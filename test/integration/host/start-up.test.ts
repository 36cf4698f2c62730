import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWorkplace, startHostProcess, type Workplace } from './host-process.ts';

const modernApp = fileURLToPath(new URL('./other-apps/modern.mjs', import.meta.url));
const faultyApp = fileURLToPath(new URL('./other-apps/faulty.cjs', import.meta.url));

let workplace: Workplace;

beforeAll(async () => {
  workplace = await createWorkplace();
});
afterAll(() => workplace.remove());

async function appFolder(name: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = join(workplace.folder, name);
  await mkdir(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), JSON.stringify(content));
  return folder;
}

const hostJson = { version: '2.0', extensions: { http: { routePrefix: '/api/' } } };
const memory = { database: ':memory:' };

describe('the host starts', () => {
  test('an app of ES modules, under its route prefix, with @azure/functions-core imported', async () => {
    const main = relative(join(workplace.folder, 'modern'), modernApp);
    const scriptRoot = await appFolder('modern', { 'package.json': { main }, 'host.json': hostJson });
    const host = await startHostProcess(workplace, { scriptRoot, ...memory });
    expect(host.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${host.url}/api/core`)).json()).toEqual({ same: true });
    expect((await fetch(`${host.url}/core`)).status).toBe(404);
    await host.stop();
    expect(host.process.exitCode).toBe(0);
  });
});

describe('the host refuses to start, and says why', () => {
  test('when the port is taken', async () => {
    const first = await startHostProcess(workplace, memory);
    const port = Number(new URL(first.url).port);
    await expect(startHostProcess(workplace, { ...memory, port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken: stop what listens there, or choose another with --port.`,
    );
    await first.stop();
  });

  test.each([
    ['empty', 'registered no function'],
    ['throws', /unable to load entry point ".*faulty\.cjs": no database/],
    ['duplicate', 'A function named "one" is registered twice'],
    ['other-case', 'Functions "one" and "One" differ in case only'],
    ['same-route', 'Functions "first" and "second" both answer GET /api/Things/{name}.'],
    ['queue', 'Function "jobs": the embedded host does not serve binding type "queueTrigger".'],
    ['route', 'cannot serve route "api/a/{x:guid}"'],
    ['schedule', 'Timer "clock": Schedule "*/5 * * * *" needs six fields'],
    ['never', 'Timer "clock": schedule "0 0 0 30 2 *" never occurs.'],
    ['setting', 'Timer "clock": setting NO_SUCH_SETTING is not set.'],
    ['stream', 'does not stream HTTP'],
    ['hook', 'runs no hooks'],
  ])('app that is wrong: %s', async (fault, message) => {
    const main = relative(join(workplace.folder, 'faulty'), faultyApp);
    const scriptRoot = await appFolder('faulty', { 'package.json': { main }, 'host.json': hostJson });
    const start = startHostProcess(workplace, { scriptRoot, ...memory, environment: { FAULT: fault } });
    await expect(start).rejects.toThrow(message);
  });

  test('when another host runs on the same database', async () => {
    const first = await startHostProcess(workplace);
    await expect(startHostProcess(workplace)).rejects.toThrow('is another host running on it?');
    await first.kill();
    await (await startHostProcess(workplace)).stop();
  });

  test('when the app is not built, or its files are wrong', async () => {
    const unbuilt = await appFolder('unbuilt', { 'package.json': { main: 'dist/none.cjs' }, 'host.json': hostJson });
    await expect(startHostProcess(workplace, { scriptRoot: unbuilt, ...memory })).rejects.toThrow(
      'build the app first',
    );
    const files = { 'package.json': { main: 'x.cjs' }, 'host.json': { version: '1.0' } };
    const old = await appFolder('old', files);
    await expect(startHostProcess(workplace, { scriptRoot: old, ...memory })).rejects.toThrow(
      /host\.json cannot be used/,
    );
  });
});
