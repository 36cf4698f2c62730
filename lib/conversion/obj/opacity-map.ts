import type { Document, Texture } from '@gltf-transform/core';
import type { WorkLimits } from '../conversion-limits.ts';
import { loadSharp } from '../textures/sharp-images.ts';

/** Levels between which a texel is neither seen through nor opaque, and how many such there are in a map that only cuts out. */
const [CLEAR, OPAQUE] = [16, 239];
const MOST_BETWEEN = 0.1;

/** A texture of colours and opacity, as glTF wants them. */
export interface OpacityTexture {
  readonly texture: Texture;
  readonly alphaMode: 'MASK' | 'BLEND';
}

/**
 * Joins the colours of a texture, or white, with the opacity that another has: in its alpha channel, or else as its brightness. Undefined for
 * images that cannot be decoded here.
 */
export async function joinOpacity(
  document: Document,
  colors: Texture | undefined,
  opacity: Texture,
  limits: Pick<WorkLimits, 'texturePixels'>,
): Promise<OpacityTexture | undefined> {
  const [map, image] = [opacity.getImage(), colors?.getImage()];
  if (map === null || image === null) return undefined;
  const joined = await join(image, map, limits.texturePixels).catch(() => undefined);
  if (joined === undefined) return undefined;
  const name = `${colors?.getName() ?? ''} ${opacity.getName()}`.trim();
  const texture = document.createTexture(name).setImage(new Uint8Array(joined.png)).setMimeType('image/png');
  return { texture, alphaMode: joined.isCutOut ? 'MASK' : 'BLEND' };
}

async function join(image: Uint8Array | undefined, map: Uint8Array, limitInputPixels: number) {
  const sharp = await loadSharp();
  const open = (bytes: Uint8Array) => sharp(bytes, { limitInputPixels, ignoreIcc: true });
  const { width, height } = await open(image ?? map).metadata();
  const { isOpaque } = await open(map).stats();
  const alpha = await (isOpaque ? open(map).removeAlpha().toColourspace('b-w') : open(map).extractChannel('alpha'))
    .resize(width, height, { fit: 'fill' })
    .raw({ depth: 'uchar' })
    .toBuffer();
  const white = { create: { width, height, channels: 3, background: '#fff' } } as const;
  // The library removes channels after it has joined others.
  const { data, info } = await (image === undefined ? sharp(white) : open(image).removeAlpha().toColourspace('srgb'))
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const png = await sharp(data, { raw: info })
    .joinChannel(alpha, { raw: { width, height, channels: 1 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  let between = 0;
  for (const level of alpha) if (level > CLEAR && level < OPAQUE) between += 1;
  return { png, isCutOut: between <= MOST_BETWEEN * alpha.length };
}
