import { describe, expect, it } from 'vitest';
import {
  encodings,
  type FbxObject,
  geometry,
  layer,
  object,
  properties,
  scene,
  textOf,
} from '../../support/models/fbx-scene.ts';
import { convertModel, errorOf } from './convert-model.ts';
import { importModel, refusalOf } from './import-model.ts';

const SECOND = 46_186_158_000;
const square = { vertices: [-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0], polygons: [0, 1, 2, -4] };

function shape(to: FbxObject['to'], layers: Parameters<typeof geometry>[3] = []): FbxObject {
  return geometry(1, square.vertices, square.polygons, layers, to);
}

function model(id: number): FbxObject {
  return object('Model', id, `model ${id}`, 'Mesh', [['Version', [232]]], [0]);
}

function paint(id: number, to: number): FbxObject {
  return object('Material', id, `paint ${id}`, '', [properties({ DiffuseColor: [1, 0, 0] })], [to]);
}

/** Rotation by keyframes. */
function turning(seconds: readonly number[], degrees: readonly number[]): FbxObject[] {
  return [
    object('AnimationStack', 100, 'walk', '', [], []),
    object('AnimationLayer', 101, 'base', '', [], [100]),
    object('AnimationCurveNode', 110, 'R', '', [], [101, [2, 'Lcl Rotation']]),
    object(
      'AnimationCurve',
      111,
      '',
      '',
      [
        ['KeyTime', [{ longs: seconds.map((time) => time * SECOND) }]],
        ['KeyValueFloat', [{ doubles: degrees }]],
        ['KeyAttrFlags', [{ integers: [4] }]],
        ['KeyAttrRefCount', [{ integers: [seconds.length] }]],
      ],
      [[110, 'd|Z']],
    ),
  ];
}

describe('an FBX', () => {
  const ids = Array.from({ length: 200 }, (_, i) => 1000 + i);
  const crowd = scene([shape(ids), ...ids.map(model), ...ids.map((id) => paint(id + 1000, id))]);

  it.each(encodings(crowd))('is refused where its copies unpack to more than there may be: %s', async (what, file) => {
    const unpackedBytes = what === 'text' ? file.length : 10_000;
    expect(await refusalOf(file, { unpackedBytes })).toContain('(unpackedBytes)');
    expect((await importModel(file)).parts).toHaveLength(ids.length);
  });

  it('has objects of strange numbers', async () => {
    const strange = scene([shape([2, 3.5, 4]), model(2), model(3.5), model(4), paint(5, 3.5), paint(6, 4)]);
    const { parts } = await importModel(textOf(strange));
    expect(parts.length).toBeGreaterThanOrEqual(2);
  });

  it('has motion of which some times are no numbers', async () => {
    const text = Buffer.from(textOf(scene([shape([2]), model(2), ...turning([0, 1, 2, 3], [0, 720, 0, 720])])));
    const broken = text.toString().replace(String(2 * SECOND), 'nan');
    const { outcome } = await convertModel({ 'm.fbx': Buffer.from(broken) });
    expect(outcome).toMatchObject({ status: 'succeeded', validation: { numErrors: 0 } });
  });

  it.each(encodings(scene([shape([2]), model(2), ...turning([0, 1e8], [0, 1e15])])))(
    'has motion that is not followed where it would take for ever: %s',
    async (_what, file) => {
      const { outcome } = await convertModel({ 'm.fbx': file });
      // The library may follow it, or give up.
      if (outcome.status === 'failed') expect(outcome.error.code).toBe('input_refused');
    },
  );

  const count = 3000;
  const disc = geometry(
    1,
    Array.from({ length: count }, (_, i) => (2 * Math.PI * i) / count).flatMap((turn) => [
      Math.cos(turn),
      Math.sin(turn),
      0,
    ]),
    Array.from({ length: count }, (_, i) => (i + 1 === count ? -count : i)),
    [layer('LayerElementMaterial', 'ByPolygon', 'Materials', new Array<number>(100 * count).fill(0))],
    [2],
  );

  it.each(encodings(scene([disc, model(2), paint(3, 2)])))(
    'has polygons of which much more is said than there is: %s',
    async (_what, file) => {
      const { outcome } = await convertModel({ 'm.fbx': file });
      expect(outcome).toMatchObject({ status: 'succeeded', info: { inputStatistics: { numFaces: count - 2 } } });
    },
  );
});

describe('the shapes of an FBX', () => {
  function channel(id: number, moved: readonly number[], times: readonly number[] = []): FbxObject[] {
    const at = times.map((time) => Math.round(time * SECOND));
    return [
      object(
        'Deformer',
        id,
        `shape ${id}`,
        'BlendShapeChannel',
        [
          ['Version', [100]],
          ['DeformPercent', [0]],
          ['FullWeights', [{ doubles: [100] }]],
        ],
        [40],
      ),
      object(
        'Geometry',
        id + 1,
        `shape ${id}`,
        'Shape',
        [
          ['Version', [100]],
          ['Indexes', [{ integers: moved.map((_, i) => i) }]],
          ['Vertices', [{ doubles: moved.flatMap((value) => [0, 0, value]) }]],
          ['Normals', [{ doubles: moved.flatMap(() => [0, 0, 0]) }]],
        ],
        [id],
      ),
      object('AnimationCurveNode', id + 2, 'DeformPercent', '', [], [101, [id, 'DeformPercent']]),
      object(
        'AnimationCurve',
        id + 3,
        '',
        '',
        [
          ['KeyTime', [{ longs: at }]],
          ['KeyValueFloat', [{ doubles: at }]],
        ],
        [[id + 2, 'd|DeformPercent']],
      ),
    ];
  }
  const face = object('Deformer', 40, 'face', 'BlendShape', [['Version', [100]]], [1]);

  it('are told apart where very many vertices lie in one place', async () => {
    const corners = 180_000;
    const flat = geometry(
      1,
      new Array<number>(3 * corners).fill(0),
      Array.from({ length: corners }, (_, i) => (i % 3 === 2 ? -i - 1 : i)),
      [],
      [2],
    );
    const records = scene([flat, model(2), face, ...channel(50, [1]), ...channel(60, [0, 2])]);
    const [, [, file] = ['', new Uint8Array()]] = encodings(records);
    const { document } = await importModel(file);
    const [part] = document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) => mesh.listPrimitives());
    expect(part?.listTargets()).toHaveLength(2);
  });

  it('are refused where their weights are more than there may be', async () => {
    const shapes = Array.from({ length: 40 }, (_, i) => {
      const times = Array.from({ length: 100 }, (_, j) => i + j / 100);
      return channel(1000 + 10 * i, [i + 1], times);
    });
    const walk = [
      object('AnimationStack', 100, 'walk', '', [], []),
      object('AnimationLayer', 101, 'base', '', [], [100]),
    ];
    const records = scene([shape([2]), model(2), face, ...walk, ...shapes.flat()]);
    const [, [, file] = ['', new Uint8Array()]] = encodings(records);
    expect(await errorOf({ 'm.fbx': file }, { unpackedBytes: 400_000 })).toMatchObject({
      code: 'limit',
      limit: 'unpackedBytes',
    });
    expect((await convertModel({ 'm.fbx': file })).outcome).toMatchObject({ status: 'succeeded' });
  });
});
