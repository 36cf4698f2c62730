import { describe, expect, it } from 'vitest';
import {
  encodings,
  type FbxObject,
  geometry,
  layer,
  object,
  properties,
  property,
  scene,
  textOf,
} from '../../support/models/fbx-scene.ts';
import { importModel } from './import-model.ts';
import { importedDocument } from './imported-document.ts';

/** A box of 2 × 4 × 6. */
const box = {
  vertices: [-1, -2, -3, 1, -2, -3, 1, 2, -3, -1, 2, -3, -1, -2, 3, 1, -2, 3, 1, 2, 3, -1, 2, 3],
  polygons: [0, 3, 2, -2, 4, 5, 6, -8, 0, 1, 5, -5, 1, 2, 6, -6, 2, 3, 7, -7, 3, 0, 4, -8],
};
const red = object(
  'Material',
  3,
  'red',
  '',
  [['ShadingModel', ['phong']], properties({ DiffuseColor: [1, 0, 0] })],
  [2],
);

function boxOf(id: number, to: FbxObject['to']): FbxObject {
  return geometry(id, box.vertices, box.polygons, [], to);
}

function model(
  id: number,
  name: string,
  rows: Parameters<typeof property>[] = [],
  to: FbxObject['to'] = [0],
  type = 'Mesh',
) {
  return object(
    'Model',
    id,
    name,
    type,
    [
      ['Version', [232]],
      ['Properties70', [], rows.map((row) => property(...row))],
    ],
    to,
  );
}

describe('polygons of many corners in an FBX', () => {
  // A wall with a door and a window that are cut out of it from below and from above, and a square beside it.
  const outline = [
    [0, 0],
    [2, 0],
    [2, 3],
    [3, 3],
    [3, 0],
    [9, 0],
    [9, 5],
    [7, 5],
    [7, 2],
    [5, 2],
    [5, 5],
    [0, 5],
  ];
  const square = [
    [20, 0],
    [21, 0],
    [21, 1],
    [20, 1],
  ];
  const corners = [...square, ...outline];
  const polygons = [0, 1, 2, -4, ...outline.map((_, i) => (i + 1 === outline.length ? -(i + 4) - 1 : i + 4))];
  const layers = [
    layer(
      'LayerElementNormal',
      'ByPolygonVertex',
      'Normals',
      corners.flatMap(() => [0, 0, 1]),
    ),
    layer(
      'LayerElementUV',
      'ByPolygonVertex',
      'UV',
      corners.flatMap(([x = 0, y = 0]) => [x, y]),
      ['UVIndex', [...corners.keys()]],
    ),
    layer('LayerElementMaterial', 'ByPolygon', 'Materials', [1, 0]),
  ];
  const records = scene([
    geometry(
      1,
      corners.flatMap(([x = 0, y = 0]) => [x, y, 0]),
      polygons,
      layers,
      [2],
    ),
    model(2, 'wall'),
    red,
    object('Material', 4, 'green', '', [properties({ DiffuseColor: [0, 1, 0] })], [2]),
  ]);

  it.each(encodings(records))(
    'are cut into triangles with all that is said of their corners: %s',
    async (_encoding, file) => {
      const { parts } = await importModel(file);
      const [wall, beside] = parts.toSorted((a, b) => b.positions.length - a.positions.length);
      expect(areaOf(wall?.positions)).toBeCloseTo(45 - 3 - 6, 4);
      expect(areaOf(beside?.positions)).toBeCloseTo(1, 4);
      for (const part of [wall, beside]) {
        for (let i = 0; 3 * i < (part?.positions.length ?? 0); i += 1) {
          expect(part?.normals?.slice(3 * i, 3 * i + 3)).toEqual([0, 0, 1]);
          // Heights of texture coordinates are counted from the top in glTF.
          expect(part?.texcoords?.[2 * i]).toBeCloseTo(part?.positions[3 * i] ?? Number.NaN, 4);
          expect(1 - (part?.texcoords?.[2 * i + 1] ?? Number.NaN)).toBeCloseTo(
            part?.positions[3 * i + 1] ?? Number.NaN,
            4,
          );
        }
      }
    },
  );

  // A star with many rays of uneven lengths.
  const rays = Array.from({ length: 1500 }, (_, i) => {
    const [angle, length] = [
      (2 * Math.PI * i) / 1500,
      0.2 + 5 * Math.abs((Math.sin((i + 1) * 12.9898) * 43_758.5453) % 1),
    ];
    return [length * Math.cos(angle), length * Math.sin(angle)] as const;
  });
  const star = scene([
    geometry(
      1,
      rays.flatMap(([x, y]) => [x, y, 0]),
      rays.map((_, i) => (i + 1 === rays.length ? -i - 1 : i)),
      [],
      [2],
    ),
    model(2, 'star'),
  ]);

  it.each(encodings(star))('lose none of their area: %s', async (_encoding, file) => {
    const twice = rays.reduce((sum, [x, y], i) => {
      const [u = 0, v = 0] = rays[(i + 1) % rays.length] ?? [];
      return sum + x * v - u * y;
    }, 0);
    expect(areaOf((await importModel(file)).parts[0]?.positions)).toBeCloseTo(twice / 2, 3);
  });
});

