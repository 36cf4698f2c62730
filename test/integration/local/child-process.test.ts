import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identifyProcess } from '#lib/compute';
import { type ChildProgram, startChild } from '../../../infra/local/child-process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/stack.ts';

const childModule = new URL('../../../infra/local/child.ts', import.meta.url).href;

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** A child whose body runs inside `runAsChild`. */
async function childOf(body: string, name: string): Promise<ChildProgram> {
  const program = join(directory.path, `${name}.mjs`);
  await writeFile(
    program,
    `import { spawn } from 'node:child_process';
     import { runAsChild } from '${childModule}';
     await runAsChild(async () => { ${body} });`,
  );
  return { name, program, options: {}, startMilliseconds: 10_000 };
}

test('A child that does not obey is killed after its grace, with all that it started', async () => {
  const program = await childOf(
    `const own = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
     return { endpoints: { own: String(own.pid) }, stop: () => new Promise(() => {}) };`,
    'stubborn',
  );
  const child = await startChild(program);
  const own = Number(child.endpoints['own']);
  expect(await identifyProcess(own)).toBeDefined();
  await child.stop(100);
  expect(await child.ended).toBe('signal SIGKILL');
  await expect.poll(() => identifyProcess(own)).toBeUndefined();
});

test('Signals of the terminal do not end a child', async () => {
  const child = await startChild(await childOf('return { endpoints: {}, stop: async () => {} };', 'obedient'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(child.pid, signal);
  await child.stop(5000);
  expect(await child.ended).toBe('exit code 0');
});

test('A child that fails to start is reported with its reason and its last lines', async () => {
  const program = await childOf(`console.error('the last line'); throw new Error('no such thing');`, 'failing');
  await expect(startChild(program)).rejects.toMatchObject({
    code: 'child-failed',
    message: 'failing did not start: no such thing.\n  the last line',
  });
});

test('A child that crashes before it is ready is reported with how it ended', async () => {
  const program = await childOf('process.exit(7);', 'crashing');
  await expect(startChild(program)).rejects.toThrow('crashing did not start: it ended with exit code 7.');
});

test('A child that is not ready in time is killed and reported', async () => {
  const program = await childOf('return new Promise(() => {});', 'slow');
  await expect(startChild({ ...program, startMilliseconds: 300 })).rejects.toThrow('it was not ready within 0.3 s');
});

test('A child whose port is taken is told apart', async () => {
  const program = await childOf(`throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' });`, 'late');
  await expect(startChild(program)).rejects.toMatchObject({ code: 'port-taken' });
});
