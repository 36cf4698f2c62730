import { posix } from 'node:path';
import { ConversionError } from './conversion-error.ts';
import { type ConversionSettings, parseConversionSettings } from './conversion-settings.ts';
import { type ModelFile, readWhole } from './model-file.ts';
import type { ModelFolder } from './model-references.ts';
import { JsonError, parseJson } from './parse-json.ts';

/** How a model is to be converted, and where that is said. */
export interface FoundSettings {
  /** As they were given, for `.info.json`; undefined where nobody gave any. */
  readonly given: Readonly<Record<string, unknown>> | undefined;
  /** With their defaults. */
  readonly settings: ConversionSettings;
  /** The material override file, relative to the model's folder; undefined where there is none. */
  readonly overrides: string | undefined;
}

/**
 * What lies beside a model and says how to convert it: `box.ConversionSettings.json` and `box.MaterialOverrides.json` for `box.glb`.
 * @param modelFile the model's name, with or without its folder
 * @param given settings that came otherwise: a settings file is not looked for then
 * @throws ConversionError `input_refused` for wrong settings, `missing_files` for a material override file that they name, `limit`
 */
export async function findSettings(
  folder: ModelFolder,
  modelFile: string,
  given?: Readonly<Record<string, unknown>>,
): Promise<FoundSettings> {
  const found =
    given === undefined ? await readSettings(folder, modelFile) : { given, settings: parseConversionSettings(given) };
  return { ...found, overrides: (await findOverrides(folder, modelFile, found.settings))?.path };
}

/**
 * The content of a settings file.
 * @param name what the file is called, for messages
 * @throws ConversionError `input_refused`: where it is no JSON, or every wrong key with its value and what is allowed
 */
export function parseSettingsFile(
  bytes: Uint8Array,
  name: string,
): { readonly given: Readonly<Record<string, unknown>>; readonly settings: ConversionSettings } {
  const value = parseJsonFile(bytes, name);
  const settings = parseConversionSettings(value, name);
  // Whatever has been accepted is an object.
  return { given: { ...Object(value) }, settings };
}

/**
 * The material override file: that which the settings name, else the one that is named after the model.
 * @throws ConversionError `missing_files` where the settings name one that is not there, `input_refused` where that lies elsewhere
 */
export async function findOverrides(
  folder: ModelFolder,
  modelFile: string,
  settings: ConversionSettings,
): Promise<{ readonly path: string; readonly file: ModelFile } | undefined> {
  const named = settings['material-override'];
  const path = named === '' ? besideModel(modelFile, 'MaterialOverrides') : pathBelow(named);
  const file = await folder.find(path);
  if (file !== undefined) return { path, file };
  if (named === '') return undefined;
  const message = `The setting 'material-override' names ${named}, which is not in the model's folder. Upload it with the model.`;
  throw new ConversionError('missing_files', message);
}

/**
 * A whole file that people write.
 * @throws ConversionError `limit`
 */
export async function readAtMost(maxBytes: number, file: ModelFile, name: string): Promise<Uint8Array> {
  if (file.size <= maxBytes) return await readWhole(file);
  throw new ConversionError('limit', `${name} has ${file.size} bytes; the limit is ${maxBytes}.`);
}

/** @throws ConversionError `input_refused` with the place */
export function parseJsonFile(bytes: Uint8Array, name: string): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ConversionError('input_refused', `${name} is no valid JSON: ${error.message}.`, { cause: error });
  }
}

/** Far more than settings need, and nothing that keeps an app busy that reads it. */
const MAX_SETTINGS_BYTES = 2 ** 18;

async function readSettings(folder: ModelFolder, modelFile: string): Promise<Omit<FoundSettings, 'overrides'>> {
  const name = besideModel(modelFile, 'ConversionSettings');
  const file = await folder.find(name);
  if (file === undefined) return { given: undefined, settings: parseConversionSettings(undefined) };
  return parseSettingsFile(await readAtMost(MAX_SETTINGS_BYTES, file, name), name);
}

function besideModel(modelFile: string, kind: 'ConversionSettings' | 'MaterialOverrides'): string {
  const name = posix.basename(modelFile);
  return `${name.slice(0, name.length - posix.extname(name).length)}.${kind}.json`;
}

/** A path that stays below the model's folder, whichever way its slashes lean. */
function pathBelow(named: string): string {
  const path = posix.normalize(named.replaceAll('\\', '/'));
  if (!/^(?:\.\.?\/?$|\.\.\/|\/|[a-z]:)|\0|\/$/i.test(path)) return path;
  const message = `The setting 'material-override' is ${JSON.stringify(named)}; allowed is a file in the model's folder or below it.`;
  throw new ConversionError('input_refused', message);
}
