import { posix } from 'node:path';
import { ConversionError, type ModelFile, type ModelFolder, modelReferences } from '#lib/conversion';
import type { BlobName, Blobs } from '#lib/storage';

/**
 * Which files of a model are not in its folder: the model itself, or what it refers to. A model that cannot be read refers to nothing:
 * what is wrong with it is the conversion's to say.
 */
export async function missingFiles(
  blobs: Blobs,
  container: string,
  model: { readonly folder: string; readonly file: string },
): Promise<string[]> {
  const blob = { container, name: `${model.folder}/${model.file}` };
  const file = await blobFile(blobs, blob);
  if (file === undefined) return [model.file];
  const folder = posix.dirname(blob.name);
  return await missingReferences(file, {
    find: (path) => blobFile(blobs, { container, name: posix.join(folder, path) }),
  });
}

async function blobFile(blobs: Blobs, blob: BlobName): Promise<ModelFile | undefined> {
  const size = await blobs.size(blob);
  return size === undefined ? undefined : { size, read: (offset, length) => blobs.read(blob, offset, length) };
}

async function missingReferences(file: ModelFile, folder: ModelFolder): Promise<string[]> {
  try {
    return (await modelReferences(file, folder)).flatMap(({ path, found }) => (found === undefined ? [path] : []));
  } catch (error) {
    if (error instanceof ConversionError) return [];
    throw error;
  }
}
