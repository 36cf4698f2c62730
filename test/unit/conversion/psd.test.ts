import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UnreadableImage } from '../../../lib/conversion/images/pixels.ts';
import { decodePsd } from '../../../lib/conversion/images/psd.ts';
import { psd, psdSection } from '../../support/models/index.ts';

const anySize = () => undefined;

/** Channels of two rows of two samples each. */
const red = [255, 0, 0, 255];
const green = [0, 255, 0, 255];
const blue = [0, 0, 255, 255];
/** What they are together. */
const rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

describe('a PSD', () => {
  describe.each([
    ['PSD', false],
    ['PSB', true],
  ] as const)('as %s', (_kind, isLarge) => {
    it.each([
      ['plain', 0, (rows: number[][]) => Buffer.from(rows.flat())],
      ['in runs', 1, (rows: number[][]) => runs(rows, isLarge)],
      ['zipped', 2, (rows: number[][]) => deflateSync(Buffer.from(rows.flat()))],
      ['zipped as differences', 3, (rows: number[][], depth: number) => deflateSync(differences(rows, depth))],
    ] as const)('has channels one after the other, of 8 or 16 bits: %s', (_how, compression, pack) => {
      for (const depth of [8, 16] as const) {
        const rows = rowsOf([red, green, blue], depth);
        const data = pack(rows, depth);
        const pixels = decodePsd(psd({ channels: 3, depth, compression, isLarge, data }), anySize);
        expect(pixels).toMatchObject({ width: 2, height: 2, channels: 3, isCutOff: false });
        expect([...pixels.data]).toEqual(rgb);
      }
    });
  });

  it.each([
    ['grey', { mode: 1, channels: 1, data: [1, 2, 3, 4] }, [1, 2, 3, 4]],
    ['of two inks', { mode: 8, channels: 1, data: [1, 2, 3, 4] }, [1, 2, 3, 4]],
    ['black and white', { mode: 0, depth: 1, channels: 1, data: [0x80, 0x40] }, [0, 255, 255, 0]],
    [
      'indexed',
      {
        mode: 2,
        channels: 1,
        palette: palette([
          [10, 20, 30],
          [40, 50, 60],
        ]),
        data: [0, 1, 1, 0],
      },
      [10, 20, 30, 40, 50, 60, 40, 50, 60, 10, 20, 30],
    ],
    [
      'CMYK',
      { mode: 4, channels: 4, data: [[255, 0, 255, 255], green, blue, [255, 255, 255, 128]].flat() },
      [255, 0, 0, 0, 255, 0, 255, 0, 255, 128, 128, 128],
    ],
  ] as const)('may be %s', (_name, { data, ...options }, expected) => {
    expect([...decodePsd(psd({ ...options, data: Buffer.from(data) }), anySize).data]).toEqual(expected);
  });

  it('has opacity where it says so, and is not white below it', () => {
    // Half of red on white paper.
    const data = Buffer.from([255, 0, 0, 255, 127, 255, 0, 255, 127, 0, 255, 255, 128, 255, 255, 0]);
    const { channels, data: pixels } = decodePsd(psd({ channels: 4, layers: -1, data }), anySize);
    expect(channels).toBe(4);
    expect([...pixels]).toEqual([255, 0, 0, 128, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 0]);
  });

  it.each(['Mtrn', 'Mt16'])('of layers with more bits may say so elsewhere: %s', (key) => {
    const none = psdSection(Buffer.alloc(0));
    const other = [Buffer.from('8BIMPatt'), psdSection(Buffer.alloc(5)), Buffer.alloc(3)];
    const layers = Buffer.concat([none, none, ...other, Buffer.from(`8BIM${key}`), none, Buffer.alloc(4)]);
    const data = Buffer.from([red, green, blue, [9, 9, 9, 9]].flat());
    expect(decodePsd(psd({ channels: 4, layers, data }), anySize).channels).toBe(4);
  });

  it('that has selections, but no opacity, is opaque', () => {
    const data = Buffer.from([red, green, blue, [1, 2, 3, 4]].flat());
    for (const layers of [0, 2]) {
      const pixels = decodePsd(psd({ channels: 4, layers, data }), anySize);
      expect([...pixels.data]).toEqual(rgb);
    }
  });

  it('that ends early is shown as far as it goes', () => {
    const pixels = decodePsd(psd({ channels: 3, data: Buffer.from([...red, ...green, 0, 0]) }), anySize);
    expect(pixels.isCutOff).toBe(true);
    expect([...pixels.data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 0]);
  });

  it.each([
    ['Maximize Compatibility', { channels: 3, resources: versionInfo(0), data: Buffer.alloc(12) }],
    ['Lab', { mode: 9, channels: 3, data: Buffer.alloc(12) }],
    ['multichannel', { mode: 7, channels: 3, data: Buffer.alloc(12) }],
    ['32 bits', { depth: 32, channels: 3, data: Buffer.alloc(48) }],
    ['lacks some of its colours', { channels: 2, data: Buffer.alloc(12) }],
    ['without pixels', { channels: 3, width: 0, data: Buffer.alloc(12) }],
    ['(9)', { channels: 3, compression: 9, data: Buffer.alloc(12) }],
    ['cannot be unpacked', { channels: 3, compression: 2, data: Buffer.alloc(12, 7) }],
    ['cannot be unpacked', { channels: 3, compression: 2, data: deflateSync(Buffer.alloc(100_000)) }],
    ['ends before', { channels: 3, data: Buffer.alloc(1) }],
    ['ends before', { channels: 3, compression: 1, data: Buffer.alloc(12) }],
  ] as const)('that cannot be read is told of: %s', (why, options) => {
    expect(() => decodePsd(psd(options), anySize)).toThrow(UnreadableImage);
    expect(() => decodePsd(psd(options), anySize)).toThrow(why);
  });

  it('that has a picture of its layers says so', () => {
    const data = Buffer.from([red, green, blue].flat());
    expect([...decodePsd(psd({ channels: 3, resources: versionInfo(1), data }), anySize).data]).toEqual(rgb);
  });

  it.each([26, 30, 34, 38])('whose header is cut off after %i bytes is told of', (length) => {
    const bytes = psd({ channels: 3, data: Buffer.alloc(12) }).subarray(0, length);
    expect(() => decodePsd(bytes, anySize)).toThrow('ends before');
  });
});

