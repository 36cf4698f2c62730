import { createHash } from 'node:crypto';
import type { ConversionSettings } from './conversion-settings.ts';
import { CONVERTER_VERSION } from './converter-version.ts';

/** A model's files: the model itself first, then what it refers to, with paths relative to its folder. */
export interface ContentKeyInput {
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  readonly settings: ConversionSettings;
}

/**
 * What a conversion's result depends on, as a SHA-256 in hex: the bytes of the files, the names by which the model refers to them, the
 * settings and the converter's version. The model's own name is no part of it.
 */
export function contentKey({ files, settings }: ContentKeyInput): string {
  const [model, ...references] = files;
  if (model === undefined) throw new TypeError('A model has at least one file.');
  const key = [
    CONVERTER_VERSION,
    model.sha256.toLowerCase(),
    references.map(({ path, sha256 }) => [path, sha256.toLowerCase()]).sort(byPath),
    Object.entries(settings).sort(byPath),
  ];
  return createHash('sha256').update(JSON.stringify(key)).digest('hex');
}

function byPath([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}
