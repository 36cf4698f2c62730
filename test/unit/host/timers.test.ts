import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TimerFunction } from '../../../infra/local/host/function-index.ts';
import type { Invoker } from '../../../infra/local/host/invoker.ts';
import { parseNcrontab } from '../../../infra/local/host/ncrontab.ts';
import { startTimers, type TimerStatus } from '../../../infra/local/host/timers.ts';

const start = Date.parse('2026-01-01T00:00:30.000Z');

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

const timer = (options: Partial<TimerFunction> = {}): TimerFunction => ({
  name: 'clock',
  registered: { metadata: { name: 'clock', bindings: {} }, callback: () => undefined },
  trigger: 'timer',
  durableClients: [],
  schedule: parseNcrontab('0 * * * * *'),
  runOnStartup: false,
  monitored: true,
  ...options,
});

function run(options: Partial<TimerFunction>, work: () => Promise<void>, known?: TimerStatus) {
  const runs: { at: string; isPastDue: boolean }[] = [];
  const errors: string[] = [];
  const statuses = new Map<string, TimerStatus>(known ? [['clock', known]] : []);
  const invoker: Invoker = {
    invoke: async (_target, data) => {
      runs.push({ at: new Date().toISOString().slice(11, 19), isPastDue: JSON.parse(data.json ?? '{}').IsPastDue });
      await work();
      return null;
    },
    settle: async () => [],
  };
  const timers = startTimers([timer(options)], {
    invoker,
    statuses: { read: (name) => statuses.get(name), write: (name, status) => statuses.set(name, status) },
    log: (_level, _source, message) => errors.push(message),
    now: Date.now,
  });
  return { runs, errors, statuses, timers };
}

const instantly = async () => undefined;

test('runs at each occurrence, and remembers the last', async () => {
  const { runs, statuses, timers } = run({}, instantly);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(runs).toEqual([
    { at: '00:01:00', isPastDue: false },
    { at: '00:02:00', isPastDue: false },
  ]);
  expect(statuses.get('clock')).toMatchObject({ last: start + 90_000, next: start + 150_000 });
  timers.stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(runs.length).toBe(2);
});

test('two runs never overlap: what is due during a long one is skipped', async () => {
  const { runs, timers } = run({}, () => new Promise((resolve) => setTimeout(resolve, 150_000)));
  await vi.advanceTimersByTimeAsync(290_000);
  expect(runs.map((each) => each.at)).toEqual(['00:01:00', '00:04:00']);
  timers.stop();
});

test('a run that fails is reported, and the next one comes', async () => {
  const { runs, errors, timers } = run({}, async () => {
    throw new Error('broken');
  });
  await vi.advanceTimersByTimeAsync(90_000);
  expect([runs.length, errors.length]).toEqual([2, 2]);
  expect(errors[0]).toContain('broken');
  timers.stop();
});

const hourAgo = { last: start - 3_600_000, next: start - 3_540_000, updated: start - 3_600_000 };

test('an occurrence missed while the host was down is made up at once, as past due', async () => {
  const { runs, timers } = run({}, instantly, hourAgo);
  await vi.advanceTimersByTimeAsync(1000);
  expect(runs).toEqual([{ at: '00:00:30', isPastDue: true }]);
  timers.stop();
});

test('but not where the timer is not monitored, or nothing was missed', async () => {
  const unmonitored = run({ monitored: false }, instantly, hourAgo);
  const recent = run({}, instantly, { last: start - 1000, next: start + 30_000, updated: start - 1000 });
  await vi.advanceTimersByTimeAsync(1000);
  expect([...unmonitored.runs, ...recent.runs]).toEqual([]);
  unmonitored.timers.stop();
  recent.timers.stop();
});

test('runOnStartup runs at once', async () => {
  const { runs, timers } = run({ runOnStartup: true }, instantly);
  await vi.advanceTimersByTimeAsync(1000);
  expect(runs).toEqual([{ at: '00:00:30', isPastDue: false }]);
  timers.stop();
});
