import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { RecordStore } from '#lib/records';
import { openRecords } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { createWorkplace, type HostProcess, startHostProcess, type Workplace } from '../host/host-process.ts';
import { type CounterRecord, counterStore, newCounter } from './counter-record.ts';

let storage: TestStorage;
let workplace: Workplace;
let host: HostProcess;
let counters: RecordStore<CounterRecord>;

beforeAll(async () => {
  [storage, workplace] = await Promise.all([startStorage(), createWorkplace()]);
  const { table } = await openRecords(storage.connectionString);
  counters = counterStore(table);
  host = await startHostProcess(workplace, {
    scriptRoot: await appFolder(workplace.folder),
    environment: { STORAGE: storage.connectionString, TABLE: table.tableName },
  });
});
afterAll(async () => {
  await host?.stop();
  await Promise.all([storage?.stop(), workplace?.remove()]);
});

async function appFolder(folder: string): Promise<string> {
  const scriptRoot = join(folder, 'app');
  const main = relative(scriptRoot, fileURLToPath(new URL('counter-app.ts', import.meta.url)));
  await mkdir(scriptRoot);
  await writeFile(join(scriptRoot, 'package.json'), JSON.stringify({ type: 'module', main }));
  const hostJson = { version: '2.0', extensions: { http: { routePrefix: '' }, durableTask: { hubName: 'Counters' } } };
  await writeFile(join(scriptRoot, 'host.json'), JSON.stringify(hostJson));
  return scriptRoot;
}

const call = async (name: 'start' | 'wake' | 'isLive', id: string): Promise<unknown> => {
  const response = await fetch(`${host.url}/orchestrations/${name}/${id}`, { method: 'POST' });
  expect(response.status, host.log()).toBe(200);
  return z.object({ answer: z.unknown() }).parse(await response.json()).answer;
};

const begin = async (id: string, sleepMilliseconds?: number) => {
  await counters.create(newCounter(id, sleepMilliseconds));
  await call('start', id);
  await seen(id, ({ passes }) => passes >= 1);
};

const write = (
  id: string,
  change: Partial<Pick<CounterRecord, 'wanted' | 'sleepMilliseconds' | 'failures' | 'state'>>,
) => counters.update(id, (current) => ({ record: { ...current, ...change } }));

/** The record, once it is as it should be; well before the long timer that the records sleep on. */
const seen = (id: string, condition: (record: CounterRecord) => boolean) =>
  vi.waitFor(
    async () => {
      const record = await counters.get(id);
      expect(record).toSatisfy(condition);
      return record;
    },
    { timeout: 10_000, interval: 5 },
  );

const over = (id: string) =>
  vi.waitFor(async () => expect(await call('isLive', id)).toBe(false), { timeout: 10_000, interval: 10 });

describe('a record and its orchestration', () => {
  test('of 15 writes that race with passes and timers each is seen, without waiting for the long timer', async () => {
    await begin('racing');
    for (let round = 1; round <= 15; round += 1) {
      // Passes follow each other every few milliseconds now; the write and its wake-up hit any moment of one.
      await write('racing', { sleepMilliseconds: round % 7 });
      await call('wake', 'racing');
      await write('racing', { wanted: round, sleepMilliseconds: 60_000 });
      await call('wake', 'racing');
      await seen('racing', ({ applied }) => applied === round);
    }
  });

  test('of ten writers at once, whose wake-ups meet in one pass or none, the last sum is seen', async () => {
    await begin('crowded');
    const add = async () => {
      await counters.update('crowded', (current) => ({ record: { ...current, wanted: current.wanted + 1 } }));
      await call('wake', 'crowded');
    };
    await Promise.all(Array.from({ length: 10 }, add));
    expect((await seen('crowded', ({ applied }) => applied === 10)).wanted).toBe(10);
  });

  test('without a wake-up the timer finds the write', async () => {
    await begin('timed', 50);
    await write('timed', { wanted: 3 });
    await seen('timed', ({ applied }) => applied === 3);
    await write('timed', { state: 'done' });
    await over('timed');
  });

  test('a step that fails is said in the log, ends nothing, and is tried again when woken', async () => {
    await begin('failing');
    await write('failing', { failures: 1, wanted: 1 });
    await call('wake', 'failing');
    await seen('failing', ({ failures }) => failures === 0);
    expect(await call('isLive', 'failing')).toBe(true);
    await call('wake', 'failing');
    await seen('failing', ({ applied }) => applied === 1);
    expect(host.log()).toContain('counterApply failed for failing; it is tried again.');
  });
});

describe('the end', () => {
  test('comes with a terminal record; what is started or woken late runs no step', async () => {
    await begin('ended');
    await write('ended', { state: 'done' });
    await call('wake', 'ended');
    await over('ended');
    const record = await counters.get('ended');
    await call('wake', 'ended');
    await call('start', 'ended');
    await over('ended');
    expect(await counters.get('ended')).toEqual(record);
  });

  test('comes at once where there is no record', async () => {
    await call('start', 'nobody');
    await over('nobody');
    expect(host.log()).not.toContain('for nobody');
  });
});

describe('starting and waking', () => {
  test('many starts for one record, at once or later, make one live instance and no error', async () => {
    await counters.create(newCounter('started'));
    await Promise.all(Array.from({ length: 5 }, () => call('start', 'started')));
    await seen('started', ({ passes }) => passes === 1);
    await call('start', 'started');
    expect(await call('isLive', 'started')).toBe(true);
    expect((await counters.get('started')).passes).toBe(1);
  });

  test('waking what was never started is a success, and starts nothing', async () => {
    await call('wake', 'never-started');
    expect(await call('isLive', 'never-started')).toBe(false);
  });
});
