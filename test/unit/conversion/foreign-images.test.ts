import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGltfImage } from '../../../lib/conversion/images/gltf-image.ts';
import { loadSharp } from '../../../lib/conversion/textures/sharp-images.ts';
import { limits } from '../../support/models/index.ts';

/** Two pixels beside each other, two below them: red, green, blue and white. */
const upper = [255, 0, 0, 0, 255, 0];
const lower = [0, 0, 255, 255, 255, 255];

describe('an image of another format', () => {
  it.each([
    ['a TGA from below', tga(2, 24, 0, [...bgr(lower), ...bgr(upper)])],
    ['a TGA from above', tga(2, 24, 0x20, [...bgr(upper), ...bgr(lower)])],
    ['a TGA in runs', tga(10, 24, 0x20, [0x01, ...bgr(upper), 0x00, ...bgr(lower).slice(0, 3), 0x80, 255, 255, 255])],
    ['a BMP', bmp(24, [...bgr(lower), 0, 0, ...bgr(upper), 0, 0])],
    ['a BMP of 32 bits', bmp(32, [255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0])],
  ])('is the same as a PNG: %s', async (_what, bytes) => {
    expect(await pixelsOf(bytes)).toEqual([...upper, ...lower]);
  });

  it('may have opacity', async () => {
    const image = await toGltfImage(
      tga(2, 32, 0x28, [0, 0, 255, 7, 0, 0, 255, 8, 0, 0, 255, 9, 0, 0, 255, 10]),
      limits,
    );
    const sharp = await loadSharp();
    const alpha = await sharp(image?.image).extractChannel('alpha').raw().toBuffer();
    expect([...alpha]).toEqual([7, 8, 9, 10]);
  });

  it.each(['gif', 'tiff'] as const)('is converted by the library of images: %s', async (format) => {
    const sharp = await loadSharp();
    const bytes = await sharp(Buffer.from([...upper, ...lower]), { raw: { width: 2, height: 2, channels: 3 } })
      .toFormat(format, format === 'tiff' ? { compression: 'none' } : {})
      .toBuffer();
    expect(await pixelsOf(bytes)).toEqual([...upper, ...lower]);
  });

  it('is refused for too many pixels, before they are read', async () => {
    const sharp = await loadSharp();
    const wide = await sharp({ create: { width: 200, height: 200, channels: 3, background: 'red' } })
      .gif()
      .toBuffer();
    await expect(toGltfImage(wide, { ...limits, texturePixels: 100 })).rejects.toMatchObject({ code: 'limit' });
    const huge = tga(2, 24, 0, []);
    huge.writeUInt16LE(65_535, 12);
    huge.writeUInt16LE(65_535, 14);
    await expect(toGltfImage(huge, limits)).rejects.toMatchObject({ code: 'limit' });
  });

  it('is none, or too large, or read: whatever bytes it has', async () => {
    const few = { ...limits, texturePixels: 10_000 };
    for (const begin of ['BM', 'GIF89a', 'II*\0', '\0\0\u0002', '\0\u0001\u0001', '', 'DDS ', '8BPS']) {
      const image = fc
        .uint8Array({ maxLength: 120 })
        .map((bytes) => Buffer.concat([Buffer.from(begin, 'latin1'), bytes]));
      await fc.assert(
        fc.asyncProperty(image, async (bytes) => {
          const made = await toGltfImage(bytes, few).catch((error: unknown) => error);
          if (made instanceof Error) expect(made).toMatchObject({ code: 'limit' });
          else expect(made === undefined || typeof made === 'object').toBe(true);
        }),
        { numRuns: 40 },
      );
    }
  });
});

async function pixelsOf(bytes: Uint8Array): Promise<number[]> {
  const made = await toGltfImage(bytes, limits);
  expect(made?.mimeType).toBe('image/png');
  const sharp = await loadSharp();
  return [...(await sharp(made?.image).removeAlpha().raw().toBuffer())];
}

function tga(kind: number, bits: number, flags: number, pixels: readonly number[]): Buffer {
  return Buffer.from([0, 0, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, bits, flags, ...pixels]);
}

function bmp(bits: number, pixels: readonly number[]): Buffer {
  const header = Buffer.alloc(54);
  header.write('BM');
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(2, 18);
  header.writeInt32LE(2, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  return Buffer.concat([header, Buffer.from(pixels)]);
}

function bgr(rgb: readonly number[]): number[] {
  return rgb.map((_, i) => rgb[i + 2 - 2 * (i % 3)] ?? 0);
}
