import type { Document } from '@gltf-transform/core';
import type { WorkLimits } from './conversion-limits.ts';
import type { ConversionWarning } from './conversion-outcome.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import type { ModelFile } from './model-file.ts';
import type { ModelFormatId } from './model-formats.ts';

/** A model that is to be imported; its references have been checked. */
export interface ImportRequest {
  readonly file: ModelFile;
  /** The content of a file by the URI under which `ModelFormat.references` names it; undefined where it is missing or lies elsewhere. */
  readonly readReference: (uri: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly settings: ConversionSettings;
  readonly limits: WorkLimits;
}

export interface ImportedModel {
  readonly document: Document;
  /** Version of the format and program that wrote the file, for `.info.json`; empty where the file does not say. */
  readonly formatVersion: string;
  readonly generator: string;
  readonly warnings: readonly ConversionWarning[];
  /** What is wrong with the file itself, asked where no asset could be made of it; undefined where nothing is. */
  readonly findFaults?: () => Promise<string | undefined>;
}

/**
 * Reads one format into a glTF document without any compression left in it, in glTF's space: right-handed, +Y up, metres.
 * Throws ConversionError `input_refused` or `limit` for a model that it cannot read.
 */
export type Importer = (request: ImportRequest) => Promise<ImportedModel>;

export type Importers = Readonly<Record<ModelFormatId, Importer>>;
