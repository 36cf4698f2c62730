import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { type ConversionOutcome, parseConversionSettings } from '#lib/conversion';
import { runConversion } from '../../../lib/conversion/converter.ts';
import { limits, type ModelFiles, modelFolder } from '../../support/models/index.ts';

/** What the converter makes of a model, in this process: the bounds of the child process are tested apart. Without settings (null) it is made as small as can be. */
export async function convertModel(
  files: ModelFiles | Uint8Array,
  settings: Record<string, unknown> | null = {},
  changedLimits: Partial<typeof limits> = {},
): Promise<{ outcome: ConversionOutcome; asset: Uint8Array | undefined }> {
  const all = files instanceof Uint8Array ? { 'model.glb': files } : files;
  await using folder = await modelFolder({ ...all, 'outputs/.keep': new Uint8Array(0) });
  const outputDirectory = `${folder.input}/outputs`;
  const job = {
    directory: folder.input,
    file: Object.keys(all)[0] ?? '',
    outputDirectory,
    settings: parseConversionSettings(settings ?? undefined),
    limits: { ...limits, ...changedLimits },
  };
  const outcome = await runConversion(job, () => undefined);
  const asset = await readFile(`${outputDirectory}/asset.glb`).catch(() => undefined);
  return { outcome, asset };
}

/** The asset of a model that must convert. */
export async function assetOf(files: ModelFiles | Uint8Array, settings: Record<string, unknown> | null = {}) {
  const { outcome, asset } = await convertModel(files, settings);
  if (outcome.status === 'failed') expect.fail(outcome.error.message);
  if (asset === undefined) expect.fail('There is no asset.');
  return { outcome, asset };
}

/** The error of a model that must not convert, and must leave nothing behind. */
export async function errorOf(files: ModelFiles | Uint8Array, limit: Partial<typeof limits> = {}) {
  const { outcome, asset } = await convertModel(files, {}, limit);
  expect(asset).toBeUndefined();
  if (outcome.status === 'succeeded') expect.fail('The model was converted.');
  return outcome.error;
}
