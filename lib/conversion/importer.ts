import type { Document } from '@gltf-transform/core';
import type { ConversionWarning } from './conversion-outcome.ts';
import type { ModelFile } from './model-file.ts';
import type { ModelFormatId } from './model-formats.ts';

/** A model that is to be imported; its references have been checked. */
export interface ImportRequest {
  readonly file: ModelFile;
  /** The content of a file by its path below the model's folder; undefined for a texture that is missing. */
  readonly readReference: (path: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What the unpacked data may have, in bytes. */
  readonly memoryBytes: number;
}

export interface ImportedModel {
  readonly document: Document;
  /** Version of the format and program that wrote the file, for `.info.json`. */
  readonly formatVersion: string;
  readonly generator: string;
  readonly warnings: readonly ConversionWarning[];
}

/**
 * Reads one format into a glTF document without any compression left in it.
 * Throws ConversionError `input_refused` or `limit` for a model that it cannot read.
 */
export type Importer = (request: ImportRequest) => Promise<ImportedModel>;

export type Importers = Readonly<Record<ModelFormatId, Importer>>;
