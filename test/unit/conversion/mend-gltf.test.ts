import type { Document } from '@gltf-transform/core';
import { describe, expect, it } from 'vitest';
import { boxGlb, featureGlb } from '../../support/models/index.ts';
import { convertModel, errorOf } from './convert-model.ts';
import { mended, partOf } from './mended-model.ts';

type Buffer3 = Parameters<NonNullable<Parameters<typeof featureGlb>[0]>>[0];

describe('nodes that are no trees', () => {
  it('are taken out of a parent that is shown nowhere, as UniGLTF writes it', async () => {
    const nodes = [{ name: 'tmpParent', children: [1], translation: [7, 0, 0] }, { mesh: 0 }];
    for (const { codes, boundingBox } of await mended(boxGlb({ nodes, scenes: [{ nodes: [1] }] }))) {
      expect(codes).toEqual(['scene_root_nested']);
      expect(boundingBox.max).toEqual([1, 1, 1]);
    }
  });

  it('are shown once, below their parent, where the scene has both', async () => {
    const nodes = [{ children: [1], translation: [7, 0, 0] }, { mesh: 0 }];
    for (const { codes, boundingBox } of await mended(boxGlb({ nodes, scenes: [{ nodes: [1, 0] }] }))) {
      expect(codes).toEqual(['scene_root_nested']);
      expect(boundingBox).toEqual({ min: [6, -1, -1], max: [8, 1, 1] });
    }
  });

  it('are copied where several hold them, with all that is below and what moves it', async () => {
    const model = featureGlb((buffer) => ({
      json: {
        scenes: [{ nodes: [0, 1] }],
        nodes: [{ children: [2, 2] }, { children: [2], translation: [5, 0, 0] }, { children: [3] }, { mesh: 0 }],
        animations: [motion(buffer, 3, 'translation', 'VEC3', [0, 0, 0, 1, 0, 0])],
      },
    }));
    for (const { document, codes, boundingBox } of await mended(model)) {
      expect(codes).toEqual(['node_copied']);
      expect(boundingBox).toEqual({ min: [0, 0, 0], max: [6, 1, 0] });
      expect(channelsOf(document)).toHaveLength(2);
    }
  });

  it('are refused where copies are more than there may be', async () => {
    const nodes = Array.from({ length: 40 }, (_, i) => ({ children: [i + 1, i + 41] }));
    const twins = Array.from({ length: 40 }, (_, i) => ({ children: [i + 1] }));
    const model = boxGlb({ nodes: [...nodes, { mesh: 0 }, ...twins], scenes: [{ nodes: [0] }] });
    expect(await errorOf(model)).toMatchObject({ code: 'limit', limit: 'nodes' });
  });

  it('may hold more children than a function takes values', async () => {
    const children = Array.from({ length: 180_000 }, (_, i) => i + 2);
    const nodes = [{ children: [1, ...children] }, { mesh: 0 }, ...children.map(() => ({}))];
    const { outcome } = await convertModel(boxGlb({ nodes, scenes: [{ nodes: [0] }] }), null);
    expect(outcome).toMatchObject({ status: 'succeeded', validation: { numErrors: 0 } });
  });

  it('may lie in scenes of which others are empty', async () => {
    const scenes = [{ nodes: [0] }, {}, { nodes: [] }, { nodes: [1] }];
    const [still, dynamic] = await mended(boxGlb({ scenes, nodes: [{ mesh: 0 }, { name: 'nothing' }] }));
    expect(still?.document.getRoot().listScenes()).toHaveLength(1);
    expect(dynamic?.document.getRoot().listScenes()).toHaveLength(2);
  });
});

