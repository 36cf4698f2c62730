import { describe, expect, it } from 'vitest';
import { type ConversionOutcome, infoDocument, resultDocument, type SucceededConversion } from '#lib/conversion';

const counts = { bytes: 10, triangles: 12, vertices: 24, materials: 1, meshes: 1 };
const succeeded: SucceededConversion = {
  status: 'succeeded',
  asset: { path: 'asset.glb', bytes: 10 },
  info: {
    inputInfo: { sourceAssetFormat: 'glTF2 Importer', sourceAssetFormatVersion: '2.0', sourceAssetGenerator: 'hand' },
    inputStatistics: {
      numMeshes: 1,
      numFaces: 12,
      numVertices: 24,
      numMaterial: 1,
      numFacesSmallestMesh: 12,
      numFacesBiggestMesh: 12,
      numNodes: 1,
      numMeshUsagesInScene: 1,
      maxNodeDepth: 1,
    },
    outputStatistics: {
      numMeshPartsCreated: 1,
      numMeshPartsInstanced: 0,
      boundingBox: { min: [-1, -1, -1], max: [1, 1, 1] },
    },
  },
  summary: { input: { ...counts, files: 1 }, output: counts },
  warnings: [],
  validation: { validator: 'Khronos', numErrors: 0, numWarnings: 0, numInfos: 0, messages: [] },
};
const missingTexture = { code: '4004', title: 'Missing texture', details: { texture: 'wood.png', material: 'wooden' } };
const contentKey = 'abcdef0123456789'.repeat(4);

describe('.info.json', () => {
  it('tells of the model in the words of the contract', () => {
    const info = infoDocument({ outcome: succeeded, inputName: 'Box.GLTF', settings: { scaling: 2 }, contentKey });
    expect(info).toEqual({
      files: { input: 'Box.GLTF' },
      conversionSettings: { scaling: 2 },
      inputInfo: { sourceAssetExtension: '.gltf', ...succeeded.info.inputInfo },
      inputStatistics: succeeded.info.inputStatistics,
      outputInfo: {
        conversionToolVersion: expect.stringMatching(/^[0-9a-f]{40}$/),
        conversionHash: 'ABCDEF0123456789',
      },
      outputStatistics: succeeded.info.outputStatistics,
    });
  });

  it('names the output only where it is not named after the input', () => {
    const info = infoDocument({ outcome: succeeded, inputName: 'a.glb', outputName: 'b', settings: {}, contentKey });
    expect(info.files).toEqual({ input: 'a.glb', output: 'b' });
  });
});

describe('.result.json', () => {
  it('says that a conversion succeeded', () => {
    expect(resultDocument('guid', succeeded)).toEqual([{ conversionId: 'guid' }, { result: 'succeeded' }]);
  });

  it('lists warnings', () => {
    expect(resultDocument('guid', { ...succeeded, warnings: [missingTexture] })).toEqual([
      { conversionId: 'guid' },
      { warning: '4004', title: 'Missing texture', details: { texture: 'wood.png', material: 'wooden' } },
      { result: 'succeeded with warnings' },
    ]);
  });

  it('lists what the validator finds, which is no warning of the conversion', () => {
    const validation = { ...succeeded.validation, numWarnings: 1, messages: ['UNUSED: odd'] };
    const document = resultDocument('guid', { ...succeeded, validation });
    expect(document).toContainEqual({
      'internal warning': 'validation',
      title: '1 warnings of the Khronos',
      details: { messages: ['UNUSED: odd'] },
    });
    expect(document.at(-1)).toEqual({ result: 'succeeded' });
  });

  it('has the one error of a failure, and the warnings before it', () => {
    const error = { code: 'missing_files', message: 'box.bin is not there.' } as const;
    const failed: ConversionOutcome = { status: 'failed', error, warnings: [missingTexture] };
    expect(resultDocument('guid', failed)).toEqual([
      { conversionId: 'guid' },
      { warning: '4004', title: 'Missing texture', details: missingTexture.details },
      { error: 'missing_files', title: 'box.bin is not there.', details: {} },
      { result: 'failed' },
    ]);
  });
});
