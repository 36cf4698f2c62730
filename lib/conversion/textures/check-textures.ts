import type { Document, Texture } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { type TextureFault, textureWarnings } from '../images/texture-warnings.ts';
import { headerSize, type PixelSize } from './image-size.ts';
import { ktx2Fault } from './ktx2-fault.ts';
import { loadSharp } from './sharp-images.ts';

/**
 * Reads the size of every texture from its first bytes, and decodes none whose size is told there; what has no size is no image and is
 * dropped with a warning.
 * @throws ConversionError `limit` for a texture with too many pixels
 */
export async function checkTextures(document: Document, limits: WorkLimits): Promise<ConversionWarning[]> {
  const warnings: ConversionWarning[] = [];
  for (const texture of document.getRoot().listTextures()) {
    const fault = await faultOf(texture, limits);
    if (fault === undefined) continue;
    warnings.push(...textureWarnings(fault, texture));
    texture.dispose();
  }
  return warnings;
}

async function faultOf(texture: Texture, limits: WorkLimits): Promise<TextureFault | undefined> {
  const isKtx2 = texture.getMimeType() === 'image/ktx2';
  if (!isKtx2 && sizeOf(texture) === undefined) await redraw(texture, limits);
  const size = sizeOf(texture);
  if (size === undefined) return { unreadable: 'Its header cannot be read; save it again.' };
  checkLimit('texturePixels', size.width * size.height, limits);
  const fault = isKtx2 ? ktx2Fault(texture.getImage() ?? new Uint8Array(0)) : undefined;
  return fault === undefined ? undefined : { unreadable: fault };
}

/** Images may have more between their parts than the library that reads their sizes knows; they are stored anew without. */
async function redraw(texture: Texture, limits: WorkLimits): Promise<void> {
  const sharp = await loadSharp();
  const image = texture.getImage() ?? new Uint8Array(0);
  const open = (limitInputPixels: number | false) =>
    sharp(image, { limitInputPixels, failOn: 'none', ignoreIcc: true });
  const size = await open(false)
    .metadata()
    .catch(() => undefined);
  if (size === undefined) return;
  checkLimit('texturePixels', size.width * size.height, limits);
  const drawn = await open(limits.texturePixels)
    .png()
    .toBuffer()
    .catch(() => undefined);
  if (drawn !== undefined) texture.setImage(new Uint8Array(drawn)).setMimeType('image/png');
}

/** The size that an image's header tells; undefined where it tells none. */
export function sizeOf(texture: Texture): PixelSize | undefined {
  return headerSize(texture.getImage() ?? new Uint8Array(0), texture.getMimeType());
}
