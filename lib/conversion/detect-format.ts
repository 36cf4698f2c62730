import { posix } from 'node:path';
import { fbxFormat } from './assimp/fbx/fbx-format.ts';
import { max3dsFormat } from './assimp/max3ds/max3ds-format.ts';
import { ConversionError } from './conversion-error.ts';
import { daeFormat } from './dae/dae-format.ts';
import { archiveFormat } from './detect-archive.ts';
import { explainForeign, foreignExtensions } from './foreign-formats.ts';
import { gltfFormat } from './gltf/gltf-format.ts';
import { lasFormat } from './las/las-format.ts';
import type { ModelFile } from './model-file.ts';
import type { ModelFormat } from './model-formats.ts';
import { objFormat } from './obj/obj-format.ts';
import { offFormat } from './off/off-format.ts';
import { plyFormat } from './ply/ply-format.ts';
import { looksLikeZip } from './reading/zip.ts';
import { stlFormat } from './stl/stl-format.ts';
import { threemfFormat } from './threemf/threemf-format.ts';
import { xyzFormat } from './xyz/xyz-format.ts';

/** First bytes of a file that its format is told by. */
const HEAD_BYTES = 4096;

/** Every format that can be converted, in the order in which they are asked: those that are easily taken for others come last. */
const modelFormats: readonly ModelFormat[] = [
  gltfFormat,
  fbxFormat,
  daeFormat,
  max3dsFormat,
  threemfFormat,
  objFormat,
  plyFormat,
  lasFormat,
  offFormat,
  stlFormat,
  xyzFormat,
];

/** True where a file's name has the extension of a model. */
export function isModelFile(name: string): boolean {
  const extension = posix.extname(name).toLowerCase();
  return [...modelFormats.flatMap(({ extensions }) => extensions), ...foreignExtensions].includes(extension);
}

/**
 * Tells a model's format by its content, never by its name.
 * @throws ConversionError `input_refused` where it is none of ours
 */
export async function detectFormat(file: ModelFile): Promise<ModelFormat> {
  if (file.size === 0) throw new ConversionError('input_refused', 'The model file is empty.');
  const head = await file.read(0, HEAD_BYTES);
  const archive = looksLikeZip(head) ? await archiveFormat(file) : undefined;
  const format = modelFormats.find((candidate) =>
    archive === undefined ? candidate.matches(head, file.size) : candidate.id === archive,
  );
  if (format !== undefined) return format;
  const foreign = explainForeign(head);
  if (foreign !== undefined) throw new ConversionError('input_refused', foreign);
  const known = modelFormats.flatMap((format) => format.extensions);
  const message = `The content of the model file is of no format that can be converted (${known.join(', ')}).`;
  throw new ConversionError('input_refused', message);
}