describe('a skin', () => {
  it.each([
    ['whose joints have a parent that is none', { joints: [1, 2] }, [{ name: 'arm', children: [1, 2] }]],
    [
      'with a skeleton above its joints',
      { joints: [1, 2], skeleton: 3 },
      [{ name: 'arm', children: [4] }, { children: [1, 2] }],
    ],
    ['whose joints have no common parent', { joints: [1, 2] }, []],
    ['with a skeleton that is none', { joints: [1, 2], skeleton: 2 }, []],
    ['of joints that no scene shows', { joints: [1, 2], skeleton: 0 }, undefined],
  ])('%s moves what it did', async (_name, skin, above) => {
    const nodes = [{ mesh: 0, skin: 0 }, { name: 'a' }, { name: 'b', translation: [0, 2, 0] }, ...(above ?? [])];
    const roots = above === undefined ? [0] : above.length > 0 ? [0, 3] : [0, 1, 2];
    const model = featureGlb((buffer) => skinned(buffer, { nodes, scenes: [{ nodes: roots }], skins: [skin] }));
    for (const { document } of await mended(model)) {
      const [found] = document.getRoot().listSkins();
      expect(found?.listJoints().map((joint) => joint.getName())).toEqual(['a', 'b']);
      expect(found?.listJoints()[1]?.getWorldTranslation()).toEqual([0, 2, 0]);
    }
  });

  it('with matrices that are too few or no numbers binds its joints where they are, and is told of', async () => {
    const matrix = [Number.NaN, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const model = featureGlb((buffer) => {
      const inverseBindMatrices = buffer.add('MAT4', new Float32Array(matrix));
      const skins = [{ joints: [1, 2], inverseBindMatrices }];
      return skinned(buffer, {
        nodes: [{ mesh: 0, skin: 0 }, { children: [2] }, {}],
        scenes: [{ nodes: [0, 1] }],
        skins,
      });
    });
    for (const { codes } of await mended(model)) expect(codes).toContain('joints_unbound');
  });

  it('that holds a vertex twice by one joint, or by less than nothing, holds it once', async () => {
    const model = featureGlb((buffer) =>
      skinned(
        buffer,
        {
          nodes: [{ mesh: 0, skin: 0 }, { children: [2] }, {}],
          scenes: [{ nodes: [0, 1] }],
          skins: [{ joints: [1, 2] }],
        },
        [0.25, 0.5, 0.5, -1],
        [1, 1, 0, 0],
      ),
    );
    for (const { document } of await mended(model)) {
      const weights = partOf(document).getAttribute('WEIGHTS_0')?.getElement(0, []) ?? [];
      expect(weights.map((weight) => Math.round(100 * weight))).toEqual([60, 40, 0, 0]);
    }
  });

  it('is left out where its mesh says nothing of joints', async () => {
    const nodes = [{ mesh: 0, skin: 0 }, { name: 'joint' }];
    for (const { boundingBox } of await mended(
      boxGlb({ nodes, skins: [{ joints: [1] }], scenes: [{ nodes: [0, 1] }] }),
    )) {
      expect(boundingBox.max).toEqual([1, 1, 1]);
    }
  });
});

describe('an animation', () => {
  it.each([
    ['with fewer values than keyframes', 'translation', 'VEC3', [0, 0, 0]],
    ['with more values than keyframes', 'translation', 'VEC3', [0, 0, 0, 1, 1, 1, 2, 2, 2]],
    ['with values of another type', 'rotation', 'VEC3', [0, 0, 0, 1, 1, 1]],
  ] as const)('%s is left out, and told of', async (_name, path, type, values) => {
    const model = featureGlb((buffer) => ({ json: { animations: [motion(buffer, 0, path, type, values)] } }));
    for (const { document, codes } of await mended(model)) {
      expect(codes).toEqual(['animation_left_out']);
      expect(channelsOf(document)).toEqual([]);
    }
  });

  it('of weights that nothing has is left out', async () => {
    const model = featureGlb((buffer) => ({ json: { animations: [motion(buffer, 0, 'weights', 'SCALAR', [0, 1])] } }));
    for (const { document, codes } of await mended(model)) {
      expect(codes).toEqual([]);
      expect(channelsOf(document)).toEqual([]);
    }
  });

  it('that begins before 0 is moved there as a whole', async () => {
    const values = [0, 0, 0, 1, 2, 3];
    const model = featureGlb((buffer) => ({
      json: { animations: [motion(buffer, 0, 'translation', 'VEC3', values, [-1, 3])] },
    }));
    for (const { document } of await mended(model)) {
      const [channel] = channelsOf(document);
      expect([...(channel?.getSampler()?.getInput()?.getArray() ?? [])]).toEqual([0, 4]);
    }
  });

  it('of one keyframe of a spline stays at its value', async () => {
    const spline = { interpolation: 'CUBICSPLINE' };
    const values = [9, 9, 9, 1, 2, 3, 9, 9, 9];
    const model = featureGlb((buffer) => ({
      json: { animations: [motion(buffer, 0, 'translation', 'VEC3', values, [0], spline)] },
    }));
    for (const { document } of await mended(model)) {
      const sampler = channelsOf(document)[0]?.getSampler();
      expect(sampler?.getInterpolation()).toBe('STEP');
      expect([...(sampler?.getOutput()?.getArray() ?? [])]).toEqual([1, 2, 3]);
    }
  });

  it('of weights stays with its mesh where that gets a node of its own, and a light where it is', async () => {
    const model = featureGlb((buffer) => {
      const target = buffer.add('VEC3', new Float32Array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
      return {
        json: {
          animations: [
            motion(buffer, 0, 'weights', 'SCALAR', [0, 1]),
            motion(buffer, 0, 'scale', 'VEC3', [1, 1, 1, 2, 2, 2]),
          ],
          extensionsUsed: ['KHR_lights_punctual'],
          extensions: { KHR_lights_punctual: { lights: [{ type: 'point' }] } },
        },
        part: { targets: [{ POSITION: target }] },
        node: { weights: [0.5], extensions: { KHR_lights_punctual: { light: 0 } } },
      };
    });
    for (const { document } of await mended(model)) {
      const node = document
        .getRoot()
        .listNodes()
        .find((each) => each.getMesh() !== null);
      expect(node?.getWeights()).toEqual([0.5]);
      const channel = channelsOf(document).find((each) => each.getTargetPath() === 'weights');
      expect(channel?.getTargetNode()).toBe(node);
      const lamp = document
        .getRoot()
        .listNodes()
        .find((each) => each.getExtension('KHR_lights_punctual') !== null);
      expect(lamp?.getWorldTranslation()).toEqual([0, 0, 0]);
    }
  });
});

/** An animation of one channel. */
function motion(
  buffer: Buffer3,
  node: number,
  path: string,
  type: 'SCALAR' | 'VEC3' | 'VEC4',
  values: readonly number[],
  times: readonly number[] = [0, 1],
  more: Record<string, string> = {},
) {
  const input = buffer.add('SCALAR', new Float32Array(times));
  Object.assign(buffer.accessors[input] ?? {}, { min: [Math.min(...times)], max: [Math.max(...times)] });
  const output = buffer.add(type, new Float32Array(values));
  return { samplers: [{ input, output, ...more }], channels: [{ sampler: 0, target: { node, path } }] };
}

function channelsOf(document: Document) {
  return document
    .getRoot()
    .listAnimations()
    .flatMap((animation) => animation.listChannels());
}

/** The quad with each of its vertices held alike. */
function skinned(buffer: Buffer3, json: Record<string, unknown>, weights = [1, 0, 0, 0], joints = [0, 0, 0, 0]) {
  const four = [0, 1, 2, 3];
  const attributes = {
    POSITION: 0,
    JOINTS_0: buffer.add('VEC4', new Uint8Array(four.flatMap(() => joints))),
    WEIGHTS_0: buffer.add('VEC4', new Float32Array(four.flatMap(() => weights))),
  };
  return { json, part: { attributes } };
}
