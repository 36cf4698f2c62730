import type { Document, Texture } from '@gltf-transform/core';
import type { WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { toGltfImage } from '../images/gltf-image.ts';
import { putImage } from '../images/texture-loader.ts';
import { textureWarnings } from '../images/texture-warnings.ts';
import type { Gltf } from './gltf-schema.ts';

/**
 * Drops textures without an image, with a warning for every material that uses them, and takes the type of the others from their content:
 * a JPEG named `.png` is a common mistake that viewers refuse. Images that glTF does not know, as BMP, become those that it does.
 * @throws ConversionError `limit` for an image with too many pixels
 */
export async function repairTextures(document: Document, gltf: Gltf, limits: WorkLimits): Promise<ConversionWarning[]> {
  const warnings: ConversionWarning[] = [];
  // The library makes one texture of each image, in their order.
  for (const [i, texture] of document.getRoot().listTextures().entries()) {
    warnings.push(...(await repairTexture(document, texture, gltf.images[i], limits)));
  }
  return warnings;
}

async function repairTexture(
  document: Document,
  texture: Texture,
  image: Gltf['images'][number] | undefined,
  limits: WorkLimits,
): Promise<ConversionWarning[]> {
  const bytes = texture.getImage() ?? new Uint8Array(0);
  const name = (image?.uri?.startsWith('data:') ? undefined : image?.uri) ?? image?.name ?? 'embedded image';
  const read = bytes.length === 0 ? 'missing' : await toGltfImage(bytes, limits);
  if (read === 'missing' || 'unreadable' in read) {
    const warnings = textureWarnings(read, texture, name);
    texture.dispose();
    return warnings;
  }
  putImage(document, texture, read);
  return read.isCutOff ? textureWarnings('cut off', texture, name) : [];
}
