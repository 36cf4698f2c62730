import { posix } from 'node:path';
import { ConversionError, type ModelFile, modelReferences } from '#lib/conversion';
import type { Blobs } from '#lib/storage';

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
  const size = await blobs.size(blob);
  if (size === undefined) return [model.file];
  const paths = await referencedPaths({ size, read: (offset, length) => blobs.read(blob, offset, length) });
  const sizes = await Promise.all(
    paths.map((path) => blobs.size({ container, name: posix.join(model.folder, posix.dirname(model.file), path) })),
  );
  return paths.filter((_, index) => sizes[index] === undefined);
}

async function referencedPaths(file: ModelFile): Promise<string[]> {
  try {
    return (await modelReferences(file)).map(({ path }) => path);
  } catch (error) {
    if (error instanceof ConversionError) return [];
    throw error;
  }
}
