import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { png } from '../../support/models/index.ts';
import { assetOf, convertModel, errorOf } from './convert-model.ts';
import {
  anyMesh,
  cornersOf,
  importModel,
  refusalOf,
  refusesEveryTruncation,
  survivesChangedBytes,
} from './import-model.ts';
import { importedDocument, rounded } from './imported-document.ts';
import { type Element, encodings, ply, rgba, xyz } from './write-ply.ts';

const indices = 'list uchar int vertex_indices';
const square: Element = {
  name: 'vertex',
  properties: xyz,
  rows: [
    [0, 0, 0],
    [2, 0, 0],
    [2, 2, 0],
    [0, 2, 0],
  ],
};

test('a PLY file without colours is of the plain grey of all formats', async () => {
  const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2, 3]]] };
  const { document } = await importedDocument({ 'm.ply': ply('ascii', [square, faces]) });
  const [material] = document.getRoot().listMaterials();
  expect(material?.getBaseColorFactor().map((value) => rounded(value))).toEqual([0.604, 0.604, 0.604, 1]);
});

describe.each(encodings)('a PLY file in %s', (encoding) => {
  test('is a mesh of the triangles of its polygons, with smooth normals', async () => {
    const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2, 3]], [[0, 2, 1]]] };
    const { format, formatVersion, parts } = await importModel(ply(encoding, [square, faces]));
    expect([format, formatVersion]).toEqual(['ply', '1.0']);
    expect(parts).toMatchObject([{ mode: 4, positions: square.rows.flat(), indices: [0, 1, 2, 0, 2, 3, 0, 2, 1] }]);
    // The vertex that only the square has.
    expect(parts[0]?.normals?.slice(9)).toEqual([0, 0, 1]);
  });

  test('cuts polygons that bend inwards without leaving them', async () => {
    const arrow = {
      ...square,
      rows: [
        [0, 0, 0],
        [2, 2, 0],
        [0, 1, 0],
        [-2, 2, 0],
      ],
    };
    const faces = { name: 'face', properties: [indices], rows: [[[3, 0, 1, 2]]] };
    const [part] = (await importModel(ply(encoding, [arrow, faces]))).parts;
    const triangles = chunk(part?.indices ?? [], 3).map((corners) => corners.toSorted().join());
    expect(triangles.toSorted()).toEqual(['0,1,2', '0,2,3']);
  });

  test('keeps normals, texture coordinates from the bottom up, and colours of 8 bits with their opacity', async () => {
    const vertices = {
      name: 'vertex',
      properties: [...['x', 'y', 'z', 'nx', 'ny', 'nz', 's', 't'].map((name) => `float ${name}`), ...rgba('uchar')],
      rows: [
        [0, 0, 0, 0, 0, 1, 0, 0.25, 255, 0, 0, 255],
        [1, 0, 0, 0, 0, 1, 1, 0, 0, 128, 0, 128],
        [0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0],
      ],
    };
    const { parts, document } = await importModel(ply(encoding, [vertices, oneTriangle()]));
    expect(parts[0]).toMatchObject({
      normals: [0, 0, 1, 0, 0, 1, 0, 0, 1],
      texcoords: [0, 0.75, 1, 1, 0, 0],
      // sRGB 128 is 55 in linear light.
      colors: [255, 0, 0, 255, 0, 55, 0, 128, 0, 0, 0, 0],
    });
    expect(document.getRoot().listMaterials()[0]?.getAlphaMode()).toBe('BLEND');
  });

  test.each([
    ['float red', [0.5, 0, 0], [1, 0, 0]],
    ['double red', [128, 0, 0], [255, 0, 0]],
    ['ushort red', [32_896, 0, 0], [65_535, 0, 0]],
    ['uchar diffuse_red', [128, 0, 0], [255, 0, 0]],
    ['uchar ambient_red', [128, 0, 0], [255, 0, 0]],
  ])('has the colours of %s', async (red, half, full) => {
    const colors = ['red', 'green', 'blue'].map((name) => red.replace('red', name));
    const rows = [
      [0, 0, 0, ...half],
      [1, 0, 0, ...full],
    ];
    const { parts } = await importModel(ply(encoding, [{ name: 'vertex', properties: [...xyz, ...colors], rows }]));
    expect(parts[0]?.mode).toBe(0);
    expect(parts[0]?.colors?.[0]).toBeCloseTo(55, -0.5);
    expect(parts[0]?.colors?.slice(4)).toEqual([255, 0, 0, 255]);
  });

  test('gives faces with colours or texture coordinates of their own corners of their own', async () => {
    const faces = {
      name: 'face',
      properties: [indices, 'list uchar float texcoord', ...rgba('uchar').slice(0, 3)],
      rows: [
        [[0, 1, 2], [0, 0, 1, 0, 1, 1], 255, 0, 0],
        [[0, 2, 3], [0, 0, 1, 1, 0, 1], 0, 255, 0],
      ],
    };
    const [part] = (await importModel(ply(encoding, [square, faces]))).parts;
    expect(part).toMatchObject({
      indices: null,
      texcoords: [0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0],
      positions: [0, 0, 0, 2, 0, 0, 2, 2, 0, 0, 0, 0, 2, 2, 0, 0, 2, 0],
    });
    expect(chunk(part?.colors ?? [], 4).map((color) => color[0])).toEqual([255, 255, 255, 0, 0, 0]);
  });

  test('cuts triangle strips, each turned as the first', async () => {
    const strips = {
      name: 'tristrips',
      properties: ['list int int vertex_indices'],
      rows: [[[0, 1, 3, 2, -1, 0, 2, 1]]],
    };
    const [part] = (await importModel(ply(encoding, [square, strips]))).parts;
    expect(part?.indices).toEqual([0, 1, 3, 3, 1, 2, 0, 2, 1]);
  });

  test('passes over elements and properties that it does not know', async () => {
    const material = { name: 'material', properties: ['list uint double values', 'short id'], rows: [[[1, 2, 3], -4]] };
    const vertices = {
      name: 'vertex',
      properties: ['double quality', 'float z', 'list uchar short tags', 'float y', 'float x'],
      rows: [
        [9, 3, [], 2, 1],
        [9, 0, [7, 8], 0, 4],
        [9, 0, [1], 5, 0],
      ],
    };
    const { parts } = await importModel(ply(encoding, [material, vertices, oneTriangle()]));
    expect(parts[0]?.positions).toEqual([1, 2, 3, 4, 0, 0, 0, 5, 0]);
  });

  test('leaves faces without an area out, and says so', async () => {
    const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2]], [[0, 1]], [[]]] };
    const { parts, warnings } = await importModel(ply(encoding, [square, faces]));
    expect(parts[0]?.indices).toEqual([0, 1, 2]);
    expect(warnings).toMatchObject([{ code: 'faces_without_area', details: { faces: '2' } }]);
  });

  test('keeps places far from zero apart', async () => {
    const far = {
      name: 'vertex',
      properties: ['double x', 'double y', 'float z'],
      rows: [
        [500_000.25, -5_400_000.125, 2],
        [500_000.26, -5_400_000.126, 3],
      ],
    };
    const { parts } = await importModel(ply(encoding, [far]));
    for (const [i, value] of far.rows.flat().entries()) expect(parts[0]?.positions[i]).toBeCloseTo(value, 6);
  });

  test('is refused for faces that refer to no vertex', async () => {
    const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2]], [[0, 99, 2]]] };
    const where = encoding === 'ascii' ? 'line 15' : 'byte \\d+';
    const why = `${where}: face refers to vertex 99, but there are 4`;
    expect(await refusalOf(ply(encoding, [square, faces]))).toMatch(new RegExp(why));
  });

  test('leaves out points and faces without a place, and is refused where these are most', async () => {
    const holes = {
      ...square,
      properties: [...xyz, ...rgba('uchar').slice(0, 3)],
      rows: [
        [Number.NaN, Number.NaN, Number.NaN, 1, 1, 1],
        [9000, 0, 0, 255, 0, 0],
        [9001, 0, 0, 0, 255, 0],
        [9001, 1, 0, 0, 0, 255],
        [9000, 1, 0, 255, 255, 255],
      ],
    };
    const cloud = await importModel(ply(encoding, [holes]));
    expect(cloud.parts[0]?.positions).toEqual([9000, 0, 0, 9001, 0, 0, 9001, 1, 0, 9000, 1, 0]);
    expect(cloud.parts[0]?.colors?.slice(0, 4)).toEqual([255, 0, 0, 255]);
    expect(cloud.warnings).toMatchObject([
      { code: 'positions_lost', details: { positions: '1', first: expect.stringContaining('(NaN, NaN, NaN)') } },
    ]);
    const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2]], [[1, 2, 3, 4]], [[4, 3, 0]]] };
    const mesh = await importModel(ply(encoding, [holes, faces]));
    expect(cornersOf(mesh.parts[0])).toEqual([9000, 0, 0, 9001, 0, 0, 9001, 1, 0, 9000, 0, 0, 9001, 1, 0, 9000, 1, 0]);
    const only = { ...faces, rows: [[[0, 1, 2]]] };
    expect(await refusalOf(ply(encoding, [holes, only]))).toMatch(
      /(line \d+|byte \d+): a position is no number \(NaN, NaN, NaN\)/,
    );
    const most = { ...square, rows: [...square.rows.slice(0, 1), [0, Number.NaN, 1], [0, Number.NaN, 2]] };
    expect(await refusalOf(ply(encoding, [most]))).toMatch(/(line 9|byte \d+): a position is no number \(0, NaN, 1\)/);
  });

  test('has no normals where all of them are zero, and those of its faces where some are', async () => {
    const vertices = (normals: readonly (readonly number[])[]) => ({
      name: 'vertex',
      properties: [...xyz, 'float nx', 'float ny', 'float nz'],
      rows: square.rows.map((row, i) => [...row, ...(normals[i] ?? [0, 0, 0])]),
    });
    const cloud = await importModel(ply(encoding, [vertices([])]));
    expect(cloud.parts[0]?.normals).toBeUndefined();
    expect(cloud.document.getRoot().listMaterials()[0]?.getExtension('KHR_materials_unlit')).not.toBeNull();
    const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2, 3]]] };
    const mesh = await importModel(ply(encoding, [vertices([[1, 0, 0]]), faces]));
    expect(mesh.parts[0]?.normals).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
  });

  test('any mesh comes back as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(anyMesh, async ({ vertices, faces }) => {
        const rows = faces.map((face) => [face]);
        const content = ply(encoding, [
          { ...square, rows: vertices },
          { name: 'face', properties: [indices], rows },
        ]);
        const [part] = (await importModel(content)).parts;
        expect(cornersOf(part)).toEqual(faces.flat().flatMap((vertex) => vertices[vertex] ?? []));
      }),
      { numRuns: 40 },
    );
  });

  test('comes back whole where it is larger than what is read at once', async () => {
    const vertices = Array.from({ length: 100_000 }, (_, i) => [i / 4, 0 - i, i % 7]);
    const polygon = Array.from({ length: 90_000 }, (_, i) => i);
    const faces = {
      name: 'face',
      properties: ['list uint uint vertex_index'],
      rows: [[polygon], ...vertices.slice(2).map((_, i) => [[i, i + 1, i + 2]])],
    };
    const [part] = (await importModel(ply(encoding, [{ ...square, rows: vertices }, faces]))).parts;
    expect(part?.positions).toEqual(vertices.flat());
    expect(part?.indices).toHaveLength(3 * (polygon.length - 2 + vertices.length - 2));
    expect(part?.indices?.slice(-3)).toEqual([99_997, 99_998, 99_999]);
  });

  test('is refused wherever it was cut off, and survives changed bytes', async () => {
    const faces = { name: 'face', properties: [indices], rows: [[[0, 1, 2, 3]], [[0, 2, 1]]] };
    const content = ply(encoding, [square, faces]);
    await refusesEveryTruncation(content, encoding === 'ascii' ? 2 : 1);
    await survivesChangedBytes('model.ply', content);
  });
});

