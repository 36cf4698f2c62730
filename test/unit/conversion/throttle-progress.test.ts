import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { throttleProgress } from '../../../lib/conversion/throttle-progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress', () => {
  test('is told at once, then at most twice a second, of what came meanwhile the newest', () => {
    const told: string[] = [];
    using progress = throttleProgress(({ phase }) => told.push(phase));
    progress.tell({ phase: 'reading' });
    progress.tell({ phase: 'importing' });
    progress.tell({ phase: 'optimising' });
    expect(told).toEqual(['reading']);
    vi.advanceTimersByTime(499);
    expect(told).toEqual(['reading']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['reading', 'optimising']);
    progress.tell({ phase: 'compressing' });
    expect(told).toEqual(['reading', 'optimising']);
    vi.advanceTimersByTime(5000);
    progress.tell({ phase: 'validating' });
    expect(told).toEqual(['reading', 'optimising', 'compressing', 'validating']);
  });

  test('that is held back is told at the end, and once', () => {
    const told: string[] = [];
    {
      using progress = throttleProgress(({ phase }) => told.push(phase));
      progress.tell({ phase: 'reading' });
      progress.tell({ phase: 'writing' });
    }
    expect(told).toEqual(['reading', 'writing']);
    vi.advanceTimersByTime(5000);
    expect(told).toEqual(['reading', 'writing']);
  });
});
