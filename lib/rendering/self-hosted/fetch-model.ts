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

type ModelReference = Awaited<ReturnType<typeof modelReferences>>[number];
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
    const size = await blobs.size(model);
    if (size === undefined)
      return failed('missing_files', `There is no model ${model.name} in the container ${container}.`);
    const references = await modelReferences({ size, read: (offset, length) => blobs.read(model, offset, length) });
    const sources = await locate(blobs, container, folder, references);
    if (sources.missing.length > 0) {
      return failed(
        'missing_files',
        `The model ${file} refers to files that are not in its folder: ${sources.missing.join(', ')}.`,
      );
    }
    let left = maxBytes;
    const files: { path: string; sha256: string }[] = [];
    for (const path of [file, ...sources.present]) {
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

async function locate(blobs: Blobs, container: string, folder: string, references: readonly ModelReference[]) {
  const sizes = await Promise.all(
    references.map(({ path }) => blobs.size({ container, name: posix.join(folder, path) })),
  );
  return {
    present: references.filter((_, index) => sizes[index] !== undefined).map(({ path }) => path),
    missing: references
      .filter(({ kind }, index) => sizes[index] === undefined && kind === 'buffer')
      .map(({ path }) => path),
  };
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
