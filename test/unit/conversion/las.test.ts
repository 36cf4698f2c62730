import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assetOf, errorOf } from './convert-model.ts';
import { importModel, refusalOf, refusesEveryTruncation, survivesChangedBytes } from './import-model.ts';

interface Point {
  readonly at: readonly [number, number, number];
  readonly intensity?: number;
  readonly color?: readonly [number, number, number];
}

/** Bytes of the point formats 0 to 10, and where colours are in them: LAS 1.4 R15, 2.6. */
const recordBytes = [20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67];
const colorAt = [0, 0, 20, 28, 0, 28, 0, 30, 30, 0, 30];

describe.each(recordBytes.map((_, format) => format))('a LAS file with points of format %i', (format) => {
  const version = format > 5 ? 4 : 2;

  test('has its points where scale and offset put them', async () => {
    const content = las([{ at: [0, 0, 0] }, { at: [1000, -2000, 3] }], { format, version });
    const { format: told, formatVersion, generator, parts } = await importModel(content);
    expect([told, formatVersion, generator]).toEqual(['las', `1.${version}`, 'test scanner']);
    expect(parts[0]?.mode).toBe(0);
    for (const [i, value] of [500_000, 5_400_000, 100, 500_001, 5_399_998, 100.003].entries()) {
      expect(parts[0]?.positions[i]).toBeCloseTo(value, 5);
    }
  });

  test('has its colours, or its intensities where it has none', async () => {
    const white = 65_535;
    const content = las(
      [
        { at: [0, 0, 0], color: [white, 32_896, 0], intensity: 100 },
        { at: [1, 0, 0], color: [0, 0, white], intensity: 4000 },
      ],
      { format, version },
    );
    const [part] = (await importModel(content)).parts;
    const hasColors = colorAt[format] !== 0;
    expect(part?.colors).toEqual(hasColors ? [255, 55, 0, 255, 0, 0, 255, 255] : [0, 0, 0, 255, 255, 255, 255, 255]);
  });
});

