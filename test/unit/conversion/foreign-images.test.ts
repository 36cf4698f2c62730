import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGltfImage } from '../../../lib/conversion/images/gltf-image.ts';
import { loadSharp } from '../../../lib/conversion/textures/sharp-images.ts';
import { bmp, dds, limits, psd, tga } from '../../support/models/index.ts';

/** Two pixels beside each other, two below them: red, green, blue and white. */
const upper = [255, 0, 0, 0, 255, 0];
const lower = [0, 0, 255, 255, 255, 255];
const all = [...upper, ...lower];
/** Blue, green and red of the same, and what others add. */
const colours = [0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255];
const colours4 = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0];
const fromBelow = [...colours.slice(6), ...colours.slice(0, 6)];
const fields565 = [0xf800, 0x7e0, 0x1f];

describe('a TGA', () => {
  it.each([
    ['from below', { kind: 2, bits: 24, data: fromBelow }],
    ['from above', { kind: 2, bits: 24, flags: 0x20, data: colours }],
    ['from the right', { kind: 2, bits: 24, flags: 0x30, data: [0, 255, 0, 0, 0, 255, 255, 255, 255, 255, 0, 0] }],
    [
      'in runs',
      { kind: 10, bits: 24, flags: 0x20, data: [1, ...colours.slice(0, 6), 0, 255, 0, 0, 0x80, 255, 255, 255] },
    ],
    ['of 16 bits', { kind: 2, bits: 16, flags: 0x20, data: [0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00, 0xff, 0x7f] }],
    ['mapped', { kind: 1, bits: 8, flags: 0x20, map: { first: 3, bits: 24, colours }, data: [3, 4, 5, 6] }],
    [
      'mapped in runs, from 32 bits',
      {
        kind: 9,
        bits: 8,
        flags: 0x20,
        map: { first: 0, bits: 32, colours: colours4 },
        data: [3, 0, 1, 2, 3],
      },
    ],
    ['with a map that it does not use', { kind: 2, bits: 24, map: { first: 0, bits: 24, colours }, data: fromBelow }],
    ['with room for opacity, and none', { kind: 2, bits: 32, flags: 0x28, data: colours4 }],
  ] as const)('is the same as a PNG: %s', async (_what, options) => {
    expect(await pixelsOf(tga(options))).toEqual(all);
  });

  it.each([
    ['', { kind: 3, bits: 8, flags: 0x20, data: [1, 2, 3, 4] }],
    [' in runs', { kind: 11, bits: 8, flags: 0x20, data: [3, 1, 2, 3, 4] }],
  ] as const)('may be grey%s', async (_how, options) => {
    expect(await pixelsOf(tga(options))).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });

  it.each([
    ['as it says', { kind: 2, bits: 32, flags: 0x28 }],
    ['though it forgets to say so', { kind: 2, bits: 32, flags: 0x20 }],
  ] as const)('may have opacity, %s', async (_how, options) => {
    const data = [0, 0, 255, 7, 0, 0, 255, 8, 0, 0, 255, 9, 0, 0, 255, 10];
    expect(await alphaOf(tga({ ...options, data }))).toEqual([7, 8, 9, 10]);
  });

  it('that has room for opacity, and none, is opaque', async () => {
    const sharp = await loadSharp();
    for (const alpha of [0, 255]) {
      const data = colours4.map((value, i) => (i % 4 === 3 ? alpha : value));
      const { image } = await imageOf(tga({ kind: 2, bits: 32, flags: 0x28, data }));
      expect((await sharp(image).metadata()).hasAlpha).toBe(false);
    }
  });

  it('that is grey may have opacity', async () => {
    expect(await alphaOf(tga({ kind: 3, bits: 16, flags: 0x28, data: [1, 7, 2, 8, 3, 9, 4, 10] }))).toEqual([
      7, 8, 9, 10,
    ]);
  });

  it('that ends early is shown as far as it goes', async () => {
    const made = await imageOf(tga({ kind: 2, bits: 24, flags: 0x20, data: colours.slice(0, 9) }));
    expect(made.isCutOff).toBe(true);
    expect(await rgbOf(made.image)).toEqual([...upper, 0, 0, 255, 0, 0, 0]);
  });
});

