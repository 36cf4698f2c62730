import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unpack } from '../../support/models/index.ts';
import { assetOf, errorOf } from './convert-model.ts';
import { anyMesh, importModel, refusalOf, survivesChangedBytes } from './import-model.ts';

const positions = [0, 0, 0, 1, 0, 0.5, 0, -2, 3];

describe('an XYZ file', () => {
  test.each([
    ['blanks', '0 0 0\n1 0 .5\n0 -2 3\n'],
    ['tabs', '0\t0\t0\r\n1\t0\t5e-1\r\n0\t-2\t+3'],
    ['commas', '0,0,0\n1, 0, 0.5\n0,-2,3\n'],
    ['semicolons', '0;0;0\n1;0;0.5\n0;-2;3'],
    ['comments and empty lines', '# points\n\n0 0 0 // first\n1 0 0.5\n!\n0 -2 3\n'],
    ['names of columns', 'X,Y,Z\n0,0,0\n1,0,0.5\n0,-2,3\n'],
    ['their number', '3\n0 0 0\n1 0 0.5\n0 -2 3\n'],
    ['the mark of an editor', '\ufeff0 0 0\n1 0 0.5\n0 -2 3\n'],
    ['carriage returns', '0 0 0\r1 0 0.5\r0 -2 3\r'],
  ])('may have %s', async (_, text) => {
    const { format, parts } = await importModel(text);
    expect(format).toBe('xyz');
    expect(parts).toMatchObject([{ mode: 0, positions, colors: undefined }]);
  });

  test.each([
    ['0 to 255', '0 0 0 255 128 0\n1 0 0 0 0 255', [255, 55, 0, 255, 0, 0, 255, 255]],
    ['0 to 1', '0 0 0 1 0.5 0\n1 0 0 0 0 1', [255, 55, 0, 255, 0, 0, 255, 255]],
    ['0 to 255, before other columns', '0 0 0 255 128 0 9 9\n1 0 0 0 0 255 9 9', [255, 55, 0, 255, 0, 0, 255, 255]],
    ['0 to 255, after an intensity', '2\n0 0 0 -99 255 128 0\n1 0 0 7 0 0 255', [255, 55, 0, 255, 0, 0, 255, 255]],
    ['an intensity of any range', '0 0 0 -100\n1 0 0 4000', [0, 0, 0, 255, 255, 255, 255, 255]],
  ])('has colours of %s', async (_, text, colors) => {
    const [part] = (await importModel(text)).parts;
    for (const [i, level] of colors.entries()) expect(part?.colors?.[i]).toBeCloseTo(level, -0.5);
  });

  test('has gamma colours, unless the settings say that they are linear', async () => {
    const { parts } = await importModel('0 0 0 128 128 128\n1 1 1 255 255 255', { gammaToLinearVertex: false });
    expect(parts[0]?.colors?.slice(0, 3)).toEqual([128, 128, 128]);
  });

  test('leaves out columns that are no colours, and says so', async () => {
    const { parts, warnings } = await importModel('0 0 0 0 0 -1\n1 0 0 0 1 0\n');
    expect(parts[0]?.colors).toBeUndefined();
    expect(warnings).toMatchObject([{ code: 'columns_ignored', details: { columns: '4 to 6' } }]);
  });

  test('keeps places far from zero apart, up to the asset', async () => {
    const text = '500000.001 5400000.002 100\n500000.003 5400000.005 100.5\n';
    const { parts } = await importModel(text);
    expect(parts[0]?.positions[3]).toBeCloseTo(500_000.003, 6);
    expect(parts[0]?.positions[4]).toBeCloseTo(5_400_000.005, 6);
    const { outcome } = await assetOf({ 'model.xyz': Buffer.from(text) }, null);
    const box = outcome.status === 'succeeded' ? outcome.info.outputStatistics.boundingBox : undefined;
    expect((box?.max[0] ?? 0) - (box?.min[0] ?? 0)).toBeCloseTo(0.002, 5);
  });

  test('is shown as it is: without light', async () => {
    const { asset } = await assetOf({ 'model.xyz': Buffer.from('0 0 0\n1 1 1\n') });
    const [material] = (await unpack(asset)).getRoot().listMaterials();
    expect(material?.getExtension('KHR_materials_unlit')).not.toBeNull();
  });

  test('leaves out points that are no numbers, with their colours', async () => {
    const { parts, warnings } = await importModel('nan 0 0 1 1 1\n1 2 3 255 0 0\n4 5 6 0 255 0\n0 inf 0 9 9 9\n');
    expect(parts).toMatchObject([{ positions: [1, 2, 3, 4, 5, 6], colors: [255, 0, 0, 255, 0, 255, 0, 255] }]);
    expect(warnings).toMatchObject([{ code: 'positions_lost', details: { positions: '2' } }]);
  });

  test.each([
    ['0 0 0\nnan 0 0\n0 nan 0\n', /line 2: a position is no number \(NaN, 0, 0\)/],
    ['0 0 0\n1 0 0\n0 0 0\n0 0\n', /line 4: it has 2 numbers, but the first point has 3/],
    ['0 0 0\n1 0 0\n0 0 0\n0 0 0 1\n', /line 4: it has 3 and more numbers, but the first point has 3/],
    ['0 0 0\n1 0 0\n0 0 0\n0 zero 0\n', /line 4: 'zero' is no number/],
    ['0,5 1,5 2,5\n0,1 1,1 2,1\n', /line 1: its numbers have commas or are parted by them/],
    ['9\n0 0 0\n1 0 0\n', /says that it has 9 points, but 2 follow: the file was cut off/],
  ])('is refused where it is wrong: %j', async (text, why) => {
    expect(await refusalOf(text)).toMatch(why);
  });

  test.each([
    ['prose', 'We measured 3 points.\n1 2 3\n4 5 6\n'],
    ['a table', 'name,amount,price\npear,3,4\n'],
    ['a table with dates', '2024-01-02,3,4\n2024-01-03,5,6\n'],
    ['an OBJ file without faces', 'v 0 0 0\nv 1 0 0\n'],
    ['a molecule', '2\nwater\nO 0 0 0\nH 0 0 1\n'],
    ['two columns', '1 2\n3 4\n'],
    ['binary data', '1 2 3\n\0\0\0'],
    [
      'triangles without a name, nine numbers for each',
      '0.1 0.5 -0.2 0 0.4 -0.2 0.1 0.5 -0.3\n0.1 0.5 -0.3 0 0.4 -0.2 0 0.4 -0.3\n',
    ],
  ])('is not taken for one where it is %s', async (_, text) => {
    const { format } = await importModel(text).catch((error: Error) => ({ format: error.message }));
    expect(format).not.toBe('xyz');
  });
});

