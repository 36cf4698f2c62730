import type { Document, vec4 } from '@gltf-transform/core';
import { describe, expect, it } from 'vitest';
import {
  encodings,
  type FbxObject,
  geometry,
  layer,
  object,
  property,
  scene,
  textOf,
} from '../../support/models/fbx-scene.ts';
import { importModel } from './import-model.ts';
import { importedDocument, rounded } from './imported-document.ts';

const SECOND = 46_186_158_000;
const [CONSTANT, LINEAR] = [2, 4];

const square = { vertices: [-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0], polygons: [0, 1, 2, -4] };
const shape = geometry(1, square.vertices, square.polygons, [], [2]);
const model = object('Model', 2, 'box', 'Mesh', [['Version', [232]]], [0]);

/** An animation of two seconds. */
const walk = [
  object('AnimationStack', 100, 'walk', '', [['Properties70', [], [property('LocalStop', 'KTime', 2 * SECOND)]]], []),
  object('AnimationLayer', 101, 'base', '', [], [100]),
];

function curveNode(id: number, target: number, name: string): FbxObject {
  return object('AnimationCurveNode', id, name, '', [], [101, [target, name]]);
}

function curve(id: number, node: number, axis: string, seconds: number[], values: number[], flag = LINEAR): FbxObject {
  return object(
    'AnimationCurve',
    id,
    '',
    '',
    [
      ['KeyVer', [4008]],
      ['KeyTime', [{ longs: seconds.map((time) => time * SECOND) }]],
      ['KeyValueFloat', [{ doubles: values }]],
      ['KeyAttrFlags', [{ integers: [flag] }]],
      ['KeyAttrRefCount', [{ integers: [seconds.length] }]],
    ],
    [[node, `d|${axis}`]],
  );
}

describe('motion in an FBX', () => {
  const turning = scene([
    shape,
    model,
    ...walk,
    curveNode(110, 2, 'Lcl Rotation'),
    curve(111, 110, 'Z', [0, 2], [0, 720]),
  ]);

  it.each(encodings(turning))('turns as often as its angles say: %s', async (_encoding, file) => {
    const { document } = await importModel(file);
    for (const seconds of [0.25, 0.5, 1.25, 1.75]) {
      const [, , z, w] = rotationAt(document, seconds);
      const degrees = (2 * Math.atan2(z, w) * 180) / Math.PI;
      expect(((degrees % 360) + 360) % 360).toBeCloseTo((360 * seconds) % 360, 0);
    }
  });

  const jumping = scene([
    shape,
    model,
    ...walk,
    curveNode(110, 2, 'Lcl Translation'),
    curve(111, 110, 'X', [0, 1, 2], [0, 5, 7], CONSTANT),
  ]);

  it.each(encodings(jumping))('stays until it jumps where a value is held: %s', async (_encoding, file) => {
    const { document } = await importModel(file);
    const [times, values] = trackOf(document, 'translation');
    const before = times.findLastIndex((time) => time < 1);
    expect(times[before]).toBeCloseTo(0.999, 3);
    expect(values[3 * before]).toBe(0);
    expect(values[3 * times.findIndex((time) => time >= 1)]).toBe(5);
  });
});

