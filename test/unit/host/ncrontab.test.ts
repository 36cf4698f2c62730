import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextOccurrence, parseNcrontab, type Schedule } from '../../../infra/local/host/ncrontab.ts';

const next = (schedule: string, after: string) => {
  const time = nextOccurrence(parseNcrontab(schedule), Date.parse(after));
  return time === undefined ? undefined : new Date(time).toISOString();
};

describe('the next occurrence is strictly after the given time, in UTC', () => {
  test.each([
    ['*/20 * * * * *', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:20.000Z'],
    ['*/20 * * * * *', '2026-01-01T00:00:19.999Z', '2026-01-01T00:00:20.000Z'],
    ['*/20 * * * * *', '2026-12-31T23:59:40.000Z', '2027-01-01T00:00:00.000Z'],
    ['0 */5 * * * *', '2026-01-01T00:00:01Z', '2026-01-01T00:05:00.000Z'],
    ['0 30 9 * * MON-FRI', '2026-01-02T09:30:00Z', '2026-01-05T09:30:00.000Z'],
    ['0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 0 13 * fri', '2026-03-13T00:00:00Z', '2026-11-13T00:00:00.000Z'],
    ['5,10 1-3 2 1 january *', '2026-01-01T02:03:10Z', '2027-01-01T02:01:05.000Z'],
    ['0 50/5 23 31 12 *', '2026-12-31T23:55:00Z', '2027-12-31T23:50:00.000Z'],
    ['0 0 0-6/3 * * 0', '2026-01-04T03:00:00Z', '2026-01-04T06:00:00.000Z'],
  ])('%s after %s is %s', (schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected);
  });

  test('a date that never comes has none', () => {
    expect(next('0 0 0 30 2 *', '2026-01-01T00:00:00Z')).toBeUndefined();
  });
});

test.each([
  ['* * * * *', 'needs six fields'],
  ['* * * * * * *', 'needs six fields'],
  ['60 * * * * *', '"60" is not a second of a schedule (0 to 59).'],
  ['* * 24 * * *', 'hour'],
  ['* * * 0 * *', 'day'],
  ['* * * * 13 *', 'month'],
  ['* * * * * 7', 'day of week'],
  ['*/0 * * * * *', '"*/0"'],
  ['5-1 * * * * *', '"5-1"'],
  ['1, * * * * *', '""'],
  ['1/2/3 * * * * *', '"1/2/3"'],
  ['-1 * * * * *', '"-1"'],
  ['* * * * foo *', '"foo" is not a month'],
])('%s is refused', (schedule, message) => {
  expect(() => parseNcrontab(schedule)).toThrow(message);
});

const fits = (schedule: Schedule, time: number): boolean => {
  const date = new Date(time);
  return (
    schedule.seconds.includes(date.getUTCSeconds()) &&
    schedule.minutes.includes(date.getUTCMinutes()) &&
    schedule.hours.includes(date.getUTCHours()) &&
    schedule.days.has(date.getUTCDate()) &&
    schedule.months.has(date.getUTCMonth() + 1) &&
    schedule.weekdays.has(date.getUTCDay())
  );
};

const field = (low: number, high: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: low, max: high }).map(String),
    fc.integer({ min: 1, max: high }).map((step) => `*/${step}`),
    fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high })).map(([one, other]) => {
      return `${Math.min(one, other)}-${Math.max(one, other)}`;
    }),
  );

test('any occurrence fits its schedule, and no second between it and the given time does', () => {
  const schedules = fc
    .tuple(field(0, 59), field(0, 59), field(0, 23), field(0, 6))
    .map(([second, minute, hour, weekday]) => {
      return parseNcrontab(`${second} ${minute} ${hour} * * ${weekday}`);
    });
  const times = fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2030-01-01') });
  fc.assert(
    fc.property(schedules, times, (schedule, after) => {
      const found = nextOccurrence(schedule, after);
      if (found === undefined) throw new Error('Every such schedule occurs within a week.');
      expect(found).toBeGreaterThan(after);
      expect(fits(schedule, found)).toBe(true);
      const start = Math.floor(after / 1000) * 1000 + 1000;
      for (let time = start; time < Math.min(found, start + 600_000); time += 1000)
        expect(fits(schedule, time)).toBe(false);
    }),
    { numRuns: 50 },
  );
});
