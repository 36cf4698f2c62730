import { posix } from 'node:path';
import { ConversionError } from './conversion-error.ts';
import { gltfFormat } from './gltf/gltf-format.ts';
import type { ModelFile } from './model-file.ts';

/** A file beside a model that it refers to. */
export interface ModelReference {
  readonly kind: 'buffer' | 'texture';
  /** Relative to the model's folder, decoded, `/` between its parts. */
  readonly path: string;
}

/** What a model's own text says of another file, as often as it does. */
export interface WrittenReference {
  readonly kind: 'buffer' | 'texture';
  /** As the model names it. */
  readonly uri: string;
  /** As in `ModelReference`; a texture that lies elsewhere has none and can never be had. */
  readonly path?: string;
}

/** What can be known of a format without the libraries that import it. */
export interface ModelFormat {
  readonly id: ModelFormatId;
  /** As `.info.json` names it (contract 2.8, `sourceAssetFormat`). */
  readonly name: string;
  /** With their dot, in lower case. */
  readonly extensions: readonly string[];
  /** Tells the format by the first bytes of a file, at most 1,024. */
  matches(head: Uint8Array): boolean;
  /** @throws ConversionError `input_refused`, `limit` */
  references(file: ModelFile): Promise<WrittenReference[]>;
}

const HEAD_BYTES = 1024;

export type ModelFormatId = 'gltf';

/** Every format that can be converted; `importers.ts` has the importer of each. */
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
  const format = modelFormats.find((candidate) => candidate.matches(head));
  if (format !== undefined) return format;
  const known = modelFormats.flatMap((format) => format.extensions);
  const message = `The content of the model file is of no format that can be converted (${known.join(', ')}).`;
  throw new ConversionError('input_refused', message);
}

/**
 * The other files that a model refers to and that can be had, each once; only what tells of them is read. Data within the model is no
 * reference, and a texture that lies outside of the model's folder is left out: nobody can bring it, and the conversion warns of it.
 * @throws ConversionError `input_refused` for a model that cannot be read or takes geometry from outside of its folder, `limit`
 */
export async function modelReferences(file: ModelFile): Promise<ModelReference[]> {
  const references = await (await detectFormat(file)).references(file);
  const byPath = new Map<string, 'buffer' | 'texture'>();
  for (const { kind, path } of references) {
    if (path !== undefined && byPath.get(path) !== 'buffer') byPath.set(path, kind);
  }
  return [...byPath].map(([path, kind]) => ({ kind, path }));
}
