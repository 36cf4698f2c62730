import type { OutputInfo, Sharp, SharpOptions } from 'sharp';
import type { PixelSize } from './image-size.ts';

/** What a texture's fourth channel is to its materials: it may hold anything where none of them looks at it. */
export type AlphaUse = 'none' | 'opacity' | 'data';

export interface ImageRequest {
  readonly image: Uint8Array;
  readonly alpha: AlphaUse;
  /** Undefined leaves the image as large as it is. */
  readonly size?: PixelSize | undefined;
  /** Above it an image is not decoded, whatever its header said. */
  readonly maxPixels: number;
  /** Whether the image is taken as far as it can be decoded. */
  readonly isDamaged: boolean;
}

/** The library of images, loaded for models that have some: it is native, and takes longer to load than a small model to convert. */
export async function loadSharp() {
  const { default: sharp } = await import('sharp');
  // Every image is worked on once.
  sharp.cache(false);
  // It may refer to other files; no image that is one gets here, and none ever shall.
  sharp.block({ operation: ['VipsForeignLoadSvg'] });
  return sharp;
}

/** What is made here of an image that was measured, and may be as large: the library has a limit of its own below that. */
export const MEASURED: SharpOptions = { limitInputPixels: false };

/** An image as viewers see it, without channels that nobody looks at, in the size that is asked for. */
export async function openImage({ image, alpha, size, maxPixels, isDamaged }: ImageRequest): Promise<Sharp> {
  const sharp = await loadSharp();
  // glTF 2.0, 3.8.3: colour profiles are to be ignored.
  const failOn = isDamaged ? 'none' : 'error';
  const options: SharpOptions = { limitInputPixels: maxPixels, ignoreIcc: true, failOn, sequentialRead: true };
  const open = () => sharp(image, options);
  const resized = (part: Sharp) =>
    size === undefined ? part : part.resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' });
  const isWeighed = size !== undefined && alpha !== 'opacity' && (await open().metadata()).hasAlpha;
  if (!isWeighed) return resized(alpha === 'none' ? open().removeAlpha() : open());
  // Resizing weighs colours by their opacity, which this channel is not: colours are taken apart from it before.
  const { data, info } = await open().removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const colours = resized(sharp(data, { ...MEASURED, raw: info }));
  if (alpha === 'none') return colours;
  const channel = await resized(open().extractChannel('alpha')).png({ compressionLevel: 0 }).toBuffer();
  return sharp(await colours.png({ compressionLevel: 0 }).toBuffer(), MEASURED).joinChannel(channel);
}

/**
 * The pixels of an image whose channels each hold something of their own; undefined where it cannot be decoded as a whole: what is made of
 * them says nothing of what they lack.
 * @param bounds above `maxPixels` it is not decoded; `size` is that of the result, if it is to be another
 */
export async function decodePixels(
  image: Uint8Array,
  bounds: { readonly maxPixels: number; readonly size?: PixelSize },
): Promise<{ readonly data: Buffer; readonly info: OutputInfo } | undefined> {
  try {
    const opened = await openImage({
      image,
      alpha: 'data',
      isDamaged: false,
      size: bounds.size,
      maxPixels: bounds.maxPixels,
    });
    return await opened.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  } catch {
    return undefined;
  }
}

/** The same bytes in a buffer that no other thread has: they are copied only where it is shared. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, bytes.byteOffset, bytes.byteLength) : bytes.slice();
}
