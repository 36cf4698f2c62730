import sharp from 'sharp';
import { expect } from 'vitest';
import { texturedBallGlb } from '../../support/models/index.ts';
import { assetOf } from '../../unit/conversion/convert-model.ts';

/** What the converter makes of a model, and the extensions that a viewer must know to open it. */
export async function convertedAsset(
  model: Uint8Array,
  settings: Record<string, unknown> | null,
): Promise<{ readonly bytes: Buffer; readonly required: readonly string[] }> {
  const { asset } = await assetOf(model, settings);
  const bytes = Buffer.from(asset);
  const { extensionsRequired } = JSON.parse(bytes.toString('utf8', 20, 20 + bytes.readUInt32LE(12)));
  expect(extensionsRequired).toBeInstanceOf(Array);
  return { bytes, required: extensionsRequired };
}

/** A ball whose textures alone make it green. */
export async function greenBallGlb(): Promise<Uint8Array> {
  const [colour, surface, normal] = await Promise.all([
    picture((x) => [30, 120 + x, 40]),
    picture((x) => [255, 160 + x, 0]),
    picture((x) => [124 + (x % 8), 128, 255]),
  ]);
  return texturedBallGlb({ colour, surface, normal });
}

/** The asset with its geometry and images overwritten, its JSON as it was. */
export function withGarbledData(asset: Buffer): Buffer {
  return Buffer.from(asset).fill(0x5a, 20 + asset.readUInt32LE(12) + 8);
}

async function picture(colourAt: (x: number) => readonly [number, number, number]) {
  const size = 64;
  const pixels = Uint8Array.from(Array.from({ length: size * size }, (_, i) => colourAt(i % size)).flat());
  const bytes = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
  return { bytes: new Uint8Array(bytes), mimeType: 'image/png' } as const;
}