/** The rows of each channel, as they are stored. */
function rowsOf(channels: readonly (readonly number[])[], depth: 8 | 16): number[][] {
  return channels.flatMap((samples) =>
    [samples.slice(0, 2), samples.slice(2)].map((row) =>
      row.flatMap((sample) => (depth === 8 ? [sample] : [sample, sample])),
    ),
  );
}

/** PackBits: one run of the first byte, nothing, and the others as they are. */
function runs(rows: readonly (readonly number[])[], isLarge: boolean): Buffer {
  const packed = rows.map(([first = 0, ...others]) => {
    const same = others.findIndex((value) => value !== first);
    const count = 1 + (same < 0 ? others.length : same);
    const left = others.slice(count - 1);
    return [
      ...(count > 1 ? [257 - count, first] : [0, first]),
      128,
      ...(left.length > 0 ? [left.length - 1, ...left] : []),
    ];
  });
  const lengths = Buffer.alloc(packed.length * (isLarge ? 4 : 2));
  for (const [i, { length }] of packed.entries()) {
    if (isLarge) lengths.writeUInt32BE(length, 4 * i);
    else lengths.writeUInt16BE(length, 2 * i);
  }
  return Buffer.concat([lengths, Buffer.from(packed.flat())]);
}

function differences(rows: readonly (readonly number[])[], depth: number): Buffer {
  const stored = rows.map((row) => {
    const bytes = Buffer.from(row);
    const step = depth / 8;
    for (let at = bytes.length - step; at >= step; at -= step) {
      if (step === 1) bytes.writeUInt8((bytes.readUInt8(at) - bytes.readUInt8(at - 1)) & 0xff, at);
      else bytes.writeUInt16BE((bytes.readUInt16BE(at) - bytes.readUInt16BE(at - 2)) & 0xffff, at);
    }
    return bytes;
  });
  return Buffer.concat(stored);
}

function palette(colours: readonly (readonly [number, number, number])[]): Buffer {
  const planes = Buffer.alloc(768);
  for (const [i, colour] of colours.entries()) {
    for (const [channel, value] of colour.entries()) planes.writeUInt8(value, 256 * channel + i);
  }
  return planes;
}

/** The image resource that says whether there is a picture of all layers, after another with a name. */
function versionInfo(hasPicture: 0 | 1): Buffer {
  const other = Buffer.concat([
    Buffer.from('8BIM\x03\xed\x03abc', 'latin1'),
    psdSection(Buffer.alloc(3)),
    Buffer.alloc(1),
  ]);
  const info = psdSection(Buffer.from([0, 0, 0, 1, hasPicture]));
  return Buffer.concat([other, Buffer.from('8BIM\x04\x21\0\0', 'latin1'), info, Buffer.alloc(1)]);
}
