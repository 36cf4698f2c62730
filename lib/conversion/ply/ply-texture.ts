import type { Document, Material } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { TextureLoader } from '../images/texture-loader.ts';
import type { ImportRequest } from '../importer.ts';

/** Puts the first of the images onto the material. Several would need to know which face has which. */
export async function addTexture(
  document: Document,
  material: Material,
  [first, ...others]: readonly string[],
  request: ImportRequest,
): Promise<ConversionWarning[]> {
  if (first === undefined) return [];
  const loader = new TextureLoader(document, request);
  const texture = await loader.load(first, material.getName());
  if (texture !== undefined) material.setBaseColorTexture(texture);
  const left = others.map((name) => ({
    code: 'texture_left_out',
    title: 'Only the first texture of a PLY file is used',
    details: { texture: name, material: material.getName() },
  }));
  return [...loader.warnings, ...left];
}
