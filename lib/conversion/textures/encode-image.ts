import type { Sharp } from 'sharp';
import type { ConversionSettings } from '../conversion-settings.ts';
import type { PixelSize } from './image-size.ts';
import { basisSize, encodeKtx2, type Ktx2Request } from './ktx2.ts';
import { type AlphaUse, loadSharp, MEASURED, openImage, owned } from './sharp-images.ts';

/** WebP has 14 bits for each side. */
const MAX_WEBP_SIZE = 16_383;

/** Compressing without loss takes ten times as long; for a larger image than this it is not tried. */
const MAX_DRAWING_BYTES = 100_000;

/** A WebP is only encoded anew where that makes it so much smaller: every time costs some of its quality. */
const WORTH_A_LOSS = 0.9;

export interface ImagePlan {
  readonly image: Uint8Array;
  readonly mimeType: string;
  readonly size: PixelSize;
  readonly alpha: AlphaUse;
  readonly use: Ktx2Request['use'];
  readonly compression: ConversionSettings['textureCompression'];
  /** Of the longer side, in pixels. */
  readonly maxSize: number;
  /** Of the image as it is. */
  readonly maxPixels: number;
}

export type EncodedImage =
  | 'kept'
  | 'unreadable'
  | {
      readonly image: Uint8Array<ArrayBuffer>;
      readonly mimeType: string;
      /** Whether a part of it could not be decoded. */
      readonly isCutOff: boolean;
    };

/** What is to be done with an image, and how it must be. */
interface Work extends ImagePlan {
  readonly isDamaged: boolean;
  /** Whether viewers show it as it is. */
  readonly mayBeKept: boolean;
}

/** Makes an image as small as its plan says. An image that needs no other size never becomes larger than it was. */
export async function encodeImage(plan: ImagePlan): Promise<EncodedImage> {
  // What KTX2 holds is encoded for the machine that draws it, and cannot be decoded here.
  if (plan.mimeType === 'image/ktx2') return 'kept';
  // A library that is not there is no fault of the image.
  await loadSharp();
  const whole = await encode({ ...plan, isDamaged: false, mayBeKept: await isPlain(plan) }).catch(() => undefined);
  if (whole !== undefined) return whole;
  // Viewers show as much as there is.
  if (await isBlank(plan)) return 'unreadable';
  return await encode({ ...plan, isDamaged: true, mayBeKept: false }).catch(() => 'unreadable' as const);
}

async function encode(work: Work): Promise<EncodedImage> {
  if (work.compression === 'ktx2') return await toKtx2(work);
  return work.compression === 'webp' ? await toWebp(work) : await toItsOwn(work);
}

/** Not of inks, and not of several pictures: glTF knows neither. Not turned by EXIF, which browsers heed and modelling programs do not. */
async function isPlain({ image }: ImagePlan): Promise<boolean> {
  const sharp = await loadSharp();
  const known = await sharp(image, MEASURED)
    .metadata()
    .catch(() => undefined);
  if (known === undefined) return false;
  const { space, pages = 1, orientation = 1 } = known;
  return space !== 'cmyk' && pages === 1 && orientation === 1;
}

/** True for an image of which nothing could be decoded. */
async function isBlank({ image, maxPixels }: ImagePlan): Promise<boolean> {
  const sharp = await loadSharp();
  const png = await sharp(image, { limitInputPixels: maxPixels, failOn: 'none', ignoreIcc: true })
    .removeAlpha()
    .png({ compressionLevel: 1 })
    .toBuffer()
    .catch(() => undefined);
  return png === undefined || (await sharp(png, MEASURED).stats()).channels.every(({ min, max }) => min === max);
}

async function toKtx2(plan: Work): Promise<EncodedImage> {
  const size = basisSize(fitting(plan.size, plan.maxSize));
  const image = await encodeKtx2({ ...plan, size });
  return { image: owned(image), mimeType: 'image/ktx2', isCutOff: plan.isDamaged };
}

async function toWebp(plan: Work): Promise<EncodedImage> {
  const size = smaller(plan, Math.min(plan.maxSize, MAX_WEBP_SIZE));
  // AVIF is the smaller format.
  if (size === undefined && plan.mimeType === 'image/avif' && plan.mayBeKept) return await checked(plan);
  const image = await openImage({ ...plan, size });
  const best = await smallestWebp(image, plan, size);
  const most = plan.image.length * (plan.mimeType === 'image/webp' ? WORTH_A_LOSS : 1);
  if (size === undefined && best.length > most && plan.mayBeKept) return 'kept';
  return { image: owned(best), mimeType: 'image/webp', isCutOff: plan.isDamaged };
}

async function smallestWebp(
  image: Sharp,
  { image: { length }, mimeType, alpha }: ImagePlan,
  size: PixelSize | undefined,
): Promise<Uint8Array> {
  const exact = alpha === 'data';
  const lossy = await image.clone().webp({ quality: 80, exact }).toBuffer();
  // Drawings and flat colours are smaller where nothing is lost; that they are such is seen by how small their PNG is.
  const isDrawing = mimeType === 'image/png' && length < 2.5 * lossy.length && lossy.length < MAX_DRAWING_BYTES;
  if (size !== undefined || !isDrawing) return lossy;
  const lossless = await image.webp({ lossless: true, exact }).toBuffer();
  return lossless.length <= lossy.length ? lossless : lossy;
}

/** Only resized, in the format that it has. */
async function toItsOwn(plan: Work): Promise<EncodedImage> {
  const size = smaller(plan, plan.maxSize);
  if (size === undefined && plan.mayBeKept) return await checked(plan);
  const image = await openImage({ ...plan, size });
  const encoded = await inFormat(image, plan.mimeType);
  return { image: owned(encoded), mimeType: plan.mimeType, isCutOff: plan.isDamaged };
}

async function inFormat(image: Sharp, mimeType: string): Promise<Uint8Array> {
  if (mimeType === 'image/png') return await image.png().toBuffer();
  if (mimeType === 'image/jpeg') return await image.jpeg({ quality: 90 }).toBuffer();
  return mimeType === 'image/avif' ? await image.avif().toBuffer() : await image.webp({ quality: 90 }).toBuffer();
}

/** Decodes an image that is kept, so that a broken one is found here and not by a viewer. */
async function checked(plan: Work): Promise<EncodedImage> {
  await (await openImage(plan)).raw().toBuffer();
  return 'kept';
}

/** The size that fits into a limit; undefined for an image that does already. */
function smaller({ size }: ImagePlan, maxSize: number): PixelSize | undefined {
  return Math.max(size.width, size.height) > maxSize ? fitting(size, maxSize) : undefined;
}

function fitting({ width, height }: PixelSize, maxSize: number): PixelSize {
  const factor = Math.min(1, maxSize / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
