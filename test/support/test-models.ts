import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ModelFiles } from './models/shapes.ts';

/** Where Debian's package `assimp-testmodels` lies: models of importers' own tests, valid ones and others. */
export const TEST_MODELS = '/usr/share/assimp/models';

/** @throws Error where the package is missing: what needs it is never left out in silence */
export function requireTestModels(): void {
  if (existsSync(TEST_MODELS)) return;
  throw new Error(`${TEST_MODELS} is missing. Install Debian's package: sudo apt-get install assimp-testmodels`);
}

/** A model of the package, by its path there, with files that it refers to beside it. */
export async function testModel(path: string, ...references: readonly string[]): Promise<ModelFiles> {
  requireTestModels();
  const folder = join(TEST_MODELS, path, '..');
  const names = [basename(path), ...references];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))])));
}
