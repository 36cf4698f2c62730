import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ConversionError, isModelFile, localFile, localFolder, modelReferences } from '#lib/conversion';
import { compressorWheel } from './compressor-wheel.ts';
import { DemoError } from './demo-error.ts';

/** What is uploaded: the model last, so that all it refers to is there when its upload starts the pipeline. */
export interface ModelFiles {
  readonly model: string;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly read: () => Promise<Uint8Array>;
  }[];
}

/**
 * The files of a model: of the demo's own where no path is given; else a model file with what it refers to, or a folder with one model.
 * @throws DemoError `no_model` where the path holds no model that could be converted
 */
export async function modelFiles(path: string | undefined): Promise<ModelFiles> {
  if (path === undefined) {
    const bytes = await compressorWheel();
    return { model: 'compressor-wheel.glb', files: [inMemory('compressor-wheel.glb', bytes)] };
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new DemoError('no_model', `There is nothing at ${path}. --model takes a model file or a folder.`);
  return found.isDirectory() ? folder(path) : file(path);
}

async function folder(path: string): Promise<ModelFiles> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
  const models = names.filter(isModelFile);
  const [model] = models;
  if (model === undefined) throw new DemoError('no_model', `The folder ${path} holds no model: no .glb and no .gltf.`);
  if (models.length > 1) {
    throw new DemoError(
      'no_model',
      `The folder ${path} holds ${models.length} models (${models.join(', ')}); name one with --model.`,
    );
  }
  return onDisk(path, model, names);
}

async function file(path: string): Promise<ModelFiles> {
  const model = basename(path);
  if (!isModelFile(model))
    throw new DemoError('no_model', `${path} is no model of a format that is converted: .glb or .gltf.`);
  return onDisk(dirname(path), model, [model, ...(await referencesOf(path))]);
}

/** A model that cannot be read is uploaded alone: the conversion says what is wrong with it. */
async function referencesOf(path: string): Promise<string[]> {
  const model = await localFile(path);
  if (model === undefined) return [];
  try {
    const folder = localFolder(dirname(path));
    return (await modelReferences(model, folder)).flatMap(({ path: name, found }) =>
      found === undefined ? [] : [name],
    );
  } catch (error) {
    if (error instanceof ConversionError) return [];
    throw error;
  }
}

async function onDisk(directory: string, model: string, names: readonly string[]): Promise<ModelFiles> {
  const ordered = [...names.filter((name) => name !== model), model];
  const files = await Promise.all(
    ordered.map(async (name) => {
      const path = resolve(directory, name);
      return { name, bytes: (await stat(path)).size, read: () => readFile(path) };
    }),
  );
  return { model, files };
}

function inMemory(name: string, bytes: Uint8Array) {
  return { name, bytes: bytes.length, read: async () => bytes };
}
