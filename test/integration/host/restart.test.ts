import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createWorkplace, type HostProcess, startHostProcess, type Workplace } from './host-process.ts';

let workplace: Workplace;
let host: HostProcess;

beforeEach(async () => {
  workplace = await createWorkplace();
  host = await startHostProcess(workplace);
});
afterEach(async () => {
  await host.stop();
  await workplace.remove();
});

const start = (name: string, id: string, input: unknown) => host.client('startNew', name, { instanceId: id, input });
const outputOf = (id: string) =>
  vi.waitFor(
    async () => {
      const status = await host.status(id);
      expect(status.runtimeStatus).toBe('Completed');
      return status.output;
    },
    { timeout: 10_000, interval: 10 },
  );
const noted = (line: string, times = 1) =>
  vi.waitFor(
    async () => {
      const lines = (await workplace.evidence()).filter((each) => each === line);
      expect(lines.length).toBe(times);
    },
    { timeout: 20_000 },
  );
const killAndRestart = async () => {
  await host.kill();
  host = await startHostProcess(workplace);
};

describe('after SIGKILL and a restart on the same database', () => {
  test('an activity that was running runs again', async () => {
    const file = join(workplace.folder, 'go');
    await start('slowly', 'slowly', { name: 'a', file });
    await noted('start a');
    await killAndRestart();
    await noted('start a', 2);
    await writeFile(file, '');
    expect(await outputOf('slowly')).toEqual({ name: 'a' });
    expect(await workplace.evidence()).toEqual(['start a', 'start a', 'end a']);
  });

  test('a timer fires at its time, or at once where that has passed', async () => {
    await start('sleeps', 'short', { ms: 1 });
    await start('sleeps', 'long', { ms: 1500 });
    await killAndRestart();
    for (const [id, ms] of [
      ['short', 1],
      ['long', 1500],
    ] as const) {
      const { slept } = z.object({ slept: z.number() }).parse(await outputOf(id));
      expect(slept).toBeGreaterThanOrEqual(ms);
    }
  });

  test('an event that was acknowledged is there, also for an instance that has not begun', async () => {
    await start('waits', 'waits', {});
    await host.client('raiseEvent', 'waits', 'go', 1);
    await killAndRestart();
    await host.client('raiseEvent', 'waits', 'go', 2);
    expect(await outputOf('waits')).toEqual([1, 2]);
  });

  test('ten instances that continue as new count right through five kills', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `counts-${index}`);
    await Promise.all(ids.map((id) => start('counts', id, { left: 60, seen: 0 })));
    const left = async () => {
      const inputs = await Promise.all(ids.map(async (id) => (await host.status(id)).input));
      return inputs.map((input) => z.object({ left: z.number() }).parse(input).left);
    };
    for (let kill = 1; kill <= 5; kill += 1) {
      await vi.waitFor(async () => expect(Math.min(...(await left()))).toBeLessThan(60 - 8 * kill), {
        timeout: 20_000,
        interval: 1,
      });
      await killAndRestart();
    }
    for (const id of ids) expect(await outputOf(id)).toEqual({ seen: 61 });
  });
});

describe('a stop that was ordered', () => {
  test('lets a running activity end and keeps its result', async () => {
    const file = join(workplace.folder, 'go');
    await start('slowly', 'slowly', { name: 'b', file });
    await noted('start b');
    const stopped = host.stop();
    await writeFile(file, '');
    await stopped;
    expect(host.process.exitCode).toBe(0);
    host = await startHostProcess(workplace);
    expect(await outputOf('slowly')).toEqual({ name: 'b' });
    expect(await workplace.evidence()).toEqual(['start b', 'end b']);
  });
});
