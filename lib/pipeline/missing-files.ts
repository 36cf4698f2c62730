import { posix } from 'node:path';
import { ConversionError, findSettings, type ModelFile, type ModelFolder, modelReferences } from '#lib/conversion';
import type { PipelineRequest } from '#lib/records';
import { BlobFolder, type Blobs } from '#lib/storage';

/**
 * Which files of a model are not in its folder: the model itself, what it refers to, or the material override file that its settings name.
 * A model, or settings, that cannot be read refer to nothing: what is wrong with them is the conversion's to say.
 */
export async function missingFiles(
  blobs: Blobs,
  container: string,
  { model, settings }: Pick<PipelineRequest, 'model' | 'settings'>,
): Promise<string[]> {
  const name = `${model.folder}/${model.file}`;
  const folder = new BlobFolder(blobs, container, posix.dirname(name));
  const fileName = posix.basename(name);
  const file = await folder.find(fileName);
  if (file === undefined) return [model.file];
  const missing = await Promise.all([missingReferences(file, folder), missingOverrides(folder, fileName, settings)]);
  return [...new Set(missing.flat())];
}

async function missingReferences(file: ModelFile, folder: ModelFolder): Promise<string[]> {
  const references = await modelReferences(file, folder).catch(asNothing);
  return references.flatMap(({ path, found }) => (found === undefined ? [path] : []));
}

async function missingOverrides(
  folder: ModelFolder,
  file: string,
  settings: PipelineRequest['settings'],
): Promise<string[]> {
  const notThere: string[] = [];
  const find = async (path: string) => {
    const found = await folder.find(path);
    if (found === undefined) notThere.push(path);
    return found;
  };
  try {
    await findSettings({ find }, file, settings);
    return [];
  } catch (error) {
    // The file that was looked for last is the one without which there was no going on.
    if (error instanceof ConversionError && error.code === 'missing_files') return notThere.slice(-1);
    return asNothing(error);
  }
}

function asNothing(error: unknown): [] {
  if (error instanceof ConversionError) return [];
  throw error;
}
