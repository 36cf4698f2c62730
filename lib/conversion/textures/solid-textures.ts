import { ColorUtils, type Document, Material, type Texture, type vec3, type vec4 } from '@gltf-transform/core';
import { getTextureColorSpace } from '@gltf-transform/functions';
import { sizeOf } from './check-textures.ts';
import { loadSharp, MEASURED } from './sharp-images.ts';

/** Difference within an image of one colour, as it is stored: what compression leaves of none. */
const TOLERANCE = 3 / 255;

/** Images of one colour are compressed to less than this; only those are decoded. */
const mayBeSolid = (bytes: number, pixels: number) => bytes < 4096 + pixels / 32;

/** Writes textures of one colour into the factors of their materials. */
export async function dropSolidTextures(document: Document): Promise<void> {
  const textures = document.getRoot().listTextures();
  await Promise.all(textures.map((texture) => dropIfSolid(document, texture)));
}

async function dropIfSolid(document: Document, texture: Texture): Promise<void> {
  const colour = await solidColour(texture);
  if (colour === undefined) return;
  const factor: vec4 = [...colour];
  if (getTextureColorSpace(texture) === 'srgb') ColorUtils.convertSRGBToLinear(factor, factor);
  for (const edge of document.getGraph().listParentEdges(texture)) {
    const parent = edge.getParent();
    if (parent instanceof Material && multiply(parent, edge.getName(), factor)) edge.dispose();
  }
}

/** The one colour of an image, as it is stored; undefined where it has several or cannot be read. */
async function solidColour(texture: Texture): Promise<vec4 | undefined> {
  const image = texture.getImage();
  const size = sizeOf(texture);
  if (!image || size === undefined || texture.getMimeType() === 'image/ktx2') return undefined;
  if (!mayBeSolid(image.length, size.width * size.height)) return undefined;
  const sharp = await loadSharp();
  try {
    const options = { limitInputPixels: size.width * size.height, ignoreIcc: true } as const;
    const { channels } = await sharp(
      await sharp(image, options).toColourspace('srgb').png({ compressionLevel: 0 }).toBuffer(),
      MEASURED,
    ).stats();
    const values = channels.map(({ min, max }) => ({ middle: (min + max) / 510, spread: (max - min) / 255 }));
    if (Math.hypot(...values.map(({ spread }) => spread)) > TOLERANCE) return undefined;
    const [red = 1, green = red, blue = red, alpha = 1] = values.map(({ middle }) => middle);
    return values.length < 3 ? [red, red, red, values.length === 2 ? green : 1] : [red, green, blue, alpha];
  } catch {
    // An image that cannot be read is dropped, with a warning, where it is encoded.
    return undefined;
  }
}

/** @returns false where the material has no factor that says the same */
function multiply(material: Material, slot: string, [red, green, blue, alpha]: vec4): boolean {
  switch (slot) {
    case 'baseColorTexture': {
      const [r, g, b, a] = material.getBaseColorFactor();
      material.setBaseColorFactor([r * red, g * green, b * blue, a * alpha]);
      return true;
    }
    case 'emissiveTexture': {
      const [r, g, b] = material.getEmissiveFactor();
      const factor: vec3 = [r * red, g * green, b * blue];
      material.setEmissiveFactor(factor);
      return true;
    }
    case 'metallicRoughnessTexture':
      material.setRoughnessFactor(material.getRoughnessFactor() * green);
      material.setMetallicFactor(material.getMetallicFactor() * blue);
      return true;
    case 'occlusionTexture':
      return Math.abs(red - 1) <= TOLERANCE;
    case 'normalTexture':
      return Math.hypot(red - 0.5, green - 0.5, blue - 1) <= TOLERANCE;
    default:
      return false;
  }
}
