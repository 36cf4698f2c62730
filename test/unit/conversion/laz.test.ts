import { describe, expect, test } from 'vitest';
import { assetOf } from './convert-model.ts';
import { importModel, refusalOf, refusesEveryTruncation, survivesChangedBytes } from './import-model.ts';

/**
 * Forty points in steps of a metre along x and of minus two along y from (500,000, 5,400,000, 100) on, z 0 to 6 mm in turn; every second one has
 * all of its red, green rises by 1,000. Made with laspy and lazrs: there is nothing for Node that packs.
 */
const packed = {
  'format 3, version 1.2':
    'TEFTRgAAAAAAAAAAAAAAAAAAAAAAAAAAAQIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHRlc3Qgc2Nhbm5lcgAAAAAAAAAAAAAAAAAAAAAAAAAATgHqB+MATQEAAAEAAACDIgAoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD8qfHSTWJQP/yp8dJNYlA//Knx0k1iUD8AAAAAgIQeQQAAAABwmVRBAAAAAAAAWUAAAAAAHIUeQQAAAACAhB5BAAAAAHCZVEEAAACAXJlUQarx0k1iAFlAAAAAAAAAWUAAAGxhc3ppcCBlbmNvZGVkAAC8VjQAaHR0cDovL2xhc3ppcC5vcmcAAAAAAAAAAAAAAAAAAAACAAAAAgIAAAAAAABQwwAA/////////////////////wMABgAUAAIABwAIAAIACAAGAAIAlgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA//8AAAAAAVRl9QHZQFTHgSUr6ajKVkgMz+65asU3X7OJ71KXIV87AAOUY9+LXigAAJBII8U9WZYASSVo0z7wIAHN9z5dkZXbADJx9xZFSAAA9Y9Lz7HugAS9xRTcE+AAFK1yIksC3gBvz4/TZoWAA6G1Fmn8jACwPm/83CUsAB7cPoe9y1IA+k7+ujPuAAfJDWwbbR4APSRJO2UaMAIcGhdVZN4AzXsOCFWtAfSQBRntKLgEO+/3TwAM7woD90eJNekRS2Yeq+cYYeGAUr4Q14GuxKNddcwPv1VmisnR6CZHHiGlJqIw8R6Ksrp78n8M5iCW/j9AE2OePtdaHFLXEEESg0I4QaMS6WZ9ZsBp/ymlBXd2uu3deysl0lucCFSKFvDsAAAAAAAAAQAAAEqpAAAA',
  'format 7, version 1.4':
    'TEFTRgAAAAAAAAAAAAAAAAAAAAAAAAAAAQQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHRlc3Qgc2Nhbm5lcgAAAAAAAAAAAAAAAAAAAAAAAAAATgHqB3cB2wEAAAEAAACHJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD8qfHSTWJQP/yp8dJNYlA//Knx0k1iUD8AAAAAgIQeQQAAAABwmVRBAAAAAAAAWUAAAAAAHIUeQQAAAACAhB5BAAAAAHCZVEEAAACAXJlUQarx0k1iAFlAAAAAAAAAWUAAAAAAAAAAAAAAAAAAAAAAAAAAACgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABsYXN6aXAgZW5jb2RlZAAAvFYuAGh0dHA6Ly9sYXN6aXAub3JnAAAAAAAAAAAAAAAAAAAAAwAAAAICAAAAAAAAUMMAAP////////////////////8CAAoAHgADAAsABgADAF0DAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA//8AAAAAKAAAAFAAAAAYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMIAAAAAqh2iVh2Pjl4vQdWSc3fQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAPvLxIeBa+GAEclk49zW3SdPq72MQAAAJ4BtE8TPi//RFFvagu87Oi/+hKFnago9jNi/9xPFfagi+LMi/9BUFXagc+zLi/8RZFPag29ZKq//hN1Iagw+BJq/+xS1Aagq+pIq/+BX04agk/RHq/9Rc0wage/5Gq/8hh0oagZAhFq//xWkhagy/HEy//BbkZags/vDy/+RgkRagnAXCy/9hlkJaghA/By/8xqkBagbBnAy/8Bvj5ag1AM/6//RkTyagvA0+6/+hpTqagpBc96/9xuTiagjCDuAAAAAAAAAAEAAABLhgAAAA==',
};

describe.each(Object.entries(packed))('a LAZ file of %s', (_, base64) => {
  const content = Buffer.from(base64, 'base64');

  test('has its points, with their colours, where scale and offset put them', async () => {
    const { format, generator, parts } = await importModel(content);
    expect([format, generator]).toEqual(['las', 'test scanner']);
    expect(parts).toMatchObject([{ mode: 0, positions: { length: 120 } }]);
    for (const i of [0, 1, 20, 39]) {
      const at = [500_000 + i, 5_400_000 - 2 * i, 100 + (i % 7) / 1000];
      for (const [axis, value] of at.entries()) expect(parts[0]?.positions[3 * i + axis]).toBeCloseTo(value, 4);
      expect(parts[0]?.colors?.slice(4 * i, 4 * i + 4)).toEqual([i % 2 === 0 ? 255 : 0, expect.any(Number), 0, 255]);
    }
    expect(parts[0]?.colors?.[157]).toBeGreaterThan(parts[0]?.colors?.[41] ?? 0);
  });

  test('converts to a valid asset', async () => {
    const { outcome } = await assetOf({ 'scan.laz': content }, null);
    expect(outcome).toMatchObject({ validation: { numErrors: 0 }, info: { inputStatistics: { numVertices: 40 } } });
  });

  test('is refused wherever it was cut off, and survives changed bytes', async () => {
    await refusesEveryTruncation(content);
    await survivesChangedBytes('scan.laz', content);
    // A file that is wrong leaves nothing behind that the next one meets.
    expect((await importModel(content)).parts[0]?.positions).toHaveLength(120);
  });

  test('is held to limits before the work', async () => {
    expect(await refusalOf(content, { vertices: 39 })).toMatch(/40 vertices; the limit \(vertices\) is 39/);
    expect(await refusalOf(content, { unpackedBytes: 1000 })).toMatch(/limit \(unpackedBytes\) is 1000/);
    const lying = Buffer.from(content);
    lying.writeUInt32LE(4e9, 107);
    if (lying.readUInt8(25) === 4) lying.writeBigUInt64LE(4_000_000_000n, 247);
    expect(await refusalOf(lying)).toMatch(/4000000000 vertices/);
  });

  test('is refused with what to do where it cannot be unpacked', async () => {
    const waves = Buffer.from(content);
    waves.writeUInt8(4 | 0x80, 104);
    waves.writeUInt16LE(57, 105);
    expect(await refusalOf(waves)).toMatch(
      /LAZ\) with points of format 4, which have waveforms\. Decompress it to LAS/,
    );
    const unknown = Buffer.from(content);
    unknown.write('nothing', content.indexOf('laszip encoded'), 'latin1');
    expect(await refusalOf(unknown)).toMatch(
      /LAZ\), and its header or its table of chunks is wrong\. Decompress it to LAS/,
    );
  });
});
