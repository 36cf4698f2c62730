import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unpack } from '../../support/models/index.ts';
import { assetOf, errorOf } from './convert-model.ts';
import {
  anyMesh,
  cornersOf,
  importModel,
  refusalOf,
  refusesEveryTruncation,
  survivesChangedBytes,
} from './import-model.ts';

const square = ['0 0 0', '2 0 0', '2 2 0', '0 2 0'];
const corners = [0, 0, 0, 2, 0, 0, 2, 2, 0, 0, 2, 0];

describe('a text OFF file', () => {
  test('is a mesh of the triangles of its polygons, with smooth normals', async () => {
    const { format, parts } = await importModel(off('OFF', square, ['4 0 1 2 3']));
    expect(format).toBe('off');
    expect(parts).toMatchObject([{ mode: 4, positions: corners, indices: [0, 1, 2, 0, 2, 3] }]);
    expect(parts[0]?.normals).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
  });

  test('is smooth where it is round, and flat where it is a box', async () => {
    const box = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `${i & 1} ${(i >> 1) & 1} ${i >> 2}`);
    const sides = ['4 0 2 3 1', '4 4 5 7 6', '4 0 1 5 4', '4 2 6 7 3', '4 0 4 6 2', '4 1 3 7 5'];
    expect((await importModel(off('OFF', box, sides))).parts[0]?.normals).toBeUndefined();
    const { asset } = await assetOf({ 'box.off': Buffer.from(off('OFF', box, sides)) });
    const [part] = (await unpack(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
    expect(part?.getAttribute('NORMAL')?.getCount()).toBe(24);
    const shallow = (await importModel(off('OFF', ['0 0 0', '1 0 0.1', '1 1 0', '0 1 0.1'], ['3 0 1 2', '3 0 2 3'])))
      .parts[0];
    expect(shallow?.normals).toHaveLength(12);
  });

  test('may have comments, empty lines, any line ends, and counts where programs put them', async () => {
    const text = off('OFF', square, ['3 0 1 2']);
    for (const variant of [
      text.replaceAll('\n', '\r\n'),
      `# made by hand\n\n${text.replaceAll('\n', ' # why\n\n')}`,
      text.replace('OFF\n', 'OFF '),
      text.replace('OFF\n', 'OFF'),
      text.replace('4 1 0', '4 1'),
      text.trimEnd(),
    ]) {
      const { parts } = await importModel(variant);
      expect(cornersOf(parts[0])).toEqual(corners.slice(0, 9));
    }
  });

  test('without faces is a point cloud', async () => {
    expect((await importModel(off('OFF', square, []))).parts).toMatchObject([{ mode: 0, positions: corners }]);
  });

  test.each([
    ['COFF', '255 128 0', [255, 55, 0, 255]],
    ['COFF', '255 128 0 128', [255, 55, 0, 128]],
    ['COFF', '1.0 0.5 0 0.5', [255, 55, 0, 128]],
  ])('has the colours of %s vertices: %s', async (keyword, color, wanted) => {
    const vertices = square.map((vertex) => `${vertex} ${color}`);
    const [part] = (await importModel(off(keyword, vertices, ['3 0 1 2']))).parts;
    for (const [i, level] of wanted.entries()) expect(part?.colors?.[i]).toBeCloseTo(level, -0.5);
  });

  test('has normals, then colours, then texture coordinates, from the bottom up', async () => {
    const vertices = square.map((vertex) => `${vertex} 0 0 1 0 255 0 255 0.5 0.25`);
    const [part] = (await importModel(off('STCNOFF', vertices, ['3 0 1 2']))).parts;
    expect(part?.normals?.slice(0, 3)).toEqual([0, 0, 1]);
    expect(part?.colors?.slice(0, 4)).toEqual([0, 255, 0, 255]);
    expect(part?.texcoords?.slice(0, 2)).toEqual([0.5, 0.75]);
  });

  test('has faces with colours of their own, white where one has none', async () => {
    const faces = ['3 0 1 2 255 0 0', '3 0 2 3', '3 0 1 3 7'];
    const [part] = (await importModel(off('OFF', square, faces))).parts;
    expect(part?.indices).toBeNull();
    expect(part?.positions.slice(9, 18)).toEqual([0, 0, 0, 2, 2, 0, 0, 2, 0]);
    expect(part?.colors?.slice(0, 4)).toEqual([255, 0, 0, 255]);
    expect(part?.colors?.slice(12, 16)).toEqual([255, 255, 255, 255]);
  });

  test('has positions of four numbers divided by the last', async () => {
    const vertices = ['0 0 0 1', '4 0 0 2', '0 1 0 0.5'];
    const [part] = (await importModel(off('4OFF', vertices, ['3 0 1 2']))).parts;
    expect(part?.positions).toEqual([0, 0, 0, 2, 0, 0, 0, 2, 0]);
    expect(await refusalOf(off('4OFF', ['1 1 1 0', '0 0 0 0', '1 0 0 1'], []))).toMatch(
      /line 3: a position is no number/,
    );
  });

  test('of three dimensions may say so, of others is refused', async () => {
    expect((await importModel(off('nOFF', square, []).replace('nOFF', 'nOFF\n3'))).parts).toHaveLength(1);
    expect(await refusalOf(off('nOFF', square, []).replace('nOFF', 'nOFF 5'))).toMatch(/vertices have 5 dimensions/);
  });

  test.each([
    ['4 1 0', '9 1 0', /line 2: 9 vertices and 1 faces take at least 55 bytes, but \d+ follow: the file was cut off/],
    ['4 1 0', '353535235358 6 0', /353535235358 vertices .* the file was cut off/],
    ['4 1 0', '4 2 0', /cut off: it ends with line 7, after 1 of 2 faces/],
    ['4 1 0', '-4 1 0', /line 2: '-4 1 0' are no counts/],
    ['4 1 0', '0 0 0', /no vertices/],
    ['2 0 0', '2 0', /line 4: a vertex has 3 numbers, but there are 2/],
    ['2 0 0', '2 nan 0', /line 4: a position is no number/],
    ['2 0 0', '2 0 x', /line 4: 'x' is no number/],
    ['3 0 1 2', '3 0 1', /line 7: a face has 3 corners, but only 2 follow/],
    ['3 0 1 2', '3 0 1 99', /line 7: face refers to vertex 99, but there are 4/],
    ['3 0 1 2', '3 0 1 -1', /line 7: face refers to vertex -1/],
    ['3 0 1 2', '-3 0 1 2', /line 7: -3 is no number of corners/],
  ])("with '%s' become '%s' is refused with the line", async (from, to, why) => {
    expect(await refusalOf(off('OFF', square, ['3 0 1 2']).replace(from, to))).toMatch(why);
  });
});

describe('a binary OFF file', () => {
  test('has vertices with colours and faces with theirs', async () => {
    const content = binaryOff(
      'COFF',
      [
        [0, 0, 0, 1, 0, 0, 1],
        [1, 0, 0, 0, 1, 0, 1],
        [0, 1, 0, 0, 0, 1, 0.5],
      ],
      [[0, 1, 2]],
    );
    const [part] = (await importModel(content)).parts;
    expect(part).toMatchObject({ positions: [0, 0, 0, 1, 0, 0, 0, 1, 0], indices: [0, 1, 2] });
    expect(part?.colors).toEqual([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 128]);
  });

  test('may have the order of bytes of its machine and no count of colours, as OpenMesh writes it', async () => {
    const integers = (values: readonly number[]) => Buffer.from(new Uint32Array(values).buffer);
    const floats = Buffer.from(new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]).buffer);
    const faces = integers([3, 0, 1, 2, 3, 0, 2, 3]);
    const content = Buffer.concat([Buffer.from('OFF BINARY\n'), integers([4, 2, 0]), floats, faces]);
    const [part] = (await importModel(content)).parts;
    expect(part).toMatchObject({ indices: [0, 1, 2, 0, 2, 3], positions: [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1] });
  });

  test('is refused for what it claims and does not have, and for faces that refer to no vertex', async () => {
    const vertices = [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ];
    const lying = binaryOff('OFF', vertices, []);
    lying.writeInt32BE(2_000_000_000, 11);
    expect(await refusalOf(lying)).toMatch(/2000000000 vertices and 0 faces, .*: the file was cut off/);
    lying.writeInt32BE(-1, 11);
    expect(await refusalOf(lying)).toMatch(/below zero/);
    const wrong = binaryOff('OFF', vertices, [[0, 1, 3]]);
    expect(await refusalOf(wrong)).toMatch(/byte \d+: face refers to vertex 3, but there are 3/);
    const endless = binaryOff('OFF', vertices, [[0, 1, 2]]);
    endless.writeInt32BE(2_000_000_000, endless.length - 20);
    expect(await refusalOf(endless)).toMatch(/cut off: it ends after \d+ bytes, within face 1 of 1/);
  });
});

