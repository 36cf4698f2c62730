import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeLocalSettings, requireFunc } from '../../../infra/local/core-tools.ts';
import { temporaryDirectory } from '../../support/stack.ts';

test('Where func is missing, or cannot be run, it is said what to install', async () => {
  await using directory = await temporaryDirectory();
  await expect(requireFunc(directory.path)).rejects.toThrow('npm install --global azure-functions-core-tools@4');
  await writeFile(join(directory.path, 'func'), '', { mode: 0o600 });
  // Root may run nothing either where no execute bit is set.
  await expect(requireFunc(directory.path)).rejects.toMatchObject({ code: 'func-missing' });
});

test('func is found in any folder of the search path', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'func'), '', { mode: 0o755 });
  await requireFunc(`/nowhere:${directory.path}`);
});

test('local.settings.json is made from its sample, once', async () => {
  await using directory = await temporaryDirectory();
  const settings = join(directory.path, 'local.settings.json');
  await writeFile(join(directory.path, 'local.settings.sample.json'), 'sample');
  expect(await makeLocalSettings(directory.path)).toBe(true);
  await writeFile(settings, 'mine');
  expect(await makeLocalSettings(directory.path)).toBe(false);
  expect(await readFile(settings, 'utf8')).toBe('mine');
});
