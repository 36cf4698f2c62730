import type { Sharp, SharpOptions } from 'sharp';
import type { PixelSize } from './check-textures.ts';

/** What a texture's fourth channel is to its materials: it may hold anything where none of them looks at it. */
export type AlphaUse = 'none' | 'opacity' | 'data';

export interface ImageRequest {
  readonly image: Uint8Array;
  readonly alpha: AlphaUse;
  /** Undefined leaves the image as large as it is. */
  readonly size?: PixelSize | undefined;
  /** Above it an image is not decoded, whatever its header said. */
  readonly maxPixels: number;
}

/** The library of images, loaded for models that have some: it is native, and takes longer to load than a small model to convert. */
export async function loadSharp() {
  const { default: sharp } = await import('sharp');
  // Every image is worked on once.
  sharp.cache(false);
  return sharp;
}

/** An image as viewers see it, without channels that nobody looks at, in the size that is asked for. */
export async function openImage({ image, alpha, size, maxPixels }: ImageRequest): Promise<Sharp> {
  const sharp = await loadSharp();
  // glTF 2.0, 3.8.3: colour profiles are to be ignored.
  const options: SharpOptions = { limitInputPixels: maxPixels, ignoreIcc: true, failOn: 'error', sequentialRead: true };
  const open = () => sharp(image, options);
  const resized = (part: Sharp) =>
    size === undefined ? part : part.resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' });
  const isWeighed = size !== undefined && alpha !== 'opacity' && (await open().metadata()).hasAlpha;
  if (!isWeighed) return resized(alpha === 'none' ? open().removeAlpha() : open());
  // Resizing weighs colours by their opacity, which this channel is not: colours are taken apart from it before.
  const { data, info } = await open().removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const colours = resized(sharp(data, { raw: info }));
  if (alpha === 'none') return colours;
  const channel = await resized(open().extractChannel('alpha')).png({ compressionLevel: 0 }).toBuffer();
  return sharp(await colours.png({ compressionLevel: 0 }).toBuffer()).joinChannel(channel);
}
