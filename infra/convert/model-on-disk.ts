import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { isModelFile, localFolder, type ModelFolder } from '#lib/conversion';
import { CommandError, systemReason } from './command-error.ts';

/** A model file of this machine. */
export interface ModelOnDisk {
  /** Absolute. */
  readonly directory: string;
  /** The model in its folder. */
  readonly file: string;
  /** What its outputs are named by: its name without the extension. */
  readonly name: string;
  readonly folder: ModelFolder;
}

/**
 * The model that a path means.
 * @throws CommandError `no_model` where there is no file
 */
export async function modelAt(input: string): Promise<ModelOnDisk> {
  const path = resolve(input);
  const found = await stat(path).catch((error: unknown) => {
    const message = `The model ${input} cannot be read: ${systemReason(error) ?? String(error)}.`;
    throw new CommandError('no_model', message, { cause: error });
  });
  if (found.isDirectory()) throw new CommandError('no_model', await describeFolder(input, path));
  if (!found.isFile()) throw new CommandError('no_model', `The model ${input} is no file.`);
  const directory = dirname(path);
  return {
    directory,
    file: basename(path),
    name: basename(path, extname(path)),
    folder: localFolder(directory),
  };
}

const MODELS_SHOWN = 5;

async function describeFolder(input: string, path: string): Promise<string> {
  const models = (await readdir(path).catch(() => [])).filter(isModelFile).sort();
  const shown = models.slice(0, MODELS_SHOWN).join(', ');
  const more = models.length > MODELS_SHOWN ? ` and ${models.length - MODELS_SHOWN} more` : '';
  return `${input} is a folder; give the model file in it${shown === '' ? '' : `: ${shown}${more}`}.`;
}
