import { ExtensionProperty, Material, type Property, type Texture } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';

/** Takes a texture that is no image out of every material, with a warning for each of them. */
export function dropUnreadable(texture: Texture): ConversionWarning[] {
  const name = texture.getName() || texture.getURI() || 'embedded image';
  const materials = [...materialsOf(texture)].map((material) => material.getName());
  texture.dispose();
  return (materials.length > 0 ? materials : ['']).map((material) => ({
    code: 'texture_unreadable',
    title: 'Texture is no image that can be read',
    details: { texture: name, material },
  }));
}

function materialsOf(property: Property): Set<Material> {
  const found = new Set<Material>();
  for (const parent of property.listParents()) {
    if (parent instanceof Material) found.add(parent);
    else if (parent instanceof ExtensionProperty) for (const material of materialsOf(parent)) found.add(material);
  }
  return found;
}
