import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leaseEnd, RenderingError, remainingSeconds } from '#lib/rendering';
import { newLease, renewLease, startLease } from '../../../lib/rendering/lease.ts';
import { at, START } from '../../support/records.ts';

const readyAt = START;
const running = (maxLeaseSeconds = 60, hardCapSeconds = 600) =>
  startLease(newLease(maxLeaseSeconds, hardCapSeconds), readyAt);

describe('a lease before Ready', () => {
  test('has no end, and nobody can say what remains', () => {
    const lease = newLease(60, 600);
    expect(lease).toEqual({ revision: 1, maxLeaseSeconds: 60, hardCapSeconds: 600 });
    expect(leaseEnd(lease, at(1e6))).toBeUndefined();
    expect(remainingSeconds(lease, readyAt)).toBeNull();
  });

  test('may be as long as the cap, and no longer', () => {
    expect(newLease(600, 600).maxLeaseSeconds).toBe(600);
    expect(() => newLease(601, 600)).toThrow(
      new RenderingError('lease_over_cap', 'maxLeaseSeconds may be 600 at most (MAX_LEASE_SECONDS); 601 is more.'),
    );
  });

  test('can be renewed: the clock starts with the larger total', () => {
    const lease = startLease(renewLease(newLease(60, 600), 90, 1), readyAt);
    expect(lease).toMatchObject({ revision: 2, expiresAt: at(90).toISOString() });
  });
});

describe('a lease from Ready on', () => {
  test('has absolute ends, counted from Ready', () => {
    expect(running()).toEqual({
      revision: 1,
      maxLeaseSeconds: 60,
      hardCapSeconds: 600,
      startedAt: readyAt.toISOString(),
      expiresAt: at(60).toISOString(),
      hardCapAt: at(600).toISOString(),
    });
  });

  test('runs until the millisecond before its end and is over at the end itself', () => {
    expect(leaseEnd(running(), at(59.999))).toBeUndefined();
    expect(leaseEnd(running(), at(60))).toBe('lease_expired');
    expect(leaseEnd(running(), at(3600))).toBe('lease_expired');
  });

  test('that was as long as the cap allows ends for the cap', () => {
    expect(leaseEnd(running(600, 600), at(599.999))).toBeUndefined();
    expect(leaseEnd(running(600, 600), at(600))).toBe('hard_cap');
    expect(leaseEnd(renewLease(running(), 600, undefined), at(600))).toBe('hard_cap');
  });

  test('has what is left of it, and never less than nothing', () => {
    expect(remainingSeconds(running(), readyAt)).toBe(60);
    expect(remainingSeconds(running(), at(59.5))).toBe(0.5);
    expect(remainingSeconds(running(), at(60))).toBe(0);
    expect(remainingSeconds(running(), at(90))).toBe(0);
  });
});

describe('a renewal', () => {
  test('sets a larger total from Ready and raises the revision', () => {
    expect(renewLease(running(), 90, 1)).toEqual({ ...running(90), revision: 2 });
  });

  test.each([
    ['the same total again', 60],
    ['a smaller total', 59],
  ])('to %s is refused', (_, total) => {
    expect(() => renewLease(running(), total, 1)).toThrow(expect.objectContaining({ code: 'lease_not_larger' }));
  });

  test('over the cap is refused, whatever revision it names', () => {
    for (const revision of [1, undefined]) {
      const renew = () => renewLease(running(), 601, revision);
      expect(renew).toThrow(expect.objectContaining({ code: 'lease_over_cap' }));
    }
  });

  test('of a lease that was renewed since is refused before anything else is looked at', () => {
    const renewed = renewLease(running(), 90, 1);
    for (const total of [30, 90, 120, 9000]) {
      expect(() => renewLease(renewed, total, 1)).toThrow(expect.objectContaining({ code: 'stale' }));
    }
    expect(() => renewLease(renewed, 120, 3)).toThrow('it is at revision 2, not 3');
  });

  test('whatever is asked in whatever order, the lease is the last total that was granted, from Ready, within the cap', () => {
    const cap = fc.integer({ min: 1, max: 86_400 });
    const lease = cap.chain((hardCap) =>
      fc.record({ hardCap: fc.constant(hardCap), first: fc.integer({ min: 1, max: hardCap }) }),
    );
    const asked = fc.array(
      fc.record({
        total: fc.integer({ min: 1, max: 100_000 }),
        seen: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(
        lease,
        asked,
        fc.date({ min: at(-1e6), max: at(1e6), noInvalidDate: true }),
        ({ hardCap, first }, renewals, now) => {
          let current = startLease(newLease(first, hardCap), readyAt);
          let granted = 0;
          for (const { total, seen } of renewals) {
            const allowed =
              total > current.maxLeaseSeconds && total <= hardCap && (seen ?? current.revision) === current.revision;
            if (!allowed) {
              expect(() => renewLease(current, total, seen)).toThrow(RenderingError);
              continue;
            }
            current = renewLease(current, total, seen);
            granted += 1;
            expect(current.maxLeaseSeconds).toBe(total);
            expect(() => renewLease(current, total, current.revision)).toThrow(RenderingError);
          }
          expect(current.revision).toBe(1 + granted);
          expect(current.startedAt).toBe(readyAt.toISOString());
          expect(current.expiresAt).toBe(at(current.maxLeaseSeconds).toISOString());
          expect(current.hardCapAt).toBe(at(hardCap).toISOString());
          const left = remainingSeconds(current, now) ?? Number.NaN;
          expect(left).toBeGreaterThanOrEqual(0);
          expect(left === 0).toBe(leaseEnd(current, now) !== undefined);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('after a hundred renewals the document is as small as after the first', () => {
    let lease = renewLease(running(60, 10_000), 100, undefined);
    const size = JSON.stringify(lease).length;
    for (let total = 101; total <= 200; total += 1) lease = renewLease(lease, total, lease.revision);
    expect(lease).toMatchObject({ revision: 102, expiresAt: at(200).toISOString() });
    expect(JSON.stringify(lease).length).toBeLessThanOrEqual(size + 2);
  });
});
