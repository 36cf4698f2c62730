import { describe, expect, it } from 'vitest';
import { decodeDds } from '../../../lib/conversion/images/dds.ts';
import { UnreadableImage } from '../../../lib/conversion/images/pixels.ts';
import { dds } from '../../support/models/index.ts';

const anySize = () => undefined;

/** Red and blue with what lies between them, a row of each. */
const rows = [0x00, 0x55, 0xaa, 0xff];
const redAndBlue = [0x00, 0xf8, 0x1f, 0x00, ...rows];
const blueAndRed = [0x1f, 0x00, 0x00, 0xf8, ...rows];
/** Pixels by the numbers of eight levels, from the first to the last and again. */
const levels = [0x88, 0xc6, 0xfa, 0x88, 0xc6, 0xfa];

/** One block of every mode with random content, and what Pillow and texture2ddecoder make of it. */
const bc7Blocks = [
  [
    'f1c2becf931aed15f5d3ef2d059d9f3c',
    '66dcedff189cadff32b1c2ff32b1c2ff3ebcccff59d2e2ff73e7f7ff59d2e2ff' +
      'a9889aff805f91ffffdeadffffdeadffa579c6ffa579c6ff7b6b9cffde8cffff',
  ],
  [
    'daec6d2ec75220cd240786de39920895',
    'b71e37ff9b16cbff8c18afffdd2c4cffd12845ffc4233eff3d2022ff8c18afff' +
      '7c1994ffbd213bffbd213bff5c1d59ff9b16cbff7c1994ffd12845ffca2542ff',
  ],
  [
    '740f160a90d0181807290b553b68e16e',
    '672847ff520084ff390842ff1063b5ff162e63ff162e63ff0b235aff162e63ff' +
      '001852ff001852ff21396bff0b235affc66b52ff2643a5ffc66b52ff1063b5ff',
  ],
  [
    '28c9089f1a1ba37a2129c94346a6e428',
    '46a26fff65d991ff27674aff65d991ff083028ff65d991ff46a26fff46a26fff' +
      '3e5492ff46a26fff27674aff083028ff3e5492ff5c5b3aff5c5b3aff65d991ff',
  ],
  [
    '50b300b1893f0dbcff405e08089c191d',
    '76b2a00576b2a0059ce3de009c96de004ffb5f0b29fb211076caa00529fb2110' +
      '2996211029b22110296521107696a0059ce3de009ccade004f4d5f0b9cfbde00',
  ],
  [
    '6092be73db872764ed7f48e3a8154984',
    '09a6f26b3fa6f26b3fb7e1fb3fb7e1fb23b7e1fb23b7e1fb23b7e1fb099dfb24' +
      '239dfb243fa6f26b09aeeab423aeeab409a6f26b239dfb2409b7e1fb3fa6f26b',
  ],
  [
    '40998c6b50a33d6e2fe594aa616e3896',
    '6468d38764a0d4536480d3716518d1d3648bd3676552d29c6545d2a86545d2a8' +
      '64add4466473d37d6518d1d36473d37d655dd2926495d35d6473d37d6552d29c',
  ],
  [
    '80c13e2ceeefe2bc0ecdb9c149eecdf4',
    'dfdf9e9eaaeaa99e71f5b49e657575df3cffbe9eaaeaa99e3cffbe9e8a8a4100' +
      '71f5b49eaaeaa99e71f5b49e717c649671f5b49e71f5b49e3cffbe9e717c6496',
  ],
] as const;

