import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  animatedSkinGlb,
  boxGlb,
  boxGltf,
  deepGlb,
  dracoGlb,
  pointsGlb,
  quadFiles,
  quadGlb,
  quantisedGlb,
} from '../../support/models/index.ts';
import { convertModel, errorOf } from './convert-model.ts';

const triangle = [0, 0, 0, 1, 0, 0, 0, 1, 0];

describe('a model is refused', () => {
  it.each([
    ['that is empty', new Uint8Array(0), 'is empty'],
    ['that is garbage', Buffer.from('garbage '.repeat(100)), 'no format that can be converted'],
    ['that was cut off', boxGlb().subarray(0, 900), 'cut off'],
    ['that is other JSON', Buffer.from('{"a": []}'), 'no glTF 2.0: asset'],
    ['with a position that is no number', pointsGlb([0, 0, 0, Number.NaN, 0, 0]), 'no number (NaN)'],
    ['with an infinite position', pointsGlb([0, 0, 0, Number.POSITIVE_INFINITY, 0, 0]), 'no number (Infinity)'],
    ['without meshes', boxGlb({ meshes: [], nodes: [{}] }), 'has no geometry'],
    ['with geometry that no scene shows', boxGlb({ scenes: [{}] }), 'shows no geometry'],
    ['with nodes in a circle', boxGlb({ nodes: [{ children: [1] }, { children: [0], mesh: 0 }] }), 'own ancestors'],
    ['with a node that is its own child', boxGlb({ nodes: [{ children: [0], mesh: 0 }] }), 'own ancestors'],
    [
      'with a mesh that is not there',
      boxGlb({ nodes: [{ mesh: 7 }] }),
      'the mesh of nodes[0] is number 7, but there are 1',
    ],
    ['with an index beyond its vertices', withIndices([0, 1, 9]), 'index 9, but only 3 vertices'],
    ['that needs an unknown extension', boxGlb({ extensionsRequired: ['VENDOR_shape'] }), 'VENDOR_shape'],
    ['with a buffer that is shorter than it says', boxGlb({ buffers: [{ byteLength: 100_000 }] }), '100000 bytes'],
    [
      'with a texture that is not there',
      boxGlb({ materials: [{ normalTexture: { index: 3 } }] }),
      'normalTexture/index',
    ],
    ['with wrong types', boxGlb({ nodes: 'none' }), 'nodes'],
  ])('%s', async (_name, model, message) => {
    expect(await errorOf(model)).toEqual({ code: 'input_refused', message: expect.stringContaining(message) });
  });

  it('with an accessor that ends beyond its view', async () => {
    const accessors = [{ bufferView: 0, componentType: 5126, count: 1_000_000, type: 'VEC3' }];
    const primitives = [{ attributes: { POSITION: 0 } }];
    const error = await errorOf(boxGlb({ accessors, meshes: [{ primitives }] }));
    expect(error).toMatchObject({
      code: 'input_refused',
      message: expect.stringContaining('accessors[0] ends beyond'),
    });
  });

  it('with every file that is missing, by name', async () => {
    const { 'quad.bin': _buffer, ...files } = quadFiles();
    const error = await errorOf(files);
    expect(error).toEqual({ code: 'missing_files', message: expect.stringContaining('not there: quad.bin.') });
  });

  it('that takes geometry from outside of its folder', async () => {
    const error = await errorOf(quadFiles({ bufferUri: '../quad.bin', bufferPath: 'quad.bin' }));
    expect(error).toEqual({ code: 'input_refused', message: expect.stringContaining("'../quad.bin'") });
  });

  it('that is not there', async () => {
    expect(await errorOf({})).toMatchObject({ code: expect.stringMatching(/missing_files|input_refused/) });
  });
});

