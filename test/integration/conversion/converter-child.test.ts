import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, getPriority } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { parseConversionSettings } from '#lib/conversion';
import { type ChildBounds, runConverterChild } from '../../../lib/conversion/converter-child.ts';
import { limits } from '../../support/models/index.ts';
import { faultProgram, faults } from './fault-programs.ts';

const job = {
  directory: '.',
  file: 'model.glb',
  outputDirectory: '.',
  settings: parseConversionSettings({}),
  limits,
};
const bounds: ChildBounds = { memoryBytes: 2 ** 30, timeoutSeconds: 30 };

async function run(fault: keyof typeof faults, changes: Partial<ChildBounds> = {}) {
  await using program = await faultProgram(faults[fault]);
  const phases: string[] = [];
  const end = await runConverterChild(program.url, job, { ...bounds, ...changes }, ({ phase }) => phases.push(phase));
  return { end, phases };
}

describe('a converter child', () => {
  it('is ended at its deadline, however busy it is', async () => {
    const started = performance.now();
    expect((await run('hangs', { timeoutSeconds: 0.3 })).end).toEqual({ type: 'ended', why: 'timeout' });
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it.each(['eatsMemory', 'fillsWasmMemory'] as const)(
    'that %s outside of its heap is ended when its resident memory is above the limit',
    async (fault) => {
      expect((await run(fault, { memoryBytes: 256 * 2 ** 20 })).end).toEqual({ type: 'ended', why: 'memory' });
    },
  );

  it.runIf(process.platform === 'linux')(
    'goes after the app that asks for it, with every thread that it has',
    async () => {
      const tell = `
      const { readdirSync, readFileSync } = await import('node:fs');
      const niceOf = (thread) => readFileSync('/proc/self/task/' + thread + '/stat', 'latin1').split(') ').at(-1).split(' ')[16];
      const message = readdirSync('/proc/self/task').map(niceOf).join();
      const error = { code: 'limit', message };
      process.send({ type: 'outcome', outcome: { status: 'failed', error, warnings: [] } }, () => process.exit(0));
    `;
      await using program = await faultProgram(`(async () => {${tell}})()`);
      const end = await runConverterChild(program.url, job, bounds, () => undefined);
      const { outcome } = z.object({ outcome: z.object({ error: z.object({ message: z.string() }) }) }).parse(end);
      const priorities = outcome.error.message.split(',').map(Number);
      expect(priorities.length).toBeGreaterThan(1);
      expect(new Set(priorities)).toEqual(new Set([Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL)]));
    },
  );

  it('is ended when it is cancelled', async () => {
    const cancel = new AbortController();
    const running = run('hangs', { signal: cancel.signal });
    cancel.abort();
    expect((await running).end).toEqual({ type: 'ended', why: 'cancelled' });
  });

  it.each([
    ['throws', 'it exited with code 1: TypeError: the library broke'],
    ['exits', 'it exited with code 3'],
    ['exitsInSilence', 'it exited with code 0'],
    ['aborts', 'it was ended by SIGABRT'],
    ['talksNonsense', 'it sent a message that is none of the protocol'],
    ['talksGarbageOutcome', 'it sent a message that is none of the protocol'],
  ] as const)('that %s is told of with its reason', async (fault, evidence) => {
    expect((await run(fault)).end).toEqual({ type: 'died', evidence: expect.stringContaining(evidence) });
  });

  it('that fills its heap dies of that, and says so', async () => {
    const { end } = await run('fillsItsHeap', { memoryBytes: 96 * 2 ** 20 });
    expect(end).toSatisfy(({ why, evidence = '' }) => why === 'memory' || /out of memory/.test(evidence));
  });

  it('may print what it likes', async () => {
    const { end, phases } = await run('chats');
    expect(end).toMatchObject({ type: 'outcome', outcome: { error: { message: 'The model is odd.' } } });
    expect(phases).toEqual(['reading']);
  });

  it('that cannot be started is told of', async () => {
    const missing = new URL('file:///nowhere/converter.mjs');
    const end = await runConverterChild(missing, job, bounds, () => undefined);
    expect(end).toEqual({ type: 'died', evidence: expect.stringContaining('Cannot find module') });
  });

  it('gets no secret of its parent', async () => {
    vi.stubEnv('SECRET_OF_THE_PARENT', 'hush');
    const tell = `
      const message = JSON.stringify(process.env);
      process.send({ type: 'outcome', outcome: { status: 'failed', error: { code: 'limit', message }, warnings: [] } });
      process.disconnect();
    `;
    await using program = await faultProgram(tell);
    const end = await runConverterChild(program.url, job, bounds, () => undefined);
    vi.unstubAllEnvs();
    expect(JSON.stringify(end)).toContain('limit');
    expect(JSON.stringify(end)).not.toContain('hush');
  });

  it('that is busy dies with its parent', async () => {
    const watch = new URL('../../../lib/conversion/die-with-parent.ts', import.meta.url);
    await using busy = await faultProgram(
      'for (;;) {}',
      `import { dieWithParent } from '${watch}'; dieWithParent(Number(process.argv[2]));`,
    );
    const start = `
      import { fork } from 'node:child_process';
      const child = fork(process.argv[2], [String(process.pid)]);
      child.send('go');
      process.once('message', () => process.send(child.pid));
    `;
    await using parentProgram = await faultProgram('', start);
    const parent = fork(parentProgram.path, [busy.path]);
    parent.send('who is your child?');
    const [pid] = await once(parent, 'message');
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 50 });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
