import type { ConversionWarning } from '../conversion-outcome.ts';
import type { ModelFile } from '../model-file.ts';
import { type GltfContainer, readGltfContainer } from './gltf-container.ts';
import { type Gltf, parseGltf } from './gltf-schema.ts';

/** The JSON of a glTF file, as text and checked for its shape, and where its binary chunk lies. */
export interface GltfFile extends GltfContainer {
  readonly gltf: Gltf;
  /** What small faults of its values have been mended. */
  readonly warnings: readonly ConversionWarning[];
}

const read = new WeakMap<ModelFile, Promise<GltfFile>>();

/**
 * Reads the JSON of a file, once for all who ask for that of the same file: its references are looked for before it is imported.
 * @throws ConversionError `input_refused`, `limit`
 */
export async function readGltfFile(file: ModelFile): Promise<GltfFile> {
  const known = read.get(file) ?? parse(file);
  read.set(file, known);
  return await known;
}

async function parse(file: ModelFile): Promise<GltfFile> {
  const { text: written, binary } = await readGltfContainer(file);
  const text = withOneMeshopt(written);
  return { text, binary, ...parseGltf(text) };
}

/** KHR_meshopt_compression is EXT_meshopt_compression with one more codec and filter, which the decoder tells by itself. */
function withOneMeshopt(text: string): string {
  return text.replaceAll('"KHR_meshopt_compression"', '"EXT_meshopt_compression"');
}