describe('a PLY header', () => {
  test('names the program and the texture, which is looked for by the end of its path', async () => {
    const uv = {
      ...square,
      properties: [...xyz, 'float s', 'float t'],
      rows: square.rows.map((row) => [...row, 0, 0]),
    };
    const content = ply(
      'ascii',
      [uv, oneTriangle()],
      ['Created by Blender 4', 'TextureFile C:\\somewhere\\images\\wood.png'],
    );
    const found = await assetOf({ 'model.ply': content, 'images/wood.png': png(4, [200, 100, 50]) });
    expect(found.outcome).toMatchObject({ warnings: [], info: { inputInfo: { sourceAssetGenerator: 'Blender 4' } } });
    const { outcome } = await convertModel({ 'model.ply': content });
    expect(outcome.warnings).toMatchObject([{ code: '4004', details: { material: 'default' } }]);
  });

  test('may have any line ends, comments without their word, and counts of nothing', async () => {
    const content = ply('ascii', [square, oneTriangle(), { name: 'edge', properties: [], rows: [] }]).toString();
    const text = content.replace('element vertex', 'made by hand\nobj_info x\nelement vertex');
    for (const variant of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r'), text.trimEnd()]) {
      expect((await importModel(variant)).parts[0]?.indices).toEqual([0, 1, 2]);
    }
  });

  test.each([
    ['element vertex 4', 'element vertex -4', /line 3: '-4' is no count of the element 'vertex'/],
    ['element vertex 4', 'element vertex 99999999999', /99999999999 of 'vertex'.*but \d+ follow: the file was cut off/],
    ['element vertex 4', 'element vertices 4', /it has no vertices/],
    ['float x', 'floot x', /line 4: 'floot' is no type/],
    ['float x', 'float q', /'vertex' has no x, y and z/],
    ['format ascii 1.0', 'format text 1.0', /line 2: the format 'text' is none of PLY's/],
    ['format ascii 1.0', '', /has no format/],
    ['list uchar int', 'list float int', /line 8: a list is counted by whole numbers/],
    ['vertex_indices', 'something', /element 'face' has no list vertex_indices/],
    ['end_header', '', /within the header/],
    ['2 0 0', '2 0', /line 11: the vertex ends before its 'z'/],
    ['3 0 1 2', '3 0 1', /line 14: the face ends before its 'vertex_indices'/],
    ['3 0 1 2', '-3 0 1 2', /line 14: -3 is no count/],
    ['3 0 1 2', '3 0 1.5 2', /line 14: face refers to vertex 1.5/],
  ])("with '%s' become '%s' is refused with the line", async (from, to, why) => {
    expect(await refusalOf(ply('ascii', [square, oneTriangle()]).toString().replace(from, to))).toMatch(why);
  });
});

test('a list that claims more than the file has is refused before room is made for it', async () => {
  const faces = { name: 'face', properties: ['list uint int vertex_indices'], rows: [[[0, 1, 2]]] };
  const content = ply('binary_little_endian', [square, faces]);
  content.writeUInt32LE(4_000_000_000, content.length - 16);
  expect(await refusalOf(content)).toMatch(/cut off: it ends after \d+ bytes, within face 1 of 1/);
});

test('limits are held before the work', async () => {
  const content = ply('ascii', [square, oneTriangle()]);
  const error = await errorOf({ 'model.ply': content }, { vertices: 3 });
  expect(error).toMatchObject({
    code: 'limit',
    message: expect.stringMatching(/4 vertices; the limit \(vertices\) is 3/),
  });
  expect(await refusalOf(content, { unpackedBytes: 100 })).toMatch(/limit \(unpackedBytes\) is 100/);
});

function oneTriangle(): Element {
  return { name: 'face', properties: [indices], rows: [[[0, 1, 2]]] };
}

function chunk(values: readonly number[], size: number): number[][] {
  return Array.from({ length: values.length / size }, (_, i) => values.slice(size * i, size * (i + 1)));
}
