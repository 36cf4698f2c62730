import { ExtensionProperty, Material, type Property, type Texture } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { UnreadableFile } from './gltf-image.ts';

/** What is wrong with a texture: its file is not there, is no image, ends early, or is larger than it should be. */
export type TextureFault = 'missing' | 'cut off' | 'kept large' | UnreadableFile;

/** What is said of a texture that is not all there: contract 2.8 for what is missing. */
export function textureWarning(fault: TextureFault, texture: string, material: string): ConversionWarning {
  const details = { texture, material };
  if (fault === 'missing') return { code: '4004', title: 'Missing texture', details };
  if (fault === 'cut off') return { code: 'texture_cut_off', title: 'Texture ends before its last pixels', details };
  if (fault === 'kept large') return { code: 'texture_kept', title: 'KTX2 texture cannot be made smaller', details };
  const title = 'Texture is no image that can be read';
  return { code: 'texture_unreadable', title, details: { ...details, reason: fault.unreadable } };
}

/**
 * As `textureWarning`, for every material that uses a texture.
 * @param name of the texture's file, or whatever tells it from others
 */
export function textureWarnings(
  fault: TextureFault,
  texture: Texture,
  name = texture.getName() || texture.getURI() || 'embedded image',
): ConversionWarning[] {
  const materials = [...materialsOf(texture)].map((material) => material.getName());
  return (materials.length > 0 ? materials : ['']).map((material) => textureWarning(fault, name, material));
}

function materialsOf(property: Property): Set<Material> {
  const found = new Set<Material>();
  for (const parent of property.listParents()) {
    if (parent instanceof Material) found.add(parent);
    else if (parent instanceof ExtensionProperty) for (const material of materialsOf(parent)) found.add(material);
  }
  return found;
}
