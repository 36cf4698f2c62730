import type { Document, Texture } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { dropUnreadable } from './drop-texture.ts';

/**
 * Reads the size of every texture from its first bytes, and decodes none; what has no size is no image and is dropped with a warning.
 * @throws ConversionError `limit` for a texture with too many pixels
 */
export function checkTextures(document: Document, limits: WorkLimits): ConversionWarning[] {
  const warnings: ConversionWarning[] = [];
  for (const texture of document.getRoot().listTextures()) {
    const size = sizeOf(texture);
    if (size === undefined) warnings.push(...dropUnreadable(texture));
    else checkLimit('texturePixels', size.width * size.height, limits);
  }
  return warnings;
}

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** The size that an image's header tells; undefined where it tells none. */
export function sizeOf(texture: Texture): PixelSize | undefined {
  try {
    const [width, height] = texture.getSize() ?? [0, 0];
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    // The library walks from marker to marker, also beyond the end of a file that was cut off.
    return undefined;
  }
}