describe('shapes in an FBX', () => {
  function channel(id: number, name: string, percent: number, vertices: number[], moved: number[]): FbxObject[] {
    return [
      object(
        'Deformer',
        id,
        name,
        'BlendShapeChannel',
        [
          ['Version', [100]],
          ['DeformPercent', [percent]],
          ['FullWeights', [{ doubles: [100] }]],
        ],
        [40],
      ),
      object(
        'Geometry',
        id + 1,
        name,
        'Shape',
        [
          ['Version', [100]],
          ['Indexes', [{ integers: vertices }]],
          ['Vertices', [{ doubles: moved }]],
          ['Normals', [{ doubles: moved.map(() => 0) }]],
        ],
        [id],
      ),
    ];
  }
  const materials = [object('Material', 3, 'a', '', [], [2]), object('Material', 4, 'b', '', [], [2])];
  // Two squares back to back, one of each material.
  const sheets = geometry(
    1,
    [...square.vertices, ...square.vertices.map((value, i) => (i % 3 === 2 ? -1 : value))],
    [...square.polygons, 7, 6, 5, -5],
    [layer('LayerElementMaterial', 'ByPolygon', 'Materials', [0, 1])],
    [2],
  );
  const face = [
    sheets,
    model,
    ...materials,
    object('Deformer', 40, 'face', 'BlendShape', [['Version', [100]]], [1]),
    ...channel(41, 'smile', 0, [0, 4], [0, 5, 0, 0, 5, 0]),
    ...channel(51, 'frown', 25, [2], [0, 0, 3]),
    ...channel(61, 'blink', 0, [2], [0, 0, -3]),
  ];
  const talk = [...walk, curveNode(110, 41, 'DeformPercent'), curve(111, 110, 'DeformPercent', [0, 1], [0, 100])];

  it.each(encodings(scene([...face, ...talk])))(
    'are morph targets with their names and weights: %s',
    async (_encoding, file) => {
      const { document } = await importModel(file);
      const [mesh] = document.getRoot().listMeshes();
      expect(mesh?.getExtras()).toEqual({ targetNames: ['smile', 'frown', 'blink'] });
      expect(mesh?.getWeights()).toEqual([0, 0.25, 0]);
      expect(mesh?.listPrimitives()).toHaveLength(2);
      for (const [i, part] of (mesh?.listPrimitives() ?? []).entries()) {
        const moved = part.listTargets().map((target) => movedIn(target.getAttribute('POSITION')?.getArray()));
        expect(moved).toEqual([['0,5,0'], i === 0 ? ['0,0,3'] : [], i === 0 ? ['0,0,-3'] : []]);
      }
      const [times, weights] = trackOf(document, 'weights');
      expect(times).toEqual([0, 1]);
      expect(weights).toEqual([0, 0.25, 0, 1, 0.25, 0]);
    },
  );

  it('stay until they jump where a value is held', async () => {
    const jump = [
      ...walk,
      curveNode(110, 41, 'DeformPercent'),
      curve(111, 110, 'DeformPercent', [0, 1], [0, 100], CONSTANT),
    ];
    const [times, weights] = trackOf((await importModel(textOf(scene([...face, ...jump])))).document, 'weights');
    expect(times.map((time) => rounded(time))).toEqual([0, 0.999, 1]);
    expect([0, 3, 6].map((at) => weights[at])).toEqual([0, 0, 1]);
  });

  it('are valid where the model is converted', async () => {
    const { outcome, document } = await importedDocument({
      'm.fbx': encodings(scene([...face, ...talk]))[1]?.[1] ?? new Uint8Array(),
    });
    expect(outcome.warnings).toEqual([]);
    expect(document.getRoot().listAnimations()).toHaveLength(1);
  });
});

/** The displacements of the vertices that are moved, each once. */
function movedIn(array: ArrayLike<number> | null | undefined): string[] {
  const values = Array.from(array ?? [], (value) => rounded(value) + 0);
  const moved = new Set<string>();
  for (let i = 0; i < values.length; i += 3) moved.add(values.slice(i, i + 3).join(','));
  moved.delete('0,0,0');
  return [...moved];
}

function trackOf(document: Document, path: string): [times: number[], values: number[]] {
  const channels = document
    .getRoot()
    .listAnimations()
    .flatMap((animation) => animation.listChannels());
  const sampler = channels.find((channel) => channel.getTargetPath() === path)?.getSampler();
  return [Array.from(sampler?.getInput()?.getArray() ?? []), Array.from(sampler?.getOutput()?.getArray() ?? [])];
}

/** The rotation at a time, on the straight way between keyframes that lie near each other. */
function rotationAt(document: Document, seconds: number): vec4 {
  const [times, values] = trackOf(document, 'rotation');
  const next = Math.max(
    1,
    times.findIndex((time) => time >= seconds),
  );
  const [from = 0, to = 1] = [times[next - 1], times[next]];
  const part = (seconds - from) / (to - from);
  const [a, b] = [values.slice(4 * next - 4, 4 * next), values.slice(4 * next, 4 * next + 4)];
  const sign = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0) < 0 ? -1 : 1;
  const [x = 0, y = 0, z = 0, w = 1] = a.map((value, i) => value * (1 - part) + sign * part * (b[i] ?? 0));
  return [x, y, z, w];
}
