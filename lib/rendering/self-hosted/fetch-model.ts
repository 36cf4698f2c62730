import { posix } from 'node:path';
import { z } from 'zod';
import {
  ConversionError,
  type ConversionLimits,
  type ConversionSettings,
  checkLimit,
  findSettings,
  modelReferences,
} from '#lib/conversion';
import type { ConversionRecord } from '#lib/records';
import { BlobFolder, type Blobs } from '#lib/storage';
import { FetchedFolder } from './fetched-folder.ts';

/** A model on this machine: its folder, its file in it, and the hashes of all its files, the model first. */
export interface FetchedModel {
  readonly directory: string;
  readonly file: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** With their defaults. */
  readonly settings: ConversionSettings;
  /** What the settings file beside the model says, where that counts. */
  readonly settingsOfFile: ConversionRecord['settings'];
}

/** Settings are kept in the conversion's record, which is a small document. */
const MAX_SETTINGS_CHARACTERS = 8192;
const MISSING_FILES_SHOWN = 20;

/**
 * Downloads a conversion's model, what it refers to, and what beside it says how it is to be converted. A buffer that is missing fails it
 * by name before any work; a texture that is missing is left to the converter, which warns of it.
 * @param onSize hears of the size of all files together, in bytes, before they are downloaded
 * @throws ConversionError `missing_files`, `input_refused`, `limit`
 */
export async function fetchModel(
  blobs: Blobs,
  { locations, settings: given }: ConversionRecord,
  directory: string,
  limits: ConversionLimits,
  signal: AbortSignal,
  onSize: (bytes: number) => void,
): Promise<FetchedModel> {
  const { container, blobPrefix, relativeInputAssetPath } = locations.input;
  const name = blobPrefix + relativeInputAssetPath;
  const file = posix.basename(name);
  const folder = new BlobFolder(blobs, container, posix.dirname(name), signal);
  await using fetched = new FetchedFolder(blobs, folder, directory, limits, signal);
  const model = await fetched.find(file);
  if (model === undefined) {
    throw new ConversionError('missing_files', `There is no model ${name} in the container ${container}.`);
  }
  const found = await findSettings(folder, file, given);
  const references = await modelReferences(model, fetched);
  refuseMissing(
    file,
    references.filter(({ kind, found }) => kind === 'buffer' && found === undefined),
  );

  const sizes = new Map([[file, model.size]]);
  for (const { path, found } of references) if (found !== undefined) sizes.set(path, found.size);
  if (found.overrides !== undefined) sizes.set(found.overrides, (await folder.find(found.overrides))?.size ?? 0);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  checkLimit('inputFiles', sizes.size, limits);
  checkLimit('inputBytes', bytes, limits);
  onSize(bytes);
  return {
    directory,
    file,
    files: await fetched.fetchAll([...sizes.keys()]),
    settings: found.settings,
    settingsOfFile: given === undefined ? storable(found.given) : undefined,
  };
}

function storable(given: Readonly<Record<string, unknown>> | undefined): FetchedModel['settingsOfFile'] {
  if (given === undefined) return undefined;
  const { length } = JSON.stringify(given);
  if (length > MAX_SETTINGS_CHARACTERS) {
    const message = `The settings file beside the model holds ${length} characters of settings; ${MAX_SETTINGS_CHARACTERS} are kept.`;
    throw new ConversionError(
      'input_refused',
      `${message} Shorten it, metadataKeys for instance by patterns as "ABC*".`,
    );
  }
  return z.record(z.string(), z.json()).parse(given);
}

function refuseMissing(file: string, missing: readonly { readonly path: string }[]): void {
  if (missing.length === 0) return;
  const names = [...new Set(missing.map(({ path }) => path))];
  const more = names.length > MISSING_FILES_SHOWN ? ` and ${names.length - MISSING_FILES_SHOWN} more` : '';
  const shown = names.slice(0, MISSING_FILES_SHOWN).join(', ');
  throw new ConversionError(
    'missing_files',
    `The model ${file} refers to files that are not in its folder: ${shown}${more}.`,
  );
}
