import { ImageUtils } from '@gltf-transform/core';

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** The size that an image of one of glTF's formats tells in its header; undefined where it tells none. */
export function headerSize(image: Uint8Array, mimeType: string): PixelSize | undefined {
  try {
    const [width, height] = ImageUtils.getSize(image, mimeType) ?? [0, 0];
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    // The library walks from marker to marker, also beyond the end of a file that was cut off.
    return undefined;
  }
}
