import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseConversionSettings } from '#lib/conversion';
import { build } from '../../../infra/build.ts';
import { runConverterChild } from '../../../lib/conversion/converter-child.ts';
import { boxGlb, dracoGlb, limits, modelFolder } from '../../support/models/index.ts';
import { temporaryDirectory } from '../../support/stack.ts';

describe('the converter as it is deployed', () => {
  beforeAll(build);

  it.each([
    ['a plain model', async () => boxGlb()],
    ['one that needs a decoder in WebAssembly', () => dracoGlb(boxGlb())],
  ])('converts %s where no package is installed', async (_name, model) => {
    await using elsewhere = await temporaryDirectory();
    await cp(new URL('../../../dist/functions', import.meta.url), elsewhere.path, { recursive: true });
    await using folder = await modelFolder({ 'model.glb': await model() });
    const job = {
      directory: folder.input,
      file: 'model.glb',
      outputDirectory: folder.input,
      settings: parseConversionSettings({}),
      limits,
    };
    const program = pathToFileURL(join(elsewhere.path, 'converter.mjs'));
    const bounds = { memoryBytes: limits.memoryBytes, timeoutSeconds: 20, signal: undefined };
    const end = await runConverterChild(program, job, bounds, () => undefined);
    expect(end).toMatchObject({ type: 'outcome', outcome: { status: 'succeeded' } });
  });
});
