import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConversionSettings } from '#lib/conversion';
import { build } from '../../../infra/build.ts';
import { runConverterChild } from '../../../lib/conversion/converter-child.ts';
import { textFbx } from '../../support/models/fbx.ts';
import { boxGlb, dracoGlb, limits, modelFolder, quadGlb } from '../../support/models/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/stack.ts';

const packages = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** What is built, in a folder from which no package of this one is found. */
async function deployed(): Promise<TemporaryDirectory> {
  const elsewhere = await temporaryDirectory();
  await cp(new URL('../../../dist/functions', import.meta.url), elsewhere.path, { recursive: true });
  return elsewhere;
}

/** Installs a package with all that it needs and that fits this computer. */
async function install(name: string, directory: string): Promise<void> {
  const text = await readFile(join(packages, name, 'package.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  await cp(join(packages, name), join(directory, 'node_modules', name), { recursive: true });
  const { dependencies, optionalDependencies } = manifest.parse(JSON.parse(text));
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) await install(needed, directory);
}

async function convertIn(directory: string, model: Uint8Array) {
  await using folder = await modelFolder({ 'model.glb': model });
  const job = {
    directory: folder.input,
    file: 'model.glb',
    outputDirectory: folder.input,
    settings: parseConversionSettings({}),
    limits,
  };
  const program = pathToFileURL(join(directory, 'converter.mjs'));
  const bounds = { memoryBytes: limits.memoryBytes, timeoutSeconds: 20, signal: undefined };
  return await runConverterChild(program, job, bounds, () => undefined);
}

describe('the converter as it is deployed', () => {
  beforeAll(build);

  it.each([
    ['a plain model', async () => boxGlb()],
    ['one of another format', async () => textFbx()],
    ['one that needs a decoder in WebAssembly', () => dracoGlb(boxGlb())],
  ])('converts %s where no package is installed', async (_name, model) => {
    await using elsewhere = await deployed();
    const end = await convertIn(elsewhere.path, await model());
    expect(end).toMatchObject({ type: 'outcome', outcome: { status: 'succeeded' } });
  });

  it('converts textures where sharp is installed beside it, and no other package', async () => {
    await using elsewhere = await deployed();
    await install('sharp', elsewhere.path);
    const end = await convertIn(elsewhere.path, quadGlb());
    expect(end).toMatchObject({ type: 'outcome', outcome: { status: 'succeeded', warnings: [] } });
  });
});
