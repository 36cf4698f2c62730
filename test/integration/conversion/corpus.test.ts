import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BulkConverter } from '../../support/bulk-converter.ts';
import { NO_FORMAT, readExpected } from '../../support/corpus/expected.ts';
import { listTestModels, observe } from '../../support/corpus/observe.ts';
import { requireTestModels } from '../../support/test-models.ts';

vi.setConfig({ testTimeout: 120_000 });

requireTestModels();
const expected = await readExpected();
const files = await listTestModels();

let converter: BulkConverter;
beforeAll(async () => {
  converter = await BulkConverter.start(60);
});
afterAll(async () => {
  await converter[Symbol.asyncDispose]();
});

describe('Of the models of other importers', () => {
  test('every one of the package is there', () => {
    expect(Object.keys(expected).filter((path) => !files.includes(path))).toEqual([]);
    expect(Object.values(expected).filter((outcome) => !('fails' in outcome)).length).toBeGreaterThan(100);
  });

  test.for(Object.entries(expected))('%s becomes what it must', async ([path, outcome]) => {
    const seen = await observe(converter, path);
    if (!('fails' in outcome)) return expect(seen).toEqual(outcome);
    const { fails, cause } = outcome;
    expect(seen).toEqual({ fails, message: expect.stringContaining(cause) });
  });

  test('every other file is refused as of no format that can be converted', async () => {
    const wrong: string[] = [];
    for (const path of files.filter((name) => !(name in expected))) {
      const seen = await observe(converter, path);
      const isRefused = 'fails' in seen && seen.fails === 'input_refused' && NO_FORMAT.test(seen.message);
      if (!isRefused) wrong.push(`${path}: ${JSON.stringify(seen)}`);
    }
    expect(wrong).toEqual([]);
  });
});
