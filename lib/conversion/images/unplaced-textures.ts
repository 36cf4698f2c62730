import type { Document, Material, Primitive } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';

/**
 * Takes textures off mesh parts that have no texture coordinates to place them by, which glTF does not allow. Other parts with the same
 * material keep them.
 */
export function dropUnplacedTextures(document: Document): ConversionWarning[] {
  const plain = new Map<Material, Material>();
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) {
      const material = part.getMaterial();
      if (material === null || isPlaced(part, material)) continue;
      const without = plain.get(material) ?? withoutTextures(material);
      plain.set(material, without);
      part.setMaterial(without);
    }
  }
  return [...plain.keys()].map((material) => ({
    code: 'texcoords_missing',
    title: 'Textures left out where there are no texture coordinates',
    details: { material: material.getName() },
  }));
}

function isPlaced(part: Primitive, material: Material): boolean {
  const needed = [
    material.getBaseColorTexture() && material.getBaseColorTextureInfo(),
    material.getNormalTexture() && material.getNormalTextureInfo(),
    material.getEmissiveTexture() && material.getEmissiveTextureInfo(),
    material.getOcclusionTexture() && material.getOcclusionTextureInfo(),
    material.getMetallicRoughnessTexture() && material.getMetallicRoughnessTextureInfo(),
  ];
  return needed.every((info) => info === null || part.getAttribute(`TEXCOORD_${info.getTexCoord()}`) !== null);
}

function withoutTextures(material: Material): Material {
  const plain = material
    .clone()
    .setBaseColorTexture(null)
    .setNormalTexture(null)
    .setEmissiveTexture(null)
    .setOcclusionTexture(null)
    .setMetallicRoughnessTexture(null);
  for (const { extensionName } of plain.listExtensions()) plain.setExtension(extensionName, null);
  return plain;
}