test('limits are held while points are counted', async () => {
  const error = await errorOf({ 'model.xyz': Buffer.from('0 0 0\n'.repeat(9)) }, { vertices: 8 });
  expect(error).toMatchObject({
    code: 'limit',
    message: expect.stringMatching(/9 vertices; the limit \(vertices\) is 8/),
  });
});

test('any points come back as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(anyMesh, fc.constantFrom(' ', '\t', ' , ', ';'), async ({ vertices }, separator) => {
      const { parts } = await importModel(vertices.map((vertex) => vertex.join(separator)).join('\n'));
      expect(parts[0]?.positions).toEqual(vertices.flat());
    }),
    { numRuns: 50 },
  );
});

test('any decimal number is read as the language reads it', async () => {
  const sign = fc.constantFrom('', '-', '+');
  const number = fc.tuple(sign, fc.stringMatching(/^(\d{1,20}\.?\d{0,20}|\.\d{1,20})([eE][+-]?\d{1,2})?$/));
  await fc.assert(
    fc.asyncProperty(number, async ([before, digits]) => {
      fc.pre(Math.abs(Number(digits)) < 4000);
      const { parts } = await importModel(`0 0 0\n0 0 ${before}${digits}\n`);
      expect(parts[0]?.positions[5]).toBe(Math.fround(Number(`${before}${digits}`)) + 0);
    }),
    { numRuns: 300 },
  );
});

test('files larger than what is read at once come back whole', async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [i / 8, 0 - i, i % 9]);
  const { parts } = await importModel(rows.map((row) => row.join(' ')).join('\n'));
  expect(parts[0]?.positions).toEqual(rows.flat());
});

test('changed bytes never crash or hang', async () => {
  await survivesChangedBytes('model.xyz', '0 0 0 255 0 0\n1 0 0 0 255 0\n0 1 0 0 0 255\n1 1 1 9 9 9\n');
});
