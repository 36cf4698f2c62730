import { describe, expect, test } from 'vitest';
import { png } from '../../support/models/index.ts';
import { importModel, refusalOf } from './import-model.ts';
import { importedDocument } from './imported-document.ts';
import { ply, rgba, xyz } from './write-ply.ts';

test('a PLY with several textures has them on the faces that say so', async () => {
  const vertices = {
    name: 'vertex',
    properties: xyz,
    rows: [
      [0, 0, 0],
      [1, 0, 0],
      [1, 1, 0],
      [0, 1, 0],
    ],
  };
  const faces = {
    name: 'face',
    properties: ['list uchar int vertex_indices', 'list uchar float texcoord', 'int texnumber'],
    rows: [
      [[0, 1, 2], [0, 0, 1, 0, 1, 1], 1],
      [[0, 2, 3], [0, 0, 1, 1, 0, 1], 0],
      [[0, 1, 3], [0, 0, 1, 1, 0, 1], 7],
    ],
  };
  const content = ply('binary_little_endian', [vertices, faces], ['TextureFile a.png', 'TextureFile b.png']);
  const { document, outcome } = await importedDocument({
    'model.ply': content,
    'a.png': png(2, [200, 0, 0]),
    'b.png': png(2, [0, 200, 0]),
  });
  const parts = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives())
    .map((part) => [
      part.getMaterial()?.getName(),
      part.getMaterial()?.getBaseColorTexture() !== null,
      part.getIndices()?.getCount(),
    ]);
  expect(parts.sort()).toEqual([
    ['a.png', true, 3],
    ['b.png', true, 3],
    ['default', false, 3],
  ]);
  expect(outcome.warnings).toEqual([]);
});

describe('a PLY of points', () => {
  test('shows Gaussian splats as points in their colours, and says so', async () => {
    const splats = {
      name: 'vertex',
      properties: [...xyz, 'nx', 'ny', 'nz', 'f_dc_0', 'f_dc_1', 'f_dc_2', 'opacity', 'scale_0', 'rot_0'].map((name) =>
        name.startsWith('float') ? name : `float ${name}`,
      ),
      rows: [
        [0, 0, 0, 0, 0, 0, 1.7724539, -1.7724539, 0, 5, -4, 1],
        [1, 0, 0, 0, 0, 0, 9, -9, 0, 5, -4, 1],
      ],
    };
    const { parts, warnings } = await importModel(ply('binary_little_endian', [splats]));
    expect(parts).toMatchObject([{ mode: 0, colors: [255, 0, 55, 255, 255, 0, 55, 255] }]);
    expect(warnings).toMatchObject([{ code: 'splats_as_points', details: { splats: '2' } }]);
    const packed = { name: 'vertex', properties: ['uint packed_position'], rows: [[1]] };
    expect(await refusalOf(ply('binary_little_endian', [packed]))).toMatch(
      /compressed Gaussian splats.*uncompressed PLY/,
    );
  });

  test('has greys of intensities where it has no colours', async () => {
    const scan = {
      name: 'vertex',
      properties: [...xyz, 'float scalar_Intensity'],
      rows: [
        [0, 0, 0, 10],
        [1, 0, 0, 30],
      ],
    };
    expect((await importModel(ply('ascii', [scan]))).parts[0]?.colors).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  });

  test('is opaque where the opacity of all is zero', async () => {
    const cloud = {
      name: 'vertex',
      properties: [...xyz, ...rgba('uchar')],
      rows: [
        [0, 0, 0, 255, 0, 0, 0],
        [1, 0, 0, 0, 255, 0, 0],
      ],
    };
    expect((await importModel(ply('ascii', [cloud]))).parts[0]?.colors).toEqual([255, 0, 0, 255, 0, 255, 0, 255]);
  });
});
