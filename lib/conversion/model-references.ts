import { isAbsolute, join, normalize, sep } from 'node:path';
import { detectFormat } from './detect-format.ts';
import { localFile, type ModelFile } from './model-file.ts';
import type { WrittenReference } from './model-formats.ts';

/** The folder of a model, wherever it lies. */
export interface ModelFolder {
  /** A file by its path below the folder, `/` between its parts; undefined where it is not there. */
  find(path: string): Promise<ModelFile | undefined>;
}

/** A folder of this machine: a path that leads out of it finds nothing, whatever a model says. */
export function localFolder(directory: string): ModelFolder {
  return {
    find: async (path) => {
      const below = normalize(path);
      const leaves = isAbsolute(below) || below === '..' || below.startsWith(`..${sep}`);
      return leaves ? undefined : await localFile(join(directory, below));
    },
  };
}

/** A file beside a model that it refers to and that somebody can bring. */
export interface ModelReference {
  readonly kind: WrittenReference['kind'];
  /** As the model names it; several names may mean one file. */
  readonly uri: string;
  /** Relative to the model's folder, `/` between its parts: where it lies, or where it is missed. */
  readonly path: string;
  /** Wherever it may lie, best first. */
  readonly paths: readonly string[];
  readonly found: ModelFile | undefined;
}

/**
 * What a model refers to, each name once, and where it lies; only what tells of them is read. Data within the model is no reference, and
 * what lies outside of the model's folder is left out: nobody can bring it, and the conversion warns of it.
 * @throws ConversionError `input_refused` for a model that cannot be read or takes geometry from outside of its folder, `limit`
 */
export async function modelReferences(file: ModelFile, folder: ModelFolder): Promise<ModelReference[]> {
  const format = await detectFormat(file);
  const written = await format.references(file, folder);
  const byUri = new Map<string, WrittenReference>();
  for (const reference of written) {
    if (byUri.get(reference.uri)?.kind !== 'buffer') byUri.set(reference.uri, reference);
  }
  const references = [...byUri.values()].map((reference) => locate(reference, folder));
  return (await Promise.all(references)).flatMap((reference) => reference ?? []);
}

async function locate(
  { kind, uri, paths }: WrittenReference,
  folder: ModelFolder,
): Promise<ModelReference | undefined> {
  const [wanted] = paths;
  if (wanted === undefined) return undefined;
  for (const path of paths) {
    const found = await folder.find(path);
    if (found !== undefined) return { kind, uri, path, paths, found };
  }
  return { kind, uri, path: wanted, paths, found: undefined };
}
