import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unpack } from '../../support/models/index.ts';
import { assetOf, errorOf } from './convert-model.ts';
import { anyMesh, importModel, refusalOf, refusesEveryTruncation, survivesChangedBytes } from './import-model.ts';

type Triangle = readonly (readonly number[])[];

const triangle: Triangle = [
  [1, 1, 0],
  [-1, 1, 0],
  [0, -1, 0.5],
];
const other: Triangle = [
  [5, 0, 0],
  [6, 0, 0],
  [5, 1, 0],
];

describe('a text STL file', () => {
  test('is a part for each solid that has triangles', async () => {
    const { format, parts } = await importModel(
      `${textStl([triangle], 'first one')}solid empty\nendsolid empty\n${textStl([other, other], 'second')}`,
    );
    expect(format).toBe('stl');
    expect(parts.map(({ name, positions }) => [name, positions.length])).toEqual([
      ['first one', 9],
      ['second', 18],
    ]);
    expect(parts[0]?.positions).toEqual(triangle.flat());
  });

  test('may have any case, any blanks, any line ends, and normals that are no numbers', async () => {
    const text = textStl([triangle, other]).replaceAll('normal 0 0 0', 'normal nan -1.#IND 0');
    for (const variant of [
      text.toUpperCase(),
      text.replaceAll('\n', '\r\n'),
      text.replaceAll('\n', '\r'),
      text.replaceAll(/\n(?!\s*(facet|endsolid|$))/g, '\t '),
    ]) {
      const { parts } = await importModel(variant);
      expect(parts[0]?.positions).toEqual([...triangle.flat(), ...other.flat()]);
    }
  });

  test('gets flat normals of its triangles', async () => {
    const { asset } = await assetOf({ 'model.stl': Buffer.from(textStl([other])) });
    const [part] = (await unpack(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
    for (let i = 0; i < 3; i += 1) expect(part?.getAttribute('NORMAL')?.getElement(i, [])[2]).toBeCloseTo(1, 2);
  });

  test.each([
    ['vertex 1 1 0', 'vertex 1 1', /line 4: a vertex has three numbers/],
    ['vertex 1 1 0', 'vertex 1 x 0', /line 4: 'x' is no number/],
    ['vertex 1 1 0', 'vertex 1 nan 0', /line 4: a position is no number \(1, NaN, 0\)/],
    ['vertex 1 1 0', 'vertex 1 1e99 0', /line 4: a position is no number/],
    ['vertex 1 1 0', '', /line 8: a facet ends that has 2 vertices, not 3/],
    ['endfacet', 'facet normal 0 0 0', /line 8: 'facet' stands within a facet/],
  ])("with '%s' become '%s' is refused with the line", async (from, to, why) => {
    expect(await refusalOf(textStl([triangle]).replace(from, to))).toMatch(why);
  });

  test('may have words of its program behind those of the format, which are passed over with a warning', async () => {
    const text = textStl([triangle, other]).replace('endloop', 'endloop 7').replace('endfacet', 'endfacet red');
    const { parts, warnings } = await importModel(text);
    expect(parts[0]?.positions).toEqual([...triangle.flat(), ...other.flat()]);
    expect(warnings).toMatchObject([{ code: 'words_ignored', details: { words: '2', first: "line 7: '7'" } }]);
  });

  test('may lack the end of its last solid, which is warned of: it may have been cut off there', async () => {
    const { parts, warnings } = await importModel(textStl([triangle, other]).replace(/endsolid.*\n/, ''));
    expect(parts[0]?.positions).toHaveLength(18);
    expect(warnings).toMatchObject([{ code: 'end_missing', details: { line: '15' } }]);
  });

  test('without any triangle is refused', async () => {
    expect(await refusalOf('solid nothing\nendsolid nothing\n')).toMatch(/none of its solids has a facet/);
  });
});

describe('a binary STL file', () => {
  test('is told by its size, whatever its header begins with', async () => {
    for (const header of ['made by somebody', 'solid facet', 'ply', '']) {
      const { format, parts } = await importModel(binaryStl([triangle, other], { header }));
      expect([format, parts[0]?.positions]).toEqual(['stl', [...triangle.flat(), ...other.flat()]]);
    }
  });

  test('may have something behind its triangles', async () => {
    const { parts } = await importModel(Buffer.concat([binaryStl([triangle]), Buffer.alloc(7, 'x')]));
    expect(parts[0]?.positions).toHaveLength(9);
  });

  test('has the colours of VisCAM and SolidView: where bit 15 is set, blue lowest, white elsewhere', async () => {
    const attributes = [0x8000 | (31 << 10), 0];
    const { parts } = await importModel(binaryStl([triangle, other], { attributes }));
    expect(parts[0]?.colors?.slice(0, 4)).toEqual([255, 0, 0, 255]);
    expect(parts[0]?.colors?.slice(12, 16)).toEqual([255, 255, 255, 255]);
  });

  test('has the colours of Materialise: where bit 15 is clear, red lowest, that of the whole elsewhere', async () => {
    const header = 'COLOR=\x00\xff\x00\x80,MATERIAL=';
    const { parts } = await importModel(binaryStl([triangle, other], { header, attributes: [31, 0x8000] }));
    expect(parts[0]?.colors?.slice(0, 4)).toEqual([255, 0, 0, 255]);
    expect(parts[0]?.colors?.slice(12, 16)).toEqual([0, 255, 0, 128]);
  });

  test('has gamma colours, unless the settings say that they are linear', async () => {
    const attributes = [0x8000 | 15];
    const gamma = await importModel(binaryStl([triangle], { attributes }));
    const linear = await importModel(binaryStl([triangle], { attributes }), { gammaToLinearVertex: false });
    expect(gamma.parts[0]?.colors?.[2]).toBe(51);
    expect(linear.parts[0]?.colors?.[2]).toBe(123);
  });

  test('that lies about its triangles is refused before room is made for them', async () => {
    const lying = binaryStl([triangle]);
    lying.writeUInt32LE(4_000_000_000, 80);
    expect(await refusalOf(lying)).toMatch(
      /has 4000000000 triangles, which are 200000000000 bytes, but only 50 follow/,
    );
    expect(await refusalOf(binaryStl([]))).toMatch(/no triangles/);
  });

  test('has no colours where a program filled all attributes alike', async () => {
    for (const attributes of [
      [0xffff, 0xffff],
      [0x8000, 0x8000],
    ]) {
      const { parts } = await importModel(binaryStl([triangle, other], { attributes }));
      expect(parts[0]?.colors).toBeUndefined();
    }
    const black = await importModel(binaryStl([triangle, other], { attributes: [0x8000, 0x8000 | 31] }));
    expect(black.parts[0]?.colors?.slice(0, 4)).toEqual([0, 0, 0, 255]);
  });

  test('is opaque where the colour of the whole has an opacity of zero', async () => {
    const header = 'COLOR=\xff\x00\x00\x00';
    const { parts } = await importModel(binaryStl([triangle], { header, attributes: [0x8000] }));
    expect(parts[0]?.colors?.slice(0, 4)).toEqual([255, 0, 0, 255]);
  });

  test('leaves out triangles with a corner that is no number, and is refused where these are most', async () => {
    const broken: Triangle = [
      [0, 0, 0],
      [1, Number.NaN, 0],
      [0, 1, 0],
    ];
    const attributes = [0x8000 | 1, 0x8000 | 2, 0x8000 | 31];
    const { parts, warnings } = await importModel(binaryStl([triangle, broken, other], { attributes }));
    expect(parts[0]?.positions).toEqual([...triangle.flat(), ...other.flat()]);
    expect(parts[0]?.colors).toHaveLength(24);
    expect(parts[0]?.colors?.slice(12, 16)).toEqual([0, 0, 255, 255]);
    const first = 'triangle 2 (byte 134): a position is no number (1, NaN, 0).';
    expect(warnings).toEqual([
      { code: 'positions_lost', title: expect.any(String), details: { positions: '1', first } },
    ]);
    const nowhere = broken.map(() => [Number.NaN, 0, 0]);
    expect(await refusalOf(binaryStl([triangle, nowhere, nowhere]))).toMatch(
      /triangle 2 \(byte 134\): a position is no number \(NaN, 0, 0\)/,
    );
  });
});

test('limits are held before the work', async () => {
  const error = await errorOf({ 'model.stl': binaryStl([triangle, other]) }, { vertices: 5 });
  expect(error).toMatchObject({
    code: 'limit',
    message: expect.stringMatching(/6 vertices; the limit \(vertices\) is 5/),
  });
  expect(await refusalOf(textStl([triangle, other]), { vertices: 5 })).toMatch(/limit \(vertices\) is 5/);
  expect(await refusalOf(textStl([triangle]).repeat(3), { nodes: 2 })).toMatch(/limit \(nodes\) is 2/);
});

test('any triangles come back as they were written, in either form', async () => {
  await fc.assert(
    fc.asyncProperty(anyMesh, async ({ vertices, faces }) => {
      const triangles = faces.map((face) => face.map((corner) => vertices[corner] ?? [0, 0, 0]));
      const wanted = triangles.flat(2);
      expect((await importModel(textStl(triangles))).parts[0]?.positions).toEqual(wanted);
      expect((await importModel(binaryStl(triangles))).parts[0]?.positions).toEqual(wanted);
    }),
    { numRuns: 50 },
  );
});

test('files larger than what is read at once come back whole', async () => {
  const triangles = Array.from({ length: 30_000 }, (_, i) => triangle.map(([x = 0, y = 0, z = 0]) => [x + i, y, z]));
  for (const content of [textStl(triangles), binaryStl(triangles)]) {
    const { parts } = await importModel(content);
    expect(parts[0]?.positions).toEqual(triangles.flat(2));
  }
});

test('what was cut off is refused wherever it was, but for the end of a solid', async () => {
  const text = textStl([triangle, other], 'name');
  for (let length = 0; length < text.length - 12; length += 1) {
    const cut = text.slice(0, length);
    if (/endfacet\s*(f|fa|fac|face|e\w*)?$/.test(cut)) expect((await importModel(cut)).warnings[0]?.code).toMatch(/_/);
    else expect(await refusalOf(cut), cut).toMatch(/\w/);
  }
  await refusesEveryTruncation(binaryStl(Array.from({ length: 8 }, () => triangle)));
});

test('changed bytes never crash or hang', async () => {
  await survivesChangedBytes('model.stl', textStl([triangle, other]));
  await survivesChangedBytes('model.stl', binaryStl([triangle, other], { attributes: [0x8001, 2] }));
});

function textStl(triangles: readonly Triangle[], name = 'model'): string {
  const facets = triangles.map((corners) => {
    const vertices = corners.map((corner) => `    vertex ${corner.join(' ')}\n`).join('');
    return `  facet normal 0 0 0\n    outer loop\n${vertices}    endloop\n  endfacet\n`;
  });
  return `solid ${name}\n${facets.join('')}endsolid ${name}\n`;
}

function binaryStl(
  triangles: readonly Triangle[],
  { header = '', attributes = [] }: { header?: string; attributes?: readonly number[] } = {},
): Buffer {
  const bytes = Buffer.alloc(84 + 50 * triangles.length);
  bytes.write(header, 'latin1');
  bytes.writeUInt32LE(triangles.length, 80);
  for (const [i, corners] of triangles.entries()) {
    for (const [j, value] of corners.flat().entries()) bytes.writeFloatLE(value, 84 + 50 * i + 12 + 4 * j);
    bytes.writeUInt16LE(attributes[i] ?? 0, 84 + 50 * i + 48);
  }
  return bytes;
}
