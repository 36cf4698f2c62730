import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newLease, nextWarning, startLease } from '../../../lib/rendering/lease.ts';
import { at, START } from '../../support/records.ts';

const runningLease = (maxLeaseSeconds: number) => startLease(newLease(maxLeaseSeconds, 86_400), START);
type Warned = Parameters<typeof nextWarning>[1];

/** Every warning that a look each so many seconds gives, as `seconds before the end @ seconds from Ready`. */
function warningsOf(maxLeaseSeconds: number, everySeconds: number): string[] {
  const lease = runningLease(maxLeaseSeconds);
  const given: string[] = [];
  let warned: Warned;
  for (let elapsed = 0; elapsed < maxLeaseSeconds; elapsed += everySeconds) {
    const next = nextWarning(lease, warned, at(elapsed));
    if (next === undefined || next.dueAt > at(elapsed)) continue;
    warned = next;
    given.push(`${next.seconds} @ ${elapsed}`);
  }
  return given;
}

describe('warnings of a lease’s end', () => {
  test.each([
    [600, ['300 @ 300', '60 @ 540']],
    [301, ['300 @ 1', '60 @ 241']],
    [300, ['60 @ 240']],
    [61, ['60 @ 1']],
    [60, []],
    [5, []],
  ])(
    'of %i s are given once each, five minutes and one minute before, where the lease is longer than that',
    (total, given) => {
      expect(warningsOf(total, 1)).toEqual(given);
    },
  );

  test('that were overslept until the next was due are left out', () => {
    expect(warningsOf(600, 290)).toEqual(['60 @ 580']);
    expect(warningsOf(600, 250)).toEqual(['300 @ 500']);
  });

  test('are not there before the clock runs', () => {
    expect(nextWarning(newLease(600, 600), undefined, START)).toBeUndefined();
  });

  test('come again for another end', () => {
    const warned = { expiresAt: at(600).toISOString(), seconds: 60 };
    expect(nextWarning(runningLease(600), warned, at(545))).toBeUndefined();
    expect(nextWarning(runningLease(1200), warned, at(545))).toMatchObject({ seconds: 300, dueAt: at(900) });
    expect(nextWarning(runningLease(630), warned, at(580))).toMatchObject({ seconds: 60, dueAt: at(570) });
  });

  test('of whatever lease, however often one looks, are in order, never twice, and never for less than is left of a look', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 100 }), (total, every) => {
        const given = warningsOf(total, every).map((each) => each.split(' @ ').map(Number));
        expect(new Set(given.map(([seconds]) => seconds)).size).toBe(given.length);
        for (const [seconds = 0, elapsed = 0] of given) {
          const left = total - elapsed;
          expect(left).toBeLessThanOrEqual(seconds);
          expect(left).toBeGreaterThan(seconds - every);
          expect(total).toBeGreaterThan(seconds);
        }
      }),
    );
  });
});
