import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { warningCodes } from '../../../lib/conversion/warning-codes.ts';

const text = await readFile(new URL('../../../docs/conversion-result.md', import.meta.url), 'utf8');

test('every warning is described', () => {
  const rows = Object.entries(warningCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  expect(text).toContain(rows.join('\n'));
});

test('and none that nothing warns of', async () => {
  const folder = new URL('../../../lib/conversion/', import.meta.url);
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(
    names
      .filter((name) => name !== 'warning-codes.ts')
      .map(async (name) => await readFile(new URL(name, folder), 'utf8')),
  );
  const unused = Object.keys(warningCodes).filter((code) => !sources.some((source) => source.includes(`'${code}'`)));
  expect(unused).toEqual([]);
});
