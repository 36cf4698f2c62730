import { describe, expect, it } from 'vitest';
import { animatedSkinGlb, featureGlb, unpack } from '../../support/models/index.ts';
import { convertModel } from './convert-model.ts';

/** The asset under both sets of defaults; the validator accepts nothing of what is repaired here. */
async function repaired(model: Uint8Array) {
  const documents = [];
  for (const settings of [null, {}]) {
    const { outcome, asset } = await convertModel(model, settings);
    if (outcome.status === 'failed' || asset === undefined) expect.fail(JSON.stringify(outcome));
    expect(outcome.validation.numErrors).toBe(0);
    documents.push(await unpack(asset));
  }
  return documents;
}

/** The model with the floats of its binary chunk changed from where a run of them stands. */
function withFloats(model: Uint8Array, found: readonly number[], other: readonly number[]): Uint8Array {
  const at = Buffer.from(model).indexOf(Buffer.from(Float32Array.from(found).buffer));
  expect(at).toBeGreaterThan(0);
  const changed = Buffer.from(model);
  changed.set(new Uint8Array(Float32Array.from(other).buffer), at);
  return changed;
}

describe('what exporters get a little wrong is mended', () => {
  it.each([
    ['are not of a sum of 1', [1.5, 0.5, 0, 0], [0.75, 0.25]],
    ['hold nothing', [0, 0, 0, 0], [1, 0]],
    ['are no numbers', [Number.NaN, 0.5, 0, 0], [1, 0]],
  ])('weights that %s', async (_name, written, expected) => {
    for (const document of await repaired(withFloats(animatedSkinGlb(), [0.75, 0.25, 0, 0], written))) {
      const [part] = document.getRoot().listMeshes()[0]?.listPrimitives() ?? [];
      const weights = part?.getAttribute('WEIGHTS_0');
      const all = Array.from({ length: 3 }, (_, vertex) => weights?.getElement(vertex, []) ?? []);
      // Vertices may have been put into another order.
      const near = all.some((four) => expected.every((weight, i) => Math.abs((four[i] ?? 0) - weight) < 0.01));
      expect(near, JSON.stringify(all)).toBe(true);
    }
  });

  it.each([
    ['too long', [0, 0, 3, 3]],
    ['without a length', [0, 0, 0, 0]],
    ['no numbers', [Number.NaN, 0, 0, 1]],
  ])('rotations of an animation that are %s', async (_name, written) => {
    const half = Math.SQRT1_2;
    for (const document of await repaired(withFloats(animatedSkinGlb(), [0, 0, half, half], written))) {
      expect(document.getRoot().listAnimations()).toHaveLength(1);
    }
  });

  it('keyframes that do not follow each other in time', async () => {
    const model = featureGlb((buffer) => {
      const input = buffer.add('SCALAR', new Float32Array([0, 1, 1, 0.5, 2]));
      Object.assign(buffer.accessors[input] ?? {}, { min: [0], max: [2] });
      const output = buffer.add('VEC3', new Float32Array([0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 9, 0, 0]));
      const channels = [{ sampler: 0, target: { node: 0, path: 'translation' } }];
      return { json: { animations: [{ samplers: [{ input, output }], channels }] } };
    });
    const [, document] = await repaired(model);
    const [sampler] = document?.getRoot().listAnimations()[0]?.listSamplers() ?? [];
    expect([...(sampler?.getInput()?.getArray() ?? [])]).toEqual([0, 0.5, 2]);
    expect([...(sampler?.getOutput()?.getArray() ?? [])]).toEqual([0, 0, 0, 3, 0, 0, 9, 0, 0]);
  });

  it('sets of texture coordinates that are counted with a gap', async () => {
    const model = featureGlb((buffer) => {
      const texcoords = buffer.add('VEC2', new Float32Array([0, 1, 1, 1, 1, 0, 0, 0]));
      return {
        part: { attributes: { POSITION: 0, TEXCOORD_1: texcoords } },
        material: { pbrMetallicRoughness: { baseColorTexture: { index: 0, texCoord: 1 } } },
      };
    });
    await repaired(model);
  });
});

describe('a model that no asset can be made of', () => {
  it('is refused in the words of the validator where something is wrong with it', async () => {
    const colors = withFloats(
      featureGlb((buffer) => ({
        part: {
          attributes: {
            POSITION: 0,
            _HEAT: buffer.add('SCALAR', new Float32Array([7, 8, 9, 10])),
          },
        },
      })),
      [7, 8, 9, 10],
      [Number.NaN, 8, 9, 10],
    );
    const { outcome } = await convertModel(colors, {});
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'input_refused', message: expect.stringContaining('ACCESSOR_INVALID_FLOAT') },
    });
  });
});
