import { posix } from 'node:path';
import { ConversionError, findSettings, type ModelFolder, modelReferences } from '#lib/conversion';
import type { AwaitedFiles, PipelineRequest } from '#lib/records';
import { BlobFolder, type Blobs } from '#lib/storage';

/** A record is a small document: it names the first of the files that are missing, and keeps only so many characters of where they may lie. */
const MISSING_FILES_IN_RECORD = 20;
const AWAITED_CHARACTERS = 8192;

/** What a look at a model's folder finds missing. */
export interface MissingFiles {
  /** The first of them, as the model names them; none where all is there. */
  readonly missing: readonly string[];
  /** What the next look is to be given. */
  readonly awaited?: AwaitedFiles;
}

/**
 * Which files of a model are not in its folder: the model itself, what it refers to, or the material override file that its settings name.
 * A model, or settings, that cannot be read refer to nothing: what is wrong with them is the conversion's to say.
 * @param before what an earlier look said: while what was read is unchanged and one of those files is missing still, the folder is listed
 *   and nothing is read
 */
export async function missingFiles(
  blobs: Blobs,
  container: string,
  { model, settings }: Pick<PipelineRequest, 'model' | 'settings'>,
  before?: AwaitedFiles,
): Promise<MissingFiles> {
  const name = `${model.folder}/${model.file}`;
  const folder = new BlobFolder(blobs, container, posix.dirname(name));
  const fileName = posix.basename(name);
  if ((await folder.find(fileName)) === undefined) return { missing: [model.file] };
  if (before !== undefined && (await isUnchanged(before, folder))) {
    const missing = await stillMissing(before, folder);
    if (missing.length > 0)
      return { missing: missing.flatMap(([path]) => path ?? []), awaited: { ...before, missing } };
  }
  const read = new Map<string, string>();
  const watched = watchedFolder(folder, read);
  const found = await Promise.all([
    missingReferences(watched, fileName),
    missingOverrides(watched, fileName, settings),
  ]);
  const missing = new Map(found.flat().map((paths) => [paths[0], [...paths]]));
  const first = [...missing.values()].slice(0, MISSING_FILES_IN_RECORD);
  const awaited = { read: [...read], missing: first };
  return {
    missing: first.flatMap(([path]) => path ?? []),
    ...(JSON.stringify(awaited).length <= AWAITED_CHARACTERS && { awaited }),
  };
}

async function isUnchanged({ read }: AwaitedFiles, folder: BlobFolder): Promise<boolean> {
  const now = await Promise.all(read.map(async ([path]) => (await folder.find(path))?.eTag));
  return read.every(([, eTag], i) => eTag === now[i]);
}

async function stillMissing({ missing }: AwaitedFiles, folder: BlobFolder): Promise<string[][]> {
  const isThere = async (paths: readonly string[]) =>
    (await Promise.all(paths.map((path) => folder.find(path)))).some((file) => file !== undefined);
  const there = await Promise.all(missing.map(isThere));
  return missing.filter((_, i) => !there[i]);
}

/** The folder, and beside it the ETags of the files in it that are read. */
function watchedFolder(folder: BlobFolder, read: Map<string, string>): ModelFolder {
  return {
    async find(path) {
      const file = await folder.find(path);
      if (file === undefined) return undefined;
      const readPart = (offset: number, length: number) => {
        read.set(path, file.eTag ?? '');
        return file.read(offset, length);
      };
      return { size: file.size, read: readPart };
    },
  };
}

/** For each file that the model misses, wherever it may lie. */
async function missingReferences(folder: ModelFolder, fileName: string): Promise<(readonly string[])[]> {
  const file = await folder.find(fileName);
  if (file === undefined) return [];
  const references = await modelReferences(file, folder).catch(asNothing);
  return references.flatMap(({ paths, found }) => (found === undefined ? [paths] : []));
}

async function missingOverrides(
  folder: ModelFolder,
  fileName: string,
  settings: PipelineRequest['settings'],
): Promise<(readonly string[])[]> {
  const notThere: string[] = [];
  const find = async (path: string) => {
    const found = await folder.find(path);
    if (found === undefined) notThere.push(path);
    return found;
  };
  try {
    await findSettings({ find }, fileName, settings);
    return [];
  } catch (error) {
    // The file that was looked for last is the one without which there was no going on.
    if (error instanceof ConversionError && error.code === 'missing_files') return [notThere.slice(-1)];
    return asNothing(error);
  }
}

function asNothing(error: unknown): [] {
  if (error instanceof ConversionError) return [];
  throw error;
}
