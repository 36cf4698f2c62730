import type { ModelFile } from './model-file.ts';
import type { ModelFolder } from './model-references.ts';

/** Every format that can be converted: `detect-format.ts` tells them apart, `importers.ts` has the importer of each. */
export type ModelFormatId = '3ds' | '3mf' | 'dae' | 'fbx' | 'gltf' | 'las' | 'obj' | 'off' | 'ply' | 'stl' | 'xyz';

/** What a model's own text says of another file, as often as it does. */
export interface WrittenReference {
  /** A missing buffer fails a conversion; without its materials or a texture a model is converted, with a warning. */
  readonly kind: 'buffer' | 'materials' | 'texture';
  /** As the model names it. */
  readonly uri: string;
  /** Where it may lie, relative to the model's folder, best first (contract 2.6, texture lookup); none where it lies elsewhere. */
  readonly paths: readonly string[];
}

/** What can be known of a format without the libraries that import it. */
export interface ModelFormat {
  readonly id: ModelFormatId;
  /** As `.info.json` names it (contract 2.8, `sourceAssetFormat`). */
  readonly name: string;
  /** With their dot, in lower case. */
  readonly extensions: readonly string[];
  /** Tells the format by the first bytes of a file, at most 4,096, and by its size in bytes. */
  matches(head: Uint8Array, size: number): boolean;
  /** @throws ConversionError `input_refused`, `limit` */
  references(file: ModelFile, folder: ModelFolder): Promise<WrittenReference[]>;
}