describe('a DDS', () => {
  it.each(['DXT1', 71] as const)('in BC1 (%s) has two colours and two between them', (format) => {
    const rgba = firstOfEachRow(pixelsOf({ format, data: Buffer.from(redAndBlue) }));
    expect(rgba).toEqual([
      [255, 0, 0, 255],
      [0, 0, 255, 255],
      [170, 0, 85, 255],
      [85, 0, 170, 255],
    ]);
  });

  it('in BC1 with the smaller colour first has one between them, and holes', () => {
    expect(firstOfEachRow(pixelsOf({ format: 'DXT1', data: Buffer.from(blueAndRed) }))).toEqual([
      [0, 0, 255, 255],
      [255, 0, 0, 255],
      [127, 0, 127, 255],
      [0, 0, 0, 0],
    ]);
  });

  it('in BC2 has opacity in four bits, and never holes', () => {
    const alpha = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe];
    const { data } = pixelsOf({ format: 'DXT3', data: Buffer.from([...alpha, ...blueAndRed]) });
    expect(every(data, 4, 3)).toEqual(Array.from({ length: 16 }, (_, i) => 17 * i));
    expect([...data.subarray(48, 51)]).toEqual([170, 0, 85]);
  });

  it('in BC3 has opacity in eight levels', () => {
    const { data } = pixelsOf({ format: 'DXT5', data: Buffer.from([255, 0, ...levels, ...redAndBlue]) });
    const expected = [255, 0, 219, 182, 146, 109, 73, 36];
    expect(every(data, 4, 3)).toEqual([...expected, ...expected]);
  });

  it('in BC4 is grey, and may have the least and the most there is', () => {
    const pixels = pixelsOf({ format: 'ATI1', data: Buffer.from([50, 100, ...levels]) });
    expect(pixels.channels).toBe(1);
    expect([...pixels.data.subarray(0, 8)]).toEqual([50, 100, 60, 70, 80, 90, 0, 255]);
  });

  it.each([
    ['ATI2', [255, 255, 128, 128], [255, 128, 128]],
    [84, [127, 127, 0, 0], [255, 128, 127]],
    [83, [128, 128, 128, 128], [128, 128, 255]],
  ] as const)('in BC5 (%s) holds directions, of which the third part follows', (format, [r, s, g, t], expected) => {
    const zero = [0, 0, 0, 0, 0, 0];
    const pixels = pixelsOf({ format, data: Buffer.from([r, s, ...zero, g, t, ...zero]) });
    expect(pixels.channels).toBe(3);
    for (const [i, value] of expected.entries()) expect(Math.abs((pixels.data[i] ?? 0) - value)).toBeLessThan(13);
  });

  it.each(bc7Blocks)('in BC7 is as others have it: %s', (block, expected) => {
    const { data } = pixelsOf({ format: 98, data: Buffer.from(block, 'hex') });
    expect(Buffer.from(data).toString('hex')).toBe(expected);
  });

  it('in BC7 of a mode that is none is empty', () => {
    expect(pixelsOf({ format: 98, data: Buffer.alloc(16) }).data.every((value) => value === 0)).toBe(true);
  });

  it('whose colours were multiplied with their opacity has them as they were', () => {
    const half = [128, 128, 0, 0, 0, 0, 0, 0];
    // Dark red: half of red.
    const { data } = pixelsOf({ format: 'DXT4', data: Buffer.from([...half, 0x00, 0x80, 0x00, 0x80, 0, 0, 0, 0]) });
    expect([...data.subarray(0, 4)]).toEqual([255, 0, 0, 128]);
  });

  it('of games has red, or the first part of directions, in place of opacity', () => {
    const data = Buffer.from([200, 200, 0, 0, 0, 0, 0, 0, 0xe0, 0x07, 0xe0, 0x07, 0, 0, 0, 0]);
    expect([...pixelsOf({ format: 'RXGB', data }).data.subarray(0, 3)]).toEqual([200, 255, 0]);
    const directions = dds({ format: 'DXT5', data });
    directions.write('A2D5', 88);
    expect([...decodeDds(directions, anySize).data.subarray(0, 3)]).toEqual([200, 255, 128]);
  });

  it.each([
    ['RGB', { flags: 0x40, bits: 24, masks: [0xff0000, 0xff00, 0xff, 0] }, [3, 2, 1], [1, 2, 3]],
    ['BGR', { flags: 0x40, bits: 24, masks: [0xff, 0xff00, 0xff0000, 0] }, [3, 2, 1], [3, 2, 1]],
    ['RGBA', { flags: 0x41, bits: 32, masks: [0xff0000, 0xff00, 0xff, 0xff000000] }, [3, 2, 1, 4], [1, 2, 3, 4]],
    ['RGBX', { flags: 0x40, bits: 32, masks: [0xff0000, 0xff00, 0xff, 0xff000000] }, [3, 2, 1, 4], [1, 2, 3]],
    ['RGB 5:6:5', { flags: 0x40, bits: 16, masks: [0xf800, 0x7e0, 0x1f, 0] }, [0x1f, 0xf8], [255, 0, 255]],
    ['RGBA 4:4:4:4', { flags: 0x41, bits: 16, masks: [0xf00, 0xf0, 0xf, 0xf000] }, [0x21, 0x8f], [255, 34, 17, 136]],
    ['luminance', { flags: 0x20000, bits: 8, masks: [0xff, 0, 0, 0] }, [77], [77]],
    ['luminance of 16 bits', { flags: 0x20000, bits: 16, masks: [0xffff, 0, 0, 0] }, [0, 77], [77]],
    ['luminance with opacity', { flags: 0x20001, bits: 16, masks: [0xff, 0, 0, 0xff00] }, [77, 88], [77, 88]],
    ['opacity', { flags: 0x2, bits: 8, masks: [0, 0, 0, 0xff] }, [88], [88]],
    ['DXGI R8G8B8A8', 28, [1, 2, 3, 4], [1, 2, 3, 4]],
    ['DXGI B8G8R8X8', 88, [1, 2, 3, 4], [3, 2, 1]],
    ['DXGI R10G10B10A2', 24, [0xff, 0x03, 0x00, 0xc0], [255, 0, 0, 255]],
  ] as const)('may be plain: %s', (_name, format, pixel, expected) => {
    const { data } = decodeDds(dds({ width: 1, height: 1, format, data: Buffer.from(pixel) }), anySize);
    expect([...data]).toEqual(expected);
  });

  it.each([
    [1, 1],
    [1, 9],
    [6, 3],
  ])('may have sides of %i and %i that are no whole blocks', (width, height) => {
    const blocks = Math.ceil(width / 4) * Math.ceil(height / 4);
    const data = Buffer.concat(Array.from({ length: blocks }, () => Buffer.from(redAndBlue)));
    const pixels = decodeDds(dds({ width, height, format: 'DXT1', data }), anySize);
    expect(pixels).toMatchObject({ width, height, isCutOff: false });
    const byRow = [
      [255, 0, 0, 255],
      [0, 0, 255, 255],
      [170, 0, 85, 255],
      [85, 0, 170, 255],
    ];
    expect([...pixels.data]).toEqual(
      Array.from({ length: height }, (_, y) => Array.from({ length: width }, () => byRow[y % 4] ?? [])).flat(2),
    );
  });

  it('that ends early is shown as far as it goes', () => {
    const pixels = decodeDds(dds({ height: 8, format: 'DXT1', data: Buffer.from(redAndBlue) }), anySize);
    expect(pixels.isCutOff).toBe(true);
    expect(pixels.data[0]).toBe(255);
    expect(pixels.data.at(-1)).toBe(0);
  });

  const data = Buffer.alloc(64);
  it.each([
    ['cube map', { format: 'DXT1', caps: 0x200, data }],
    ['cube map', { format: 71, newer: [3, 4, 1], data }],
    ['volume', { format: 'DXT1', caps: 0x200000, data }],
    ['volume', { format: 71, newer: [4, 0, 1], data }],
    ['array', { format: 71, newer: [3, 0, 2], data }],
    ['BC6H', { format: 95, data }],
    ['floats of 16 bits', { format: 10, data }],
    ['DXGI format 200', { format: 200, data }],
    ['YUY2', { format: 'YUY2', data }],
    ['113 of Direct3D 9', { format: 'q\0\0\0', data }],
    ['48 bits', { format: { flags: 0x40, bits: 48, masks: [1, 2, 4, 0] }, data }],
    ['neither colours nor grey', { format: { flags: 0x80000, bits: 16, masks: [255, 255, 0, 0] }, data }],
    ['without pixels', { format: 'DXT1', width: 0, data }],
    ['ends before', { format: 'DXT1', data: Buffer.alloc(7) }],
    ['ends before', { format: 98, data: Buffer.alloc(0) }],
  ] as const)('that is none is told of: %s', (why, options) => {
    expect(() => decodeDds(dds(options), anySize)).toThrow(UnreadableImage);
    expect(() => decodeDds(dds(options), anySize)).toThrow(why);
  });
});

function pixelsOf(options: Parameters<typeof dds>[0]) {
  const pixels = decodeDds(dds(options), anySize);
  expect(pixels).toMatchObject({ width: 4, height: 4, isCutOff: false });
  return pixels;
}

function firstOfEachRow({ data }: { readonly data: Uint8Array }): number[][] {
  return [0, 1, 2, 3].map((row) => [...data.subarray(16 * row, 16 * row + 4)]);
}

function every(data: Uint8Array, step: number, from: number): number[] {
  return [...data].filter((_, i) => i % step === from);
}
