import { join, posix } from 'node:path';
import { ConversionError, modelReferences } from '#lib/conversion';
import type { ConversionFailure, ConversionRecord } from '#lib/records';
import { type BlobName, type Blobs, StorageError } from '#lib/storage';

/** A model on this machine: its folder, its file in it, and the hashes of all its files, the model first. */
export interface FetchedModel {
  readonly status: 'fetched';
  readonly directory: string;
  readonly file: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

type Fetched = FetchedModel | { readonly status: 'failed'; readonly failure: ConversionFailure };

/**
 * Downloads a conversion's model and what it refers to. A buffer that is missing fails it by name before any work; a texture that is
 * missing is left to the converter, which warns of it.
 * @param maxBytes of all files together
 */
export async function fetchModel(
  blobs: Blobs,
  { locations }: ConversionRecord,
  directory: string,
  maxBytes: number,
): Promise<Fetched> {
  const { container, blobPrefix, relativeInputAssetPath } = locations.input;
  const model: BlobName = { container, name: blobPrefix + relativeInputAssetPath };
  const folder = posix.dirname(model.name);
  const file = posix.basename(model.name);
  try {
    const find = async (path: string) => {
      const blob = { container, name: posix.join(folder, path) };
      const size = await blobs.size(blob);
      if (size === undefined) return undefined;
      return { size, read: (offset: number, length: number) => blobs.read(blob, offset, length) };
    };
    const found = await find(file);
    if (found === undefined)
      return failed('missing_files', `There is no model ${model.name} in the container ${container}.`);
    const references = await modelReferences(found, { find });
    const missing = references.filter(({ kind, found }) => kind === 'buffer' && found === undefined);
    if (missing.length > 0) {
      const names = missing.map(({ path }) => path).join(', ');
      return failed('missing_files', `The model ${file} refers to files that are not in its folder: ${names}.`);
    }
    const present = references.flatMap(({ path, found }) => (found === undefined ? [] : [path]));
    let left = maxBytes;
    const files: { path: string; sha256: string }[] = [];
    for (const path of new Set([file, ...present])) {
      const blob = { container, name: posix.join(folder, path) };
      const { bytes, sha256 } = await blobs.download(blob, join(directory, path), left);
      left -= bytes;
      files.push({ path, sha256 });
    }
    return { status: 'fetched', directory, file, files };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return failure;
  }
}

function failureOf(error: unknown): Fetched | undefined {
  if (error instanceof ConversionError) {
    return failed(
      error.code === 'limit' || error.code === 'missing_files' ? error.code : 'input_refused',
      error.message,
    );
  }
  if (!(error instanceof StorageError)) return undefined;
  if (error.code === 'too_large') return failed('limit', `CONVERSION_MAX_INPUT_BYTES: ${error.message}`);
  return failed('missing_files', `A file of the model went away while it was read: ${error.message}`);
}

function failed(reason: ConversionFailure['reason'], message: string): Fetched {
  return { status: 'failed', failure: { reason, message, warnings: [] } };
}
