import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { headerSize } from '../textures/image-size.ts';
import { loadSharp, MEASURED, owned } from '../textures/sharp-images.ts';
import { decodeBmp } from './bmp.ts';
import { decodeDds } from './dds.ts';
import { nameOfForeignImage } from './foreign-images.ts';
import { type Decoder, type Pixels, UnreadableImage } from './pixels.ts';
import { decodePsd } from './psd.ts';
import { decodeTga, looksLikeTga } from './tga.ts';

/** An image in one of the formats that glTF has, with its extensions. */
export interface GltfImage {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/ktx2' | 'image/avif';
  /** Whether the file ended before all of its pixels; those that are missing are black. */
  readonly isCutOff: boolean;
}

/** Why a file is no image that can be read: what it is, and what to do. */
export interface UnreadableFile {
  readonly unreadable: string;
}

/**
 * Makes an image of a format that models of other formats use (DDS, PSD, TGA, BMP, GIF, TIFF) one that glTF knows. Its type is told by its
 * content.
 * @throws ConversionError `limit` for an image with too many pixels
 */
export async function toGltfImage(bytes: Uint8Array, limits: WorkLimits): Promise<GltfImage | UnreadableFile> {
  const mimeType = mimeTypeOf(bytes);
  if (mimeType !== undefined) {
    const { width, height } = headerSize(bytes, mimeType) ?? { width: 0, height: 0 };
    checkLimit('texturePixels', width * height, limits);
    return { image: owned(bytes), mimeType, isCutOff: false };
  }
  try {
    const head = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
    if (/^GIF8|^II[*+]\0|^MM\0[*+]/.test(head)) return await convertBySharp(bytes, limits);
    const decode = decoders[head] ?? decoders[head.slice(0, 2)];
    if (decode !== undefined) return await convertPixels(bytes, decode, limits);
    const name = nameOfForeignImage(bytes);
    if (name !== undefined) return { unreadable: `It is ${name}, which is not read; save it as PNG.` };
    if (looksLikeTga(bytes)) return await convertPixels(bytes, decodeTga, limits);
  } catch (error) {
    if (error instanceof UnreadableImage) return { unreadable: error.message };
    throw error;
  }
  return {
    unreadable: bytes.length === 0 ? 'It is empty.' : 'It is no image of a kind that is known; save it as PNG.',
  };
}

/** The type of an image that glTF knows, with its extensions, by its first bytes. */
function mimeTypeOf(bytes: Uint8Array): GltfImage['mimeType'] | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp';
  if (head.startsWith('\xabKTX 20\xbb')) return 'image/ktx2';
  return head.slice(4) === 'ftypavif' ? 'image/avif' : undefined;
}

/** By their first four or two characters. */
const decoders: Readonly<Record<string, Decoder>> = { 'DDS ': decodeDds, '8BPS': decodePsd, BM: decodeBmp };

/** Depths that become eight bits as they are meant; others are no colours from black to white. */
const usualDepths: ReadonlySet<string> = new Set(['uchar', 'ushort']);

async function convertBySharp(bytes: Uint8Array, limits: WorkLimits): Promise<GltfImage | UnreadableFile> {
  const sharp = await loadSharp();
  const open = (limitInputPixels: number | false, failOn: 'error' | 'none') =>
    sharp(bytes, { limitInputPixels, failOn, ignoreIcc: true });
  const size = await open(false, 'none')
    .metadata()
    .catch(() => undefined);
  const kind = bytes[0] === 0x47 ? 'a GIF' : 'a TIFF';
  if (size === undefined) return { unreadable: `It is ${kind} that cannot be read; save it as PNG.` };
  checkLimit('texturePixels', size.width * size.height, limits);
  if (!usualDepths.has(size.depth)) {
    return { unreadable: `It is ${kind} of numbers of the kind ${size.depth}, which is not read; save it as PNG.` };
  }
  for (const failOn of ['error', 'none'] as const) {
    const converted = await open(limits.texturePixels, failOn)
      .png()
      .toBuffer()
      .catch(() => undefined);
    if (converted !== undefined) return png(converted, failOn === 'none');
  }
  return { unreadable: `It is ${kind} that cannot be read; save it as PNG.` };
}

async function convertPixels(bytes: Uint8Array, decode: Decoder, limits: WorkLimits): Promise<GltfImage> {
  const pixels = decode(bytes, (count) => checkLimit('texturePixels', count, limits));
  const { data, width, height, channels } = pixels;
  const sharp = await loadSharp();
  const image = sharp(data, { ...MEASURED, raw: { width, height, channels } });
  return png(await (hasUse(pixels) ? image : image.removeAlpha()).png().toBuffer(), pixels.isCutOff);
}

/** Programs that know no opacity leave the room for it empty, or full. */
function hasUse({ data, channels }: Pixels): boolean {
  if (channels === 1 || channels === 3) return true;
  const first = data[channels - 1];
  if (first !== 0 && first !== 255) return true;
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== first) return true;
  return false;
}

function png(bytes: Uint8Array, isCutOff: boolean): GltfImage {
  return { image: owned(bytes), mimeType: 'image/png', isCutOff };
}
