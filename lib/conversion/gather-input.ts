import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConversionError } from './conversion-error.ts';
import type { ConversionJob } from './converter.ts';
import { withLocalFile } from './model-file.ts';
import { detectFormat, type ModelFormat, type WrittenReference } from './model-formats.ts';

/** A model whose files are known to be there, missing textures excepted. */
export interface ModelInput {
  readonly format: ModelFormat;
  /** Of all files that are there. */
  readonly bytes: number;
  readonly files: number;
  readonly readReference: (path: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/**
 * Tells a model's format and looks for everything that it refers to, before any of it is read.
 * @throws ConversionError `input_refused`, `missing_files` naming all of them, `limit`
 */
export async function gatherInput({ directory, file, limits }: ConversionJob): Promise<ModelInput> {
  const path = join(directory, file);
  const folder = dirname(path);
  const modelBytes = await sizeOf(path);
  if (modelBytes === undefined) throw new ConversionError('missing_files', `There is no model '${file}'.`);
  checkBytes(modelBytes, limits.inputBytes);
  const { format, references } = await withLocalFile(path, async (model) => {
    const format = await detectFormat(model);
    return { format, references: await format.references(model) };
  });
  const sizes = await sizesOf(folder, references);
  const missing = references.filter(({ kind, path }) => kind === 'buffer' && path !== undefined && !sizes.has(path));
  if (missing.length > 0) throw missingFiles(missing);
  const bytes = [...sizes.values()].reduce((a, b) => a + b, modelBytes);
  checkBytes(bytes, limits.inputBytes);
  return {
    format,
    bytes,
    files: 1 + sizes.size,
    readReference: once(async (reference) => {
      if (!sizes.has(reference)) return undefined;
      const content = await readFile(join(folder, reference));
      return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    }),
  };
}

/** A thousand images may name one file: it is read, held and counted once. */
function once<T>(read: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const reads = new Map<string, Promise<T>>();
  return (path) => {
    const running = reads.get(path) ?? read(path);
    reads.set(path, running);
    return running;
  };
}

async function sizesOf(folder: string, references: readonly WrittenReference[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const path of new Set(references.flatMap((reference) => reference.path ?? []))) {
    const size = await sizeOf(join(folder, path));
    if (size !== undefined) sizes.set(path, size);
  }
  return sizes;
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

function checkBytes(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new ConversionError(
    'limit',
    `The model has ${bytes} bytes; the limit (inputBytes) is ${limit}. Split or simplify it.`,
  );
}

function missingFiles(missing: readonly WrittenReference[]): ConversionError {
  const names = [...new Set(missing.map(({ path }) => path))];
  const shown = names.slice(0, 20).join(', ');
  const rest = names.length > 20 ? ` and ${names.length - 20} more` : '';
  return new ConversionError(
    'missing_files',
    `The model refers to files that are not there: ${shown}${rest}. Upload them with it.`,
  );
}
