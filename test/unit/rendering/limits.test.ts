import { describe, expect, test } from 'vitest';
import { conversionsAtATime, limitsOf, withSetting } from '#lib/rendering';
import { testConfig } from '../../support/records.ts';

const GIB = 2 ** 30;
const config = (bytes?: number) =>
  testConfig('UseDevelopmentStorage=true', bytes === undefined ? {} : { CONVERSION_MAX_MEMORY_BYTES: String(bytes) });

describe('the memory of a conversion', () => {
  test.each([
    ['the setting on a computer that has it', undefined, { memoryBytes: 64 * GIB, processors: 8 }, 4 * GIB, 7],
    ['for as many at a time as fit', undefined, { memoryBytes: 16 * GIB, processors: 8 }, 4 * GIB, 3],
    ['what a small computer has', undefined, { memoryBytes: 2 * GIB, processors: 8 }, 1.5 * GIB, 1],
    ['what the computer has, whatever the setting', 64 * GIB, { memoryBytes: 24 * GIB, processors: 2 }, 18 * GIB, 1],
    ['a smaller setting', GIB, { memoryBytes: 16 * GIB, processors: 4 }, GIB, 3],
    ['the setting on one processor', GIB, { memoryBytes: 16 * GIB, processors: 1 }, GIB, 1],
  ])('is %s', (_, setting, computer, bytes, atATime) => {
    expect(limitsOf(config(setting), computer).memoryBytes).toBe(bytes);
    expect(conversionsAtATime(config(setting), computer)).toBe(atATime);
  });

  test('is told of in a refusal with the setting, and that the computer bounds it', () => {
    const words =
      'It is too big. The limit is the setting CONVERSION_MAX_MEMORY_BYTES, or less where the computer has less.';
    expect(withSetting('It is too big.', 'memoryBytes')).toBe(words);
    expect(withSetting('It is too big.', 'nodes')).toBe(
      'It is too big. The limit is the setting CONVERSION_MAX_NODES.',
    );
  });
});