describe('a mesh in an FBX', () => {
  it.each(encodings(scene([boxOf(1, [2]), model(2, 'box'), red])))(
    'has the material of its object where it does not say of which polygons: %s',
    async (_encoding, file) => {
      const { materials } = await importedDocument(
        { 'm.fbx': file },
        { gammaToLinearMaterial: false, fbxAssumeMetallic: false },
      );
      expect(materials).toMatchObject([{ name: 'red', color: [1, 0, 0, 1] }]);
    },
  );

  const twins = scene([
    boxOf(1, [2, 5, 6]),
    model(2, 'first'),
    model(5, 'second', [['Lcl Translation', 'Lcl Translation', 10, 0, 0]]),
    model(6, 'third', [['Lcl Translation', 'Lcl Translation', 20, 0, 0]]),
    red,
    object('Material', 4, 'green', '', [properties({ DiffuseColor: [0, 1, 0] })], [5, 6]),
  ]);

  it.each(encodings(twins))('is shown with the material of each of its objects: %s', async (_encoding, file) => {
    const { document } = await importModel(file);
    const shown = document
      .getRoot()
      .listNodes()
      .flatMap((node) => {
        const part = node.getMesh()?.listPrimitives()[0];
        return part === undefined ? [] : [[node.getName(), part.getMaterial()?.getName()]];
      });
    expect(shown).toEqual([
      ['first', 'red'],
      ['second', 'green'],
      ['third', 'green'],
    ]);
  });

  const moved: Parameters<typeof property> = ['Lcl Translation', 'Lcl Translation', 10, 0, 0];
  const hidden = scene([
    boxOf(1, [2]),
    model(2, 'shown'),
    boxOf(11, [12]),
    model(12, 'hidden', [['Visibility', 'Visibility', 0], moved]),
    boxOf(21, [22]),
    model(22, 'switched off', [['Show', 'bool', 0], moved]),
    boxOf(31, [32]),
    model(32, 'in what is hidden', [moved], [12]),
  ]);

  it.each(encodings(hidden))('is left out where it is hidden, with a warning: %s', async (_encoding, file) => {
    const { size, outcome } = await importedDocument({ 'm.fbx': file });
    expect(size).toEqual([0.02, 0.04, 0.06]);
    expect(outcome.warnings).toEqual([
      {
        code: 'hidden_left_out',
        title: 'Hidden objects left out',
        details: { objects: 'hidden, switched off, in what is hidden' },
      },
    ]);
  });

  it('is kept where everything is hidden, or an animation shows it', async () => {
    const rows: Parameters<typeof property>[] = [['Visibility', 'Visibility', 0]];
    const alone = scene([boxOf(1, [2]), model(2, 'box', rows)]);
    const blinking = scene([
      boxOf(1, [2]),
      model(2, 'box', [...rows, moved]),
      boxOf(11, [12]),
      model(12, 'other'),
      object('AnimationCurveNode', 5, 'Visibility', '', [], [[2, 'Visibility']]),
    ]);
    for (const [records, width] of [
      [alone, 0.02],
      [blinking, 0.12],
    ] as const) {
      const { size, outcome } = await importedDocument({ 'm.fbx': textOf(records) });
      expect(size[0]).toBe(width);
      expect(outcome.warnings).toEqual([]);
    }
  });

  const levels = scene([
    model(30, 'tree', [], [0], 'LodGroup'),
    boxOf(1, [2]),
    model(2, 'near', [], [30]),
    boxOf(11, [12]),
    model(12, 'far', [moved], [30]),
  ]);

  it.each(encodings(levels))('stands for its levels of detail where it is the nearest: %s', async (_encoding, file) => {
    const { size, outcome } = await importedDocument({ 'm.fbx': file });
    expect(size).toEqual([0.02, 0.04, 0.06]);
    expect(outcome.warnings).toMatchObject([{ code: 'levels_of_detail_left_out', details: { objects: 'far' } }]);
  });

  it('is kept beside curved surfaces, which are named', async () => {
    const curved = object('Geometry', 41, 'hull', 'NurbsSurface', [['Type', ['NurbsSurface']]], [42]);
    const records = scene([boxOf(1, [2]), model(2, 'box'), curved, model(42, 'hull', [], [0], 'NurbsSurface')]);
    const { outcome } = await importedDocument({ 'm.fbx': textOf(records) });
    expect(outcome.warnings).toMatchObject([{ code: 'free_forms_left_out', details: { objects: 'hull' } }]);
  });
});

function areaOf(positions: readonly number[] = []): number {
  let area = 0;
  for (let i = 0; i + 8 < positions.length; i += 9) {
    const [ax = 0, ay = 0, , bx = 0, by = 0, , cx = 0, cy = 0] = positions.slice(i, i + 9);
    area += Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2;
  }
  return area;
}