test('limits are held before the work', async () => {
  const error = await errorOf({ 'model.off': Buffer.from(off('OFF', square, [])) }, { vertices: 3 });
  expect(error).toMatchObject({ code: 'limit', message: expect.stringMatching(/limit \(vertices\) is 3/) });
});

test('any mesh comes back as it was written, in either form', async () => {
  await fc.assert(
    fc.asyncProperty(anyMesh, async ({ vertices, faces }) => {
      const wanted = faces.flat().flatMap((vertex) => vertices[vertex] ?? []);
      const lines = faces.map((face) => `3 ${face.join(' ')}`);
      const text = off(
        'OFF',
        vertices.map((vertex) => vertex.join(' ')),
        lines,
      );
      for (const content of [text, binaryOff('OFF', vertices, faces)]) {
        const [part] = (await importModel(content)).parts;
        expect(cornersOf(part)).toEqual(wanted);
      }
    }),
    { numRuns: 50 },
  );
});

test('any polygon around a point is cut into triangles that cover it once, however it bends', async () => {
  const distances = fc.array(fc.float({ min: 1, max: 50, noNaN: true }), { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(distances, fc.nat(2), async (radii, axis) => {
      const flat = radii.map((radius, i) => {
        const angle = (2 * Math.PI * i) / radii.length;
        return [Math.fround(radius * Math.cos(angle)), Math.fround(radius * Math.sin(angle))];
      });
      const vertices = flat.map(([x = 0, y = 0]) => [x, y, 7].map((_, i, point) => point[(i + axis) % 3]).join(' '));
      const [part] = (await importModel(off('OFF', vertices, [`${flat.length} ${[...flat.keys()].join(' ')}`]))).parts;
      const areas = triples(part?.indices ?? []).map((corners) => areaOf(corners.map((corner) => flat[corner] ?? [])));
      expect(areas).toHaveLength(flat.length - 2);
      const covered = areas.reduce((sum, area) => sum + Math.abs(area), 0);
      expect(covered / areaOf(flat)).toBeCloseTo(1, 4);
    }),
    { numRuns: 100 },
  );
});

test('what was cut off is refused wherever it was, and changed bytes never crash or hang', async () => {
  const text = off(
    'STOFF',
    square.map((vertex) => `${vertex} 0 0`),
    ['4 0 1 2 3', '3 0 1 2'],
  );
  const binary = binaryOff(
    'OFF',
    [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ],
    [
      [0, 1, 2],
      [2, 1, 0],
    ],
  );
  await refusesEveryTruncation(text, 2);
  await refusesEveryTruncation(binary);
  await survivesChangedBytes('model.off', text);
  await survivesChangedBytes('model.off', binary);
});

function triples(values: readonly number[]): number[][] {
  return Array.from({ length: values.length / 3 }, (_, i) => values.slice(3 * i, 3 * i + 3));
}

function areaOf(polygon: readonly (readonly number[])[]): number {
  return polygon.reduce((sum, [x = 0, y = 0], i) => {
    const [u = 0, v = 0] = polygon[(i + 1) % polygon.length] ?? [];
    return sum + (x * v - u * y) / 2;
  }, 0);
}

function off(keyword: string, vertices: readonly string[], faces: readonly string[]): string {
  return `${[keyword, `${vertices.length} ${faces.length} 0`, ...vertices, ...faces].join('\n')}\n`;
}

function binaryOff(
  keyword: string,
  vertices: readonly (readonly number[])[],
  faces: readonly (readonly number[])[],
): Buffer {
  const integers = (values: readonly number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) bytes.writeInt32BE(value, 4 * i);
    return bytes;
  };
  const floats = Buffer.alloc(4 * vertices.flat().length);
  for (const [i, value] of vertices.flat().entries()) floats.writeFloatBE(value, 4 * i);
  const polygons = faces.map((face) => integers([face.length, ...face, 0]));
  return Buffer.concat([
    Buffer.from(`${keyword} BINARY\n`),
    integers([vertices.length, faces.length, 0]),
    floats,
    ...polygons,
  ]);
}