describe('a limit is named', () => {
  it('by a model with more bytes', async () => {
    const error = await errorOf(quadFiles(), { inputBytes: 600 });
    const message = expect.stringContaining('the limit (inputBytes) is 600');
    expect(error).toEqual({ code: 'limit', limit: 'inputBytes', message });
  });

  it.each([
    ['vertices', 'POSITION'],
    ['unpackedBytes', 'COLOR_0'],
  ] as const)(
    'by a model that unpacks to more than fits into memory, before that is tried: %s',
    async (limit, semantic) => {
      const element = { componentType: 5126, type: 'VEC3' };
      const accessors = [
        { ...element, count: 3 },
        { ...element, count: 2 ** 40 },
      ];
      const primitives = [{ attributes: { POSITION: 0, [semantic]: 1 } }];
      const error = await errorOf(boxGlb({ accessors, meshes: [{ primitives }] }));
      expect(error).toEqual({ code: 'limit', limit, message: expect.stringContaining(`(${limit})`) });
    },
  );

  it('by compressed geometry that unpacks to more, before that is tried', async () => {
    const compressed = { buffer: 0, byteLength: 10, byteStride: 256, count: 2 ** 40, mode: 'ATTRIBUTES' };
    const bufferViews = [{ buffer: 0, byteLength: 10, extensions: { EXT_meshopt_compression: compressed } }];
    const json = {
      extensionsUsed: ['EXT_meshopt_compression'],
      bufferViews,
      accessors: [],
      meshes: [{ primitives: [] }],
    };
    expect(await errorOf(boxGlb(json))).toMatchObject({ code: 'limit', limit: 'unpackedBytes' });
  });

  it('by JSON that is nested too deep', async () => {
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const error = await errorOf(Buffer.from(`{"asset":{"version":"2.0"},"extras":${nested}}`));
    expect(error).toEqual({ code: 'limit', message: expect.stringContaining('500 levels') });
    const text = 'brackets in a text: \\" [[[ {{{ \\\\';
    const [model] = [boxGlb({ extras: { [text]: text.repeat(200) } })];
    expect((await convertModel(model)).outcome.status).toBe('succeeded');
  });

  it('by nodes that are nested too deep', async () => {
    expect(await errorOf(deepGlb(10_000))).toEqual({ code: 'limit', message: expect.stringContaining('1000 levels') });
    expect((await convertModel(deepGlb(1000))).outcome.status).toBe('succeeded');
  });
});

describe('a damaged model', () => {
  const models = [boxGlb(), boxGltf(), quadGlb(), animatedSkinGlb()];

  it('that ends too early fails cleanly wherever it ends', async () => {
    for (const model of models) {
      for (let percent = 1; percent < 100; percent += 7) {
        const error = await errorOf(model.subarray(0, Math.floor((model.length * percent) / 100)));
        expect(error.code).toBe('input_refused');
        expect(error.message).toMatch(/^The .*\.$/);
      }
    }
  });

  it('is converted or fails cleanly, whichever bytes are wrong', async () => {
    const packed = [await dracoGlb(boxGlb()), await quantisedGlb(boxGlb(), 'meshopt')];
    const flips = fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...models, ...packed), flips, async (model, changes) => {
        const damaged = Buffer.from(model);
        for (const { at, byte } of changes) damaged[Math.floor(at * (damaged.length - 1))] = byte;
        const { outcome, asset } = await convertModel(damaged);
        expect(asset === undefined).toBe(outcome.status === 'failed');
        if (outcome.status === 'failed') expect(outcome.error.message).toMatch(/^The .*\.$/s);
      }),
      { numRuns: 150 },
    );
  });
});

function withIndices(indices: readonly number[]): Uint8Array {
  const uri = `data:application/octet-stream;base64,${Buffer.from(Uint16Array.from(indices).buffer).toString('base64')}`;
  const positions = Buffer.from(Float32Array.from(triangle).buffer);
  return pointsGlb(
    triangle,
    { mode: 4, indices: 1 },
    {
      buffers: [{ byteLength: positions.length }, { byteLength: indices.length * 2, uri }],
      bufferViews: [
        { buffer: 0, byteLength: positions.length },
        { buffer: 1, byteLength: indices.length * 2 },
      ],
      accessors: [
        { bufferView: 0, componentType: 5126, count: 3, type: 'VEC3', min: [0, 0, 0], max: [1, 1, 0] },
        { bufferView: 1, componentType: 5123, count: indices.length, type: 'SCALAR' },
      ],
    },
  );
}
