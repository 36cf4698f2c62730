import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UsageError } from '../../../infra/local/arguments.ts';
import { parseDuration } from '../../../infra/local/demo/duration.ts';

test.each([
  ['PT30S', 30],
  ['PT5M', 300],
  ['PT1H15M', 4500],
  ['pt1m30s', 90],
  ['PT90S', 90],
  ['PT0M1S', 1],
  ['P1D', 86_400],
  ['PT24H', 86_400],
])('%s is %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test.each([
  '',
  'P',
  'PT',
  'P1',
  '30',
  '30S',
  'T30S',
  'PT30',
  'PT1.5S',
  'PT-1S',
  '-PT1S',
  'PT1S1M',
  ' PT1S',
  'P1M',
  'P1DT',
])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(UsageError);
  expect(() => parseDuration(text)).toThrow(`"${text}" is no ISO 8601 duration`);
});

test.each(['PT0S', 'P0D', 'P0DT0H0M0S'])('%s is nothing, and refused', (text) => {
  expect(() => parseDuration(text)).toThrow('above zero');
});

test.each(['PT86401S', 'P1DT1S', `PT${'9'.repeat(400)}S`])('%s is more than a lease can be', (text) => {
  expect(() => parseDuration(text)).toThrow(UsageError);
  expect(() => parseDuration(text)).toThrow('PT24H at most');
});

test('Hours, minutes and seconds add up, however they are written', () => {
  const part = fc.option(fc.integer({ min: 0, max: 100 }));
  fc.assert(
    fc.property(part, part, part, (hours, minutes, seconds) => {
      const total = (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
      fc.pre(total > 0 && total <= 86_400);
      const write = (value: number | null, unit: string) => (value === null ? '' : `${value}${unit}`);
      expect(parseDuration(`PT${write(hours, 'H')}${write(minutes, 'M')}${write(seconds, 'S')}`)).toBe(total);
    }),
  );
});

test('Whatever is given, the answer is whole seconds that a lease can have, or a usage error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^P[0-9DTHMSW]{0,8}$/)), (text) => {
      try {
        const seconds = parseDuration(text);
        expect(Number.isInteger(seconds) && seconds > 0 && seconds <= 86_400).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
  );
});