describe('a BMP', () => {
  const palette = colours4;
  const rows = (row: readonly number[], other: readonly number[]) => [...row, ...other];
  it.each([
    ['of 24 bits', { bits: 24, data: rows([255, 0, 0, 255, 255, 255, 0, 0], [0, 0, 255, 0, 255, 0, 0, 0]) }],
    [
      'from above',
      { bits: 24, height: -2, data: rows([0, 0, 255, 0, 255, 0, 0, 0], [255, 0, 0, 255, 255, 255, 0, 0]) },
    ],
    ['of 32 bits', { bits: 32, height: -2, data: colours4 }],
    ['of 16 bits', { bits: 16, height: -2, data: [0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00, 0xff, 0x7f] }],
    [
      'of 16 bits with fields',
      {
        bits: 16,
        height: -2,
        compression: 3,
        masks: fields565,
        data: [0x00, 0xf8, 0xe0, 0x07, 0x1f, 0x00, 0xff, 0xff],
      },
    ],
    [
      'of 32 bits with fields in a long header',
      {
        bits: 32,
        height: -2,
        compression: 3,
        headerBytes: 108,
        masks: [0xff, 0xff00, 0xff0000, 0],
        data: [255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 255, 255, 255, 0],
      },
    ],
    ['of 8 bits', { bits: 8, palette, data: rows([2, 3, 0, 0], [0, 1, 0, 0]) }],
    ['of 4 bits', { bits: 4, palette, data: rows([0x23, 0, 0, 0], [0x01, 0, 0, 0]) }],
    ["of OS/2's kind", { bits: 8, headerBytes: 12, palette: colours, data: rows([2, 3, 0, 0], [0, 1, 0, 0]) }],
    ['in runs', { bits: 8, compression: 1, palette, data: [1, 2, 1, 3, 0, 0, 0, 3, 0, 1, 1, 0, 0, 1] }],
    [
      'in runs that move on',
      { bits: 8, compression: 1, palette, data: [1, 2, 1, 3, 0, 2, 0xff, 1, 0, 1] },
      [2, 0, 0, 0],
    ],
    ['in runs of 4 bits', { bits: 4, compression: 2, palette, data: [2, 0x23, 0, 0, 2, 0x01, 0, 1] }],
  ] as const)('is the same as a PNG: %s', async (_what, options, moved?: readonly number[]) => {
    // What is passed over has the first colour of the palette.
    const expected = moved === undefined ? all : [255, 0, 0, 255, 0, 0, ...lower];
    expect(await pixelsOf(bmp(options))).toEqual(expected);
  });

  it('of one bit has two colours', async () => {
    const image = bmp({ bits: 1, palette: [1, 2, 3, 0, 4, 5, 6, 0], data: [0x80, 0, 0, 0, 0x40, 0, 0, 0] });
    expect(await pixelsOf(image)).toEqual([3, 2, 1, 6, 5, 4, 6, 5, 4, 3, 2, 1]);
  });

  it('may have opacity where it says so', async () => {
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    const data = [0, 0, 255, 7, 0, 0, 255, 8, 0, 0, 255, 9, 0, 0, 255, 10];
    const options = { bits: 32, height: -2, compression: 3, headerBytes: 56, masks, data };
    expect(await alphaOf(bmp(options))).toEqual([7, 8, 9, 10]);
  });

  it('that ends early is shown as far as it goes', async () => {
    const made = await imageOf(bmp({ bits: 24, data: [255, 0, 0, 255, 255, 255, 0, 0] }));
    expect(made.isCutOff).toBe(true);
    expect(await rgbOf(made.image)).toEqual([0, 0, 0, 0, 0, 0, ...lower]);
  });
});

