import { dirname, join } from 'node:path';
import { ConversionError } from './conversion-error.ts';
import { checkLimit } from './conversion-limits.ts';
import type { ConversionJob } from './converter.ts';
import { detectFormat } from './detect-format.ts';
import { type MaterialOverride, readOverrides } from './material-overrides.ts';
import { localFile, type ModelFile, readWhole } from './model-file.ts';
import type { ModelFormat } from './model-formats.ts';
import { localFolder, type ModelReference, modelReferences } from './model-references.ts';

/** A model whose files are known to be there, missing materials and textures excepted. */
export interface ModelInput {
  readonly file: ModelFile;
  readonly format: ModelFormat;
  /** Of all files that are there. */
  readonly bytes: number;
  readonly files: number;
  /** The content of a file by the URI that the model names it by. */
  readonly readReference: (uri: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What the material override file says, where there is one. */
  readonly overrides: readonly MaterialOverride[] | undefined;
}

/**
 * Tells a model's format and looks for everything that it refers to, before any of it is read.
 * @throws ConversionError `input_refused`, `missing_files` naming all of them, `limit`
 */
export async function gatherInput({ directory, file: name, settings, limits }: ConversionJob): Promise<ModelInput> {
  const path = dirname(join(directory, name));
  const folder = localFolder(path);
  const file = await localFile(join(directory, name));
  if (file === undefined) throw new ConversionError('missing_files', `There is no model '${name}'.`);
  checkLimit('inputBytes', file.size, limits);
  const format = await detectFormat(file);
  const references = await modelReferences(file, folder);
  const missing = references.filter(({ kind, found }) => kind === 'buffer' && found === undefined);
  if (missing.length > 0) throw missingFiles(missing);
  const sizes = new Map(references.flatMap(({ path, found }) => (found === undefined ? [] : [[path, found.size]])));
  checkLimit('inputFiles', 1 + sizes.size, limits);
  const bytes = [...sizes.values()].reduce((a, b) => a + b, file.size);
  checkLimit('inputBytes', bytes, limits);
  const overrides = await readOverrides(folder, name, settings);
  return { file, format, bytes, files: 1 + sizes.size, readReference: reader(references), overrides };
}

/** Many names may mean one file, and a thousand images name it: it is read and held once. */
function reader(references: readonly ModelReference[]): ModelInput['readReference'] {
  const byUri = new Map(references.map((reference) => [reference.uri, reference]));
  const contents = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  return async (uri) => {
    const reference = byUri.get(uri);
    if (reference?.found === undefined) return undefined;
    const content = contents.get(reference.path) ?? readWhole(reference.found);
    contents.set(reference.path, content);
    return await content;
  };
}

function missingFiles(missing: readonly ModelReference[]): ConversionError {
  const names = [...new Set(missing.map(({ path }) => path))];
  const shown = names.slice(0, 20).join(', ');
  const rest = names.length > 20 ? ` and ${names.length - 20} more` : '';
  return new ConversionError(
    'missing_files',
    `The model refers to files that are not there: ${shown}${rest}. Upload them with it.`,
  );
}
