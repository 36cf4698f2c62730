import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProblemError, RateLimits } from '#lib/http';
import { testClock } from '../../support/records.ts';

describe('a caller', () => {
  test('may ask so often a minute, and is told when there is one again', () => {
    const clock = testClock();
    const limits = new RateLimits(60, clock.now);
    for (let request = 0; request < 60; request += 1) limits.take('ada');
    expect(() => limits.take('ada')).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ status: 429, headers: { 'Retry-After': '1' } }) }),
    );
    limits.take('zoe');
    clock.advance(1);
    limits.take('ada');
    expect(() => limits.take('ada')).toThrow(ProblemError);
  });

  test('has all of it back after a minute, and no more than that after an hour', () => {
    const clock = testClock();
    const limits = new RateLimits(5, clock.now);
    for (const pause of [0, 60, 3600]) {
      clock.advance(pause);
      for (let request = 0; request < 5; request += 1) expect(limits.secondsUntilNext('ada')).toBeUndefined();
      expect(limits.secondsUntilNext('ada')).toBe(12);
    }
  });

  test('loses nothing to a clock that is set back', () => {
    const clock = testClock();
    const limits = new RateLimits(2, clock.now);
    limits.take('ada');
    clock.advance(-3600);
    limits.take('ada');
    expect(limits.secondsUntilNext('ada')).toBe(30);
  });

  test('that waits as long as it is told is let in, whatever the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (perMinute) => {
        const clock = testClock();
        const limits = new RateLimits(perMinute, clock.now);
        for (let request = 0; request < perMinute; request += 1) limits.take('ada');
        clock.advance(limits.secondsUntilNext('ada') ?? 0);
        expect(limits.secondsUntilNext('ada')).toBeUndefined();
      }),
    );
  });
});
