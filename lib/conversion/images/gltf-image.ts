import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { loadSharp } from '../textures/sharp-images.ts';
import { decodeBmp } from './bmp.ts';
import type { Decoder } from './pixels.ts';
import { decodeTga, looksLikeTga } from './tga.ts';

/** An image in one of the formats that glTF has, with its extensions. */
export interface GltfImage {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/ktx2';
}

/**
 * Makes an image of a format that models of other formats use (TGA, BMP, GIF, TIFF) one that glTF knows. Its type is told by its content.
 * Undefined where it is no image that can be read.
 * @throws ConversionError `limit` for an image with too many pixels
 */
export async function toGltfImage(bytes: Uint8Array, limits: WorkLimits): Promise<GltfImage | undefined> {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { image: owned(bytes), mimeType: 'image/png' };
  if (head.startsWith('\xff\xd8\xff')) return { image: owned(bytes), mimeType: 'image/jpeg' };
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return { image: owned(bytes), mimeType: 'image/webp' };
  if (head.startsWith('\xabKTX 20\xbb')) return { image: owned(bytes), mimeType: 'image/ktx2' };
  if (/^GIF8|^II\*\0|^MM\0\*/.test(head)) return await convertBySharp(bytes, limits);
  if (head.startsWith('BM')) return await convertPixels(bytes, decodeBmp, limits);
  return looksLikeTga(bytes) ? await convertPixels(bytes, decodeTga, limits) : undefined;
}

async function convertBySharp(bytes: Uint8Array, limits: WorkLimits): Promise<GltfImage | undefined> {
  const sharp = await loadSharp();
  const size = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  if (size === undefined) return undefined;
  checkLimit('texturePixels', size.width * size.height, limits);
  const converted = await sharp(bytes, { limitInputPixels: limits.texturePixels })
    .png()
    .toBuffer()
    .catch(() => undefined);
  return converted && png(converted);
}

async function convertPixels(bytes: Uint8Array, decode: Decoder, limits: WorkLimits): Promise<GltfImage | undefined> {
  const pixels = decode(bytes, (count) => checkLimit('texturePixels', count, limits));
  if (pixels === undefined) return undefined;
  const { data, width, height, channels } = pixels;
  const sharp = await loadSharp();
  return png(await sharp(data, { raw: { width, height, channels } }).png().toBuffer());
}

function png(bytes: Uint8Array): GltfImage {
  return { image: owned(bytes), mimeType: 'image/png' };
}

function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, bytes.byteOffset, bytes.byteLength) : bytes.slice();
}
