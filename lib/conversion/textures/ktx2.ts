import type { NodeBasisEncoder } from 'ktx2-encoder';
import type { PixelSize } from './image-size.ts';
import { type ImageRequest, openImage } from './sharp-images.ts';

/** The encoder bounds its memory by 12 * 2^20 pixels; rounding to whole blocks stays below. */
const MAX_PIXELS = 12_500_000;

/** KHR_texture_basisu: both sides are multiples of it. */
const BLOCK = 4;

/** A size near the one that is asked for, in which Basis Universal can encode an image. */
export function basisSize({ width, height }: PixelSize): PixelSize {
  const factor = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)));
  const side = (length: number) => Math.max(BLOCK, Math.round((length * factor) / BLOCK) * BLOCK);
  return { width: side(width), height: side(height) };
}

export interface Ktx2Request extends ImageRequest {
  /** As `basisSize` has it. */
  readonly size: PixelSize;
  /** Colours are stored as ETC1S, which is small; directions and other data as UASTC, which is near to what it was. */
  readonly use: 'colour' | 'normal' | 'data';
}

/** An image as KTX2 with Basis Universal and all of its mip levels. */
export async function encodeKtx2(request: Ktx2Request): Promise<Uint8Array> {
  const image = await openImage(request);
  const raw = await image.toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer();
  const data = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  encoder ??= loadEncoder();
  const colour = request.use === 'colour';
  return await (await encoder).encode(data, {
    isUASTC: !colour,
    isNormalMap: request.use === 'normal',
    isPerceptual: colour,
    isSetKTX2SRGBTransferFunc: colour,
    generateMipmap: true,
    // The encoder's own defaults for colours; for UASTC what takes a tenth of the time and can hardly be told from the next level.
    ...(colour ? { qualityLevel: 128, compressionLevel: 1 } : { needSupercompression: true, uastcLDRQualityLevel: 0 }),
    imageDecoder: async (pixels) => ({ ...request.size, data: pixels }),
  });
}

let encoder: Promise<NodeBasisEncoder> | undefined;

/** It keeps hold of `console.log` as it finds it, and tells it of every slice. */
async function loadEncoder(): Promise<NodeBasisEncoder> {
  const { NodeBasisEncoder } = await import('ktx2-encoder');
  const loaded = new NodeBasisEncoder();
  const { log } = console;
  console.log = () => undefined;
  try {
    await loaded.init();
  } finally {
    console.log = log;
  }
  return loaded;
}
