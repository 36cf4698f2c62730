import { type Document, ExtensionProperty, Material, type Property, type Texture } from '@gltf-transform/core';
import { EXTTextureAVIF, EXTTextureWebP } from '@gltf-transform/extensions';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { Gltf } from './gltf-schema.ts';

/**
 * Drops textures without an image, with a warning for every material that uses them, and takes the type of the others from their content:
 * a JPEG named `.png` is a common mistake that viewers refuse.
 */
export function repairTextures(document: Document, gltf: Gltf): ConversionWarning[] {
  // The library makes one texture of each image, in their order.
  const warnings = document
    .getRoot()
    .listTextures()
    .flatMap((texture, i) => repairTexture(document, texture, gltf.images[i]));
  return warnings;
}

function repairTexture(
  document: Document,
  texture: Texture,
  image: Gltf['images'][number] | undefined,
): ConversionWarning[] {
  const bytes = texture.getImage() ?? new Uint8Array(0);
  const mimeType = mimeTypeOf(bytes);
  if (mimeType !== undefined) {
    texture.setMimeType(mimeType);
    if (mimeType === 'image/webp') document.createExtension(EXTTextureWebP).setRequired(true);
    if (mimeType === 'image/avif') document.createExtension(EXTTextureAVIF).setRequired(true);
    return [];
  }
  const name = (image?.uri?.startsWith('data:') ? undefined : image?.uri) ?? image?.name ?? 'embedded image';
  const warning = bytes.length === 0 ? { code: '4004', title: 'Missing texture' } : unreadable;
  const materials = [...materialsOf(texture)].map((material) => material.getName());
  texture.dispose();
  return (materials.length > 0 ? materials : ['']).map((material) => ({
    ...warning,
    details: { texture: name, material },
  }));
}

const unreadable = { code: 'texture_unreadable', title: 'Texture is no image that can be read' };

function materialsOf(property: Property): Set<Material> {
  const found = new Set<Material>();
  for (const parent of property.listParents()) {
    if (parent instanceof Material) found.add(parent);
    else if (parent instanceof ExtensionProperty) for (const material of materialsOf(parent)) found.add(material);
  }
  return found;
}

/** The type of an image by its first bytes. */
function mimeTypeOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp';
  if (head.startsWith('\xabKTX 20\xbb')) return 'image/ktx2';
  return head.slice(4) === 'ftypavif' ? 'image/avif' : undefined;
}