describe('an image of another format', () => {
  it.each([
    [
      'DDS',
      dds({
        format: { flags: 0x40, bits: 24, masks: [0xff0000, 0xff00, 0xff, 0] },
        width: 2,
        height: 2,
        data: Buffer.from(colours),
      }),
    ],
    ['PSD', psd({ channels: 3, data: Buffer.from([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]) })],
  ])('is the same as a PNG: %s', async (_name, bytes) => {
    expect(await pixelsOf(bytes)).toEqual(all);
  });

  it.each(['gif', 'tiff'] as const)('is converted by the library of images: %s', async (format) => {
    const sharp = await loadSharp();
    const bytes = await sharp(Buffer.from(all), { raw: { width: 2, height: 2, channels: 3 } })
      .toFormat(format, format === 'tiff' ? { compression: 'none' } : {})
      .toBuffer();
    expect(await pixelsOf(bytes)).toEqual(all);
  });

  it.each(['avif', 'webp'] as const)('is left as it is where glTF has it: %s', async (format) => {
    const sharp = await loadSharp();
    const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .toFormat(format)
      .toBuffer();
    expect(await imageOf(bytes)).toMatchObject({ mimeType: `image/${format}`, image: new Uint8Array(bytes) });
  });

  it('that moves is its first picture', async () => {
    const sharp = await loadSharp();
    const frames = Buffer.concat([Buffer.alloc(12, 200), Buffer.alloc(12, 0)]);
    const bytes = await sharp(frames, { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } })
      .gif()
      .toBuffer();
    expect(await pixelsOf(bytes)).toEqual(Array.from({ length: 12 }, () => 200));
  });

  it.each([
    ['OpenEXR', 'v/1\x01\x02'],
    ['Radiance', '#?RADIANCE\n'],
    ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['HEIC', '\0\0\0\x18ftypheic'],
    ['icon', '\0\0\x01\0\x01\0\x10\x10'],
    ['SVG', '<?xml version="1.0"?><svg/>'],
    ['SVG', '\xef\xbb\xbf <svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['KTX of version 1', '\xabKTX 11\xbb\r\n'],
    ['GIMP', 'gimp xcf v011'],
    ['PCX', '\x0a\x05\x01\x08'],
    ['PNM', 'P6\n2 2\n255\n'],
    ['SGI', '\x01\xda\x01\x01'],
    ['IFF', 'FORM\0\0\0\0ILBM'],
    ['BMP of 8 bits', bmp({ bits: 8, compression: 4, data: [0] }).toString('latin1')],
    ['DDS cube map', dds({ format: 'DXT1', caps: 0x200, data: Buffer.alloc(8) }).toString('latin1')],
    ['no image of a kind that is known', 'hello'],
    ['empty', ''],
  ])('that is not read is told of by its name: %s', async (name, content) => {
    const made = await toGltfImage(Buffer.from(content, 'latin1'), limits);
    expect(made).toEqual({ unreadable: expect.stringContaining(name) });
  });

  it('that is an SVG does not even reach the library of images', async () => {
    const sharp = await loadSharp();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>');
    await expect(sharp(svg).png().toBuffer()).rejects.toThrow('unsupported');
  });

  it('of fractions is told of', async () => {
    const sharp = await loadSharp();
    const bytes = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .toColourspace('scrgb')
      .tiff({ compression: 'none' })
      .toBuffer();
    expect(await toGltfImage(bytes, limits)).toEqual({ unreadable: expect.stringContaining('TIFF of numbers') });
  });

  it.each([
    ['PNG', async () => await wide('png')],
    ['JPEG', async () => await wide('jpeg')],
    ['GIF', async () => await wide('gif')],
    ['TIFF', async () => await wide('tiff')],
    ['DDS', async () => dds({ width: 20_000, height: 20_000, format: 'DXT1', data: Buffer.alloc(8) })],
    ['PSD', async () => psd({ width: 20_000, height: 20_000, channels: 3, data: Buffer.alloc(8) })],
    ['BMP', async () => bmp({ width: 20_000, height: 20_000, bits: 24, data: [0] })],
    ['TGA', async () => tga({ width: 20_000, height: 20_000, kind: 2, bits: 24, data: [] })],
  ])('is refused for too many pixels, before they are read: %s', async (_name, make) => {
    const few = { ...limits, texturePixels: 10_000 };
    await expect(toGltfImage(await make(), few)).rejects.toMatchObject({ code: 'limit', limit: 'texturePixels' });
  });

  it('is none, or too large, or read: whatever bytes it has', async () => {
    const few = { ...limits, texturePixels: 10_000 };
    const begins = [
      Buffer.from('GIF89a'),
      Buffer.from('II*\0'),
      Buffer.alloc(0),
      tga({ kind: 10, bits: 24, data: [] }),
      tga({ kind: 9, bits: 8, map: { first: 0, bits: 24, colours }, data: [] }),
      bmp({ bits: 8, compression: 1, data: [] }),
      bmp({ bits: 24, data: [] }),
      dds({ width: 50, height: 50, format: 98, data: Buffer.alloc(0) }),
      dds({ width: 50, height: 50, format: 'DXT5', data: Buffer.alloc(0) }),
      psd({ width: 50, height: 50, channels: 4, compression: 1, layers: -1, data: Buffer.alloc(0) }),
      psd({ width: 50, height: 50, channels: 4, compression: 3, data: Buffer.alloc(0) }),
    ];
    for (const begin of begins) {
      const more = fc.uint8Array({ maxLength: 300 });
      const change = fc.option(fc.tuple(fc.nat(Math.max(0, begin.length - 1)), fc.nat(255)));
      await fc.assert(
        fc.asyncProperty(more, change, async (bytes, changed) => {
          const image = Buffer.concat([begin, bytes]);
          if (changed !== null && begin.length > 0) image[changed[0]] = changed[1];
          const made = await toGltfImage(image, few).catch((error: unknown) => error);
          if (made instanceof Error) expect(made).toMatchObject({ code: 'limit' });
          else expect(made).toSatisfy((read: object) => 'unreadable' in read || 'image' in read);
        }),
        { numRuns: 60 },
      );
    }
  });
});

async function wide(format: 'gif' | 'tiff' | 'png' | 'jpeg'): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return await sharp({ create: { width: 200, height: 200, channels: 3, background: 'red' } })
    .toFormat(format)
    .toBuffer();
}

async function imageOf(bytes: Uint8Array) {
  const made = await toGltfImage(bytes, limits);
  if ('unreadable' in made) expect.fail(made.unreadable);
  return made;
}

async function pixelsOf(bytes: Uint8Array): Promise<number[]> {
  const made = await imageOf(bytes);
  expect(made).toMatchObject({ mimeType: 'image/png', isCutOff: false });
  return await rgbOf(made.image);
}

async function rgbOf(image: Uint8Array): Promise<number[]> {
  const sharp = await loadSharp();
  return [...(await sharp(image).removeAlpha().toColourspace('srgb').raw().toBuffer())];
}

async function alphaOf(bytes: Uint8Array): Promise<number[]> {
  const sharp = await loadSharp();
  return [
    ...(await sharp((await imageOf(bytes)).image)
      .extractChannel('alpha')
      .raw()
      .toBuffer()),
  ];
}