describe('a LAS file', () => {
  test('may have 8 bits where its format wants 16', async () => {
    const content = las(
      [
        { at: [0, 0, 0], color: [255, 128, 0] },
        { at: [1, 0, 0], color: [0, 0, 0] },
      ],
      { format: 2 },
    );
    expect((await importModel(content)).parts[0]?.colors?.slice(0, 4)).toEqual([255, 55, 0, 255]);
  });

  test('has intensities where its colours are all black, and no colours where these say nothing either', async () => {
    const grey = las(
      [
        { at: [0, 0, 0], intensity: 1 },
        { at: [1, 0, 0], intensity: 3 },
      ],
      { format: 2 },
    );
    expect((await importModel(grey)).parts[0]?.colors?.[4]).toBe(255);
    expect((await importModel(las([{ at: [0, 0, 0] }], { format: 2 }))).parts[0]?.colors).toBeUndefined();
  });

  test('may have more in its points than their format, and more before them', async () => {
    const points: Point[] = [{ at: [0, 0, 0] }, { at: [1000, 0, 0] }];
    const { parts } = await importModel(las(points, { format: 0, more: 5, before: 54 }));
    expect(parts[0]?.positions[3]).toBeCloseTo(500_001, 5);
  });

  test('of version 1.4 counts in 64 bits', async () => {
    const content = las([{ at: [0, 0, 0] }, { at: [1, 0, 0] }], { format: 6, version: 4 });
    content.writeUInt32LE(0, 107);
    expect((await importModel(content)).parts[0]?.positions).toHaveLength(6);
  });

  test('converts to a valid asset that keeps its place', async () => {
    const points = Array.from({ length: 100 }, (_, i): Point => ({ at: [i, i * 2, 0], color: [i * 600, 0, 0] }));
    const { outcome } = await assetOf({ 'scan.las': las(points, { format: 2 }) }, null);
    expect(outcome).toMatchObject({
      validation: { numErrors: 0 },
      info: {
        inputStatistics: { numFaces: 100 },
        outputStatistics: { boundingBox: { min: [500_000, 5_400_000, 100] } },
      },
    });
  });

  test.each([
    ['a version', (content: Buffer) => content.writeUInt8(5, 25), /of LAS 1\.5; 1\.0 to 1\.4 can be read/],
    ['a format', (content: Buffer) => content.writeUInt8(11, 104), /of format 11 \(byte 104\); 0 to 10/],
    ['a length', (content: Buffer) => content.writeUInt16LE(19, 105), /have 19 bytes \(byte 105\).*at least 26/],
    ['a count', (content: Buffer) => content.writeUInt32LE(4e9, 107), /4000000000 points.*: the file was cut off/],
    ['no points', (content: Buffer) => content.writeUInt32LE(0, 107), /no points/],
    ['a start', (content: Buffer) => content.writeUInt32LE(9, 96), /from byte 9 on/],
    [
      'a scale of zero',
      (content: Buffer) => content.writeDoubleLE(0, 131),
      /its scale \(0, 0.001, 0.001\).*place no point/,
    ],
    ['an offset', (content: Buffer) => content.writeDoubleLE(Number.NaN, 155), /offset \(NaN, .*place no point/],
    [
      'a scale',
      (content: Buffer) => content.writeDoubleLE(1e300, 131),
      /its scale \(1e\+300, 0.001, 0.001\).*place no point/,
    ],
  ])('is refused for %s that cannot be', async (_, change, why) => {
    const content = las([{ at: [0, 0, 0] }, { at: [1000, 0, 0] }], { format: 2 });
    change(content);
    expect(await refusalOf(content)).toMatch(why);
  });

  test('is held to limits before the work', async () => {
    const content = las([{ at: [0, 0, 0] }, { at: [1, 0, 0] }], { format: 0 });
    expect(await refusalOf(content, { vertices: 1 })).toMatch(/2 vertices; the limit \(vertices\) is 1/);
    expect(await refusalOf(content, { unpackedBytes: 40 })).toMatch(/limit \(unpackedBytes\) is 40/);
  });

  test('larger than what is read at once comes back whole', async () => {
    const points = Array.from({ length: 60_000 }, (_, i): Point => ({ at: [i, i % 10, 0] }));
    const [part] = (await importModel(las(points, { format: 0 }))).parts;
    expect(part?.positions).toHaveLength(180_000);
    for (const i of [40_000, 52_428, 59_999]) expect(part?.positions[3 * i]).toBeCloseTo(500_000 + i / 1000, 4);
  });

  test('any points come back within a step of their scale', async () => {
    const whole = fc.integer({ min: -1_000_000, max: 1_000_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(whole, whole, whole), { minLength: 1, maxLength: 30 }), async (all) => {
        const [part] = (
          await importModel(
            las(
              all.map((at) => ({ at })),
              { format: 1 },
            ),
          )
        ).parts;
        for (const [i, at] of all.entries()) {
          for (const [axis, origin] of [500_000, 5_400_000, 100].entries()) {
            expect(part?.positions[3 * i + axis]).toBeCloseTo(origin + (at[axis] ?? 0) / 1000, 3);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('is refused wherever it was cut off, and survives changed bytes', async () => {
    const content = las(
      [
        { at: [0, 0, 0], color: [1, 2, 3] },
        { at: [9, 9, 9], color: [999, 9, 9] },
      ],
      { format: 2 },
    );
    await refusesEveryTruncation(content);
    await survivesChangedBytes('scan.las', content);
  });
});

test('an E57 file is refused by its name with what to do', async () => {
  const error = await errorOf({ 'scan.e57': Buffer.concat([Buffer.from('ASTM-E57'), Buffer.alloc(100)]) });
  expect(error).toMatchObject({
    code: 'input_refused',
    message: expect.stringMatching(/E57.*Export it as LAS or PLY/),
  });
});

interface LasOptions {
  readonly format: number;
  readonly version?: number;
  /** Bytes behind those that the format has in a point. */
  readonly more?: number;
  /** Bytes between the header and the points. */
  readonly before?: number;
}

function las(points: readonly Point[], { format, version = 2, more = 0, before = 0 }: LasOptions): Buffer {
  const headerBytes = version === 4 ? 375 : 227;
  const length = (recordBytes[format] ?? 0) + more;
  const offset = headerBytes + before;
  const bytes = Buffer.alloc(offset + length * points.length);
  bytes.write('LASF', 'latin1');
  bytes.writeUInt8(1, 24);
  bytes.writeUInt8(version, 25);
  bytes.write('test scanner', 58, 'latin1');
  bytes.writeUInt16LE(headerBytes, 94);
  bytes.writeUInt32LE(offset, 96);
  bytes.writeUInt8(format, 104);
  bytes.writeUInt16LE(length, 105);
  bytes.writeUInt32LE(points.length, 107);
  if (version === 4) bytes.writeBigUInt64LE(BigInt(points.length), 247);
  for (const [i, value] of [0.001, 0.001, 0.001, 500_000, 5_400_000, 100].entries()) {
    bytes.writeDoubleLE(value, 131 + 8 * i);
  }
  for (const [i, { at, intensity = 0, color }] of points.entries()) {
    const start = offset + length * i;
    for (const [axis, value] of at.entries()) bytes.writeInt32LE(value, start + 4 * axis);
    bytes.writeUInt16LE(intensity, start + 12);
    const to = colorAt[format] ?? 0;
    if (to > 0) for (const [j, value] of (color ?? [0, 0, 0]).entries()) bytes.writeUInt16LE(value, start + to + 2 * j);
  }
  return bytes;
}
