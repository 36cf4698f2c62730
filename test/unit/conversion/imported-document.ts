import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Document, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { describe } from 'vitest';
import { linearOf } from '../../../lib/conversion/linear-colors.ts';
import type { ModelFiles } from '../../support/models/index.ts';
import { assetOf } from './convert-model.ts';

/** What a model becomes, with nothing in it packed, and what is said of it. */
export async function importedDocument(files: ModelFiles, settings: Record<string, unknown> = {}) {
  const plain = { geometryCompression: 'none', textureCompression: 'none', ...settings };
  const { outcome, asset } = await assetOf(files, plain);
  const document: Document = await new WebIO().registerExtensions(ALL_EXTENSIONS).readBinary(new Uint8Array(asset));
  return {
    document,
    outcome,
    materials: materialsOf(document),
    size: sizeOf(outcome.info.outputStatistics.boundingBox),
  };
}

function materialsOf(document: Document) {
  return document
    .getRoot()
    .listMaterials()
    .map((material) => ({
      name: material.getName(),
      color: material.getBaseColorFactor().map((value) => rounded(value)),
      metallic: rounded(material.getMetallicFactor()),
      roughness: rounded(material.getRoughnessFactor()),
      alphaMode: material.getAlphaMode(),
      texture: material.getBaseColorTexture()?.getMimeType(),
    }));
}

/** @param steps from one whole number to the next */
export function rounded(value: number, steps = 1000): number {
  return Math.round(value * steps) / steps;
}

/** The factor of a colour that a file has in sRGB, as most formats do. */
export function srgb(red: number, green: number, blue: number, alpha = 1): number[] {
  return [...[red, green, blue].map((value) => rounded(linearOf(value))), alpha];
}

function sizeOf({ min, max }: { readonly min: readonly number[]; readonly max: readonly number[] }): number[] {
  return max.map((value, i) => rounded(value - (min[i] ?? 0)));
}

/** Debian's package `assimp-testmodels`. */
const ASSIMP_MODELS = '/usr/share/assimp/models';

/** Tests on real models, which may only be left out by those who do not have them; never in CI. */
export const describeAssimpModels = describe.skipIf(process.env['CI'] === undefined && !existsSync(ASSIMP_MODELS));

/** A model of the package, first, and the files beside it. */
export async function assimpModel(path: string): Promise<ModelFiles> {
  const folder = join(ASSIMP_MODELS, dirname(path));
  const beside = await readdir(folder, { withFileTypes: true });
  const wanted = beside.filter((entry) => entry.isFile() && /\.(mtl|jpe?g|png|tga)$/i.test(entry.name));
  const files: Record<string, Uint8Array> = { [basename(path)]: await readFile(join(ASSIMP_MODELS, path)) };
  for (const { name } of wanted) files[name] = await readFile(join(folder, name));
  return files;
}
