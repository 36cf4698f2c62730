import { posix } from 'node:path';
import { ConversionError } from './conversion-error.ts';
import { gltfFormat } from './gltf/gltf-format.ts';
import type { ModelFile } from './model-file.ts';
import type { ModelFormat } from './model-formats.ts';

/** First bytes of a file that its format is told by. */
const HEAD_BYTES = 4096;

/** Every format that can be converted, in the order in which they are asked: those that are easily taken for others come last. */
const modelFormats: readonly ModelFormat[] = [gltfFormat];

/** True where a file's name has the extension of a model. */
export function isModelFile(name: string): boolean {
  const extension = posix.extname(name).toLowerCase();
  return modelFormats.some((format) => format.extensions.some((known) => known === extension));
}

/**
 * Tells a model's format by its content, never by its name.
 * @throws ConversionError `input_refused` where it is none of ours
 */
export async function detectFormat(file: ModelFile): Promise<ModelFormat> {
  if (file.size === 0) throw new ConversionError('input_refused', 'The model file is empty.');
  const head = await file.read(0, HEAD_BYTES);
  const format = modelFormats.find((candidate) => candidate.matches(head, file.size));
  if (format !== undefined) return format;
  const known = modelFormats.flatMap((format) => format.extensions);
  const message = `The content of the model file is of no format that can be converted (${known.join(', ')}).`;
  throw new ConversionError('input_refused', message);
}
