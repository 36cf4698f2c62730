import { getBounds } from '@gltf-transform/core';
import validator from 'gltf-validator';
import { describe, expect, it } from 'vitest';
import {
  animatedSkinGlb,
  boxGlb,
  boxGltf,
  dracoGlb,
  pointsGlb,
  quadFiles,
  quadGlb,
  quantisedGlb,
  sheetGlb,
  unpack,
} from '../../support/models/index.ts';
import { assetOf } from './convert-model.ts';

const triangles = [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0];

describe('a converted model', () => {
  it.each([
    ['a GLB', async () => boxGlb()],
    ['a .gltf that holds its data', async () => boxGltf()],
    ['Draco geometry', () => dracoGlb(boxGlb())],
    ['meshopt geometry', () => quantisedGlb(boxGlb(), 'meshopt')],
    ['quantised geometry', () => quantisedGlb(boxGlb(), 'none')],
  ])('of %s is the same box, compressed by meshopt, without an error for the validator', async (_name, model) => {
    const { outcome, asset } = await assetOf(await model());
    const report = await validator.validateBytes(asset);
    expect(report).toMatchObject({
      issues: { numErrors: 0, numWarnings: 0 },
      info: { extensionsRequired: ['EXT_meshopt_compression', 'KHR_mesh_quantization'] },
    });
    const document = await unpack(asset);
    expect(bounds(document)).toEqual({ min: near(-1, -1, -1), max: near(1, 1, 1) });
    expect(document.getRoot().listMaterials()[0]?.getBaseColorFactor()).toEqual([0.8, 0.1, 0.1, 1]);
    expect(outcome.info.outputStatistics.boundingBox).toEqual({ min: near(-1, -1, -1), max: near(1, 1, 1) });
    expect(outcome.summary).toMatchObject({
      input: { files: 1, triangles: 12, vertices: 24, materials: 1, meshes: 1 },
      output: { bytes: asset.length, triangles: 12, vertices: 24, materials: 1, meshes: 1 },
    });
    expect(outcome.warnings).toEqual([]);
  });

  it('tells where it came from, in the words of the contract', async () => {
    const { outcome } = await assetOf(boxGlb());
    expect(outcome.info.inputInfo).toEqual({
      sourceAssetFormat: 'glTF2 Importer',
      sourceAssetFormatVersion: '2.0',
      sourceAssetGenerator: 'test models',
    });
    expect(outcome.info.inputStatistics).toEqual({
      numMeshes: 1,
      numFaces: 12,
      numVertices: 24,
      numMaterial: 1,
      numFacesSmallestMesh: 12,
      numFacesBiggestMesh: 12,
      numNodes: 1,
      numMeshUsagesInScene: 1,
      maxNodeDepth: 1,
    });
    expect(outcome.info.outputStatistics).toMatchObject({ numMeshPartsCreated: 1, numMeshPartsInstanced: 0 });
  });

  it('is told by its content, not by its name', async () => {
    await assetOf({ 'box.gltf': boxGlb() });
    await assetOf({ 'box.glb': boxGltf() });
  });

  it('holds the textures of a model in several files', async () => {
    const { outcome, asset } = await assetOf(quadFiles());
    const [texture] = (await unpack(asset)).getRoot().listTextures();
    expect(texture).toBeDefined();
    expect(texture?.getSize()).toEqual([4, 4]);
    expect(outcome.summary.input).toMatchObject({ files: 3, triangles: 2 });
  });

  it.each([
    ['in folders, percent-encoded', { bufferUri: 'data%20files/quad.bin', bufferPath: 'data files/quad.bin' }],
    ['with spaces', { bufferUri: 'my quad.bin' }],
    ['in the way of Windows', { textureUri: 'textures\\wood.png', texturePath: 'textures/wood.png' }],
    ['named like something inside the library', { textureUri: '__proto__', bufferUri: '@glb.bin' }],
    ['named like something inside the language', { bufferUri: '__proto__' }],
  ])('finds files %s', async (_name, options) => {
    const { outcome } = await assetOf(quadFiles(options));
    expect(outcome.summary.input.files).toBe(3);
    expect(outcome.warnings).toEqual([]);
  });

  it('that lies in a folder finds its files there', async () => {
    const files = Object.entries(quadFiles()).map(([path, bytes]) => [`deep/${path}`, bytes]);
    expect((await assetOf(Object.fromEntries(files))).outcome.warnings).toEqual([]);
  });

  it('keeps animation and skin', async () => {
    const { asset } = await assetOf(animatedSkinGlb());
    const root = (await unpack(asset)).getRoot();
    const [animation] = root.listAnimations();
    expect(animation?.listChannels()[0]?.getTargetNode()?.getName()).toBe('lower');
    expect(
      root
        .listSkins()[0]
        ?.listJoints()
        .map((joint) => joint.getName()),
    ).toEqual(['lower', 'upper']);
    expect(root.listSkins()[0]?.getInverseBindMatrices()?.getCount()).toBe(2);
  });

  it('keeps nodes that hold nothing: an app may look for them', async () => {
    const { asset } = await assetOf(boxGlb({ nodes: [{ mesh: 0, children: [1] }, { name: 'door handle' }] }));
    expect(
      (await unpack(asset))
        .getRoot()
        .listNodes()
        .map((node) => node.getName()),
    ).toContain('door handle');
  });

  it('stores a mesh once that nodes use twice', async () => {
    const nodes = [{ mesh: 0 }, { mesh: 0, translation: [5, 0, 0] }];
    const { outcome } = await assetOf(boxGlb({ scenes: [{ nodes: [0, 1] }], nodes }));
    expect(outcome.info.inputStatistics).toMatchObject({ numMeshes: 1, numMeshUsagesInScene: 2 });
    expect(outcome.info.outputStatistics).toMatchObject({ numMeshPartsCreated: 1, numMeshPartsInstanced: 1 });
    expect(outcome.info.outputStatistics.boundingBox.max).toEqual(near(6, 1, 1));
  });

  it.each([
    ['points', 0, 4],
    ['lines', 1, 0],
    ['a line loop', 2, 0],
    ['a line strip', 3, 0],
    ['triangles, of which one is cut off', 4, 1],
    ['a triangle strip', 5, 2],
    ['a triangle fan', 6, 2],
  ])('may consist of %s', async (_name, mode, faces) => {
    const { outcome, asset } = await assetOf(pointsGlb(triangles, { mode }));
    expect(outcome.info.inputStatistics.numFaces).toBe(faces);
    expect((await unpack(asset)).getRoot().listMeshes()).toHaveLength(1);
  });

  it('may be a single point', async () => {
    const { outcome } = await assetOf(pointsGlb([3, 4, 5]));
    expect(outcome.info.outputStatistics.boundingBox).toEqual({ min: [3, 4, 5], max: [3, 4, 5] });
  });

  it('of 100,000 triangles is several times smaller', async () => {
    const { outcome } = await assetOf(sheetGlb(100_000));
    expect(outcome.summary.input.triangles).toBeGreaterThanOrEqual(100_000);
    expect(outcome.summary.output.triangles).toBe(outcome.summary.input.triangles);
    expect(outcome.summary.output.bytes).toBeLessThan(outcome.summary.input.bytes / 5);
  });
});

describe('a model with small faults', () => {
  it('without a texture is converted without, and says which material misses it', async () => {
    const { 'wood.png': _texture, ...files } = quadFiles();
    const { outcome, asset } = await assetOf(files);
    expect(outcome.warnings).toEqual([
      { code: '4004', title: 'Missing texture', details: { texture: 'wood.png', material: 'wooden' } },
    ]);
    expect((await unpack(asset)).getRoot().listTextures()).toEqual([]);
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'http://127.0.0.1:1/a.png', 'C:\\wood.png'])(
    'with a texture at %s is converted without it',
    async (textureUri) => {
      const { outcome } = await assetOf(quadFiles({ textureUri, texturePath: 'unused.png' }));
      expect(outcome.warnings).toMatchObject([{ code: '4004', details: { texture: textureUri } }]);
    },
  );

  it('with a texture that is no image is converted without it', async () => {
    const { outcome } = await assetOf(quadGlb(Buffer.from('this is no image')));
    expect(outcome.warnings).toMatchObject([
      { code: 'texture_unreadable', details: { texture: 'wood', material: 'wooden' } },
    ]);
  });

  it('with an unknown extension that is optional is converted without it', async () => {
    const { outcome } = await assetOf(boxGlb({ extensionsUsed: ['VENDOR_sparkle'] }));
    expect(outcome.warnings).toMatchObject([{ code: 'extension_left_out', details: { extension: 'VENDOR_sparkle' } }]);
  });

  it('without a scene shows all its nodes', async () => {
    const { outcome } = await assetOf(boxGlb({ scene: undefined, scenes: undefined }));
    expect(outcome.warnings).toMatchObject([{ code: 'scene_added' }]);
    expect(outcome.info.outputStatistics.boundingBox.max).toEqual(near(1, 1, 1));
  });

  it('with a mesh part without vertices is converted without that', async () => {
    const primitives = [{ attributes: { POSITION: 0 } }, { attributes: {} }];
    const { outcome } = await assetOf(boxGlb({ meshes: [{ name: 'box', primitives }] }));
    expect(outcome.warnings).toMatchObject([{ code: 'mesh_part_empty', details: { mesh: 'box' } }]);
  });
});

describe('the settings', () => {
  it('scale', async () => {
    const { outcome, asset } = await assetOf(boxGlb(), { scaling: 0.5 });
    expect(outcome.info.outputStatistics.boundingBox).toEqual({
      min: near(-0.5, -0.5, -0.5),
      max: near(0.5, 0.5, 0.5),
    });
    expect(bounds(await unpack(asset)).max).toEqual(near(0.5, 0.5, 0.5));
  });

  it('move to the origin, and say how to move back', async () => {
    const { outcome, asset } = await assetOf(boxGlb({ nodes: [{ mesh: 0, translation: [10, 20, 30] }] }), {
      recenterToOrigin: true,
      scaling: 2,
    });
    expect(outcome.info.outputStatistics).toMatchObject({
      recenteringOffset: [20, 40, 60],
      boundingBox: { min: near(-2, -2, -2), max: near(2, 2, 2) },
    });
    expect(bounds(await unpack(asset))).toEqual({ min: near(-2, -2, -2), max: near(2, 2, 2) });
  });

  it('scale an animated model around its animation', async () => {
    const { asset } = await assetOf(animatedSkinGlb(), { scaling: 3 });
    const root = (await unpack(asset)).getRoot();
    const lower = root.listNodes().find((node) => node.getName() === 'lower');
    expect(lower?.getScale()).toEqual([1, 1, 1]);
    expect(lower?.getWorldScale()).toEqual(near(3, 3, 3));
  });

  it.each([
    [true, 1],
    [false, 2],
  ])('deduplicate materials: %s', async (deduplicateMaterials, count) => {
    const material = { name: 'painted', pbrMetallicRoughness: { baseColorFactor: [1, 0, 0, 1] } };
    const part = { attributes: { POSITION: 0, NORMAL: 1 }, indices: 2 };
    const primitives = [
      { ...part, material: 0 },
      { ...part, material: 1 },
    ];
    const model = boxGlb({ materials: [material, material], meshes: [{ primitives }] });
    const { asset } = await assetOf(model, { deduplicateMaterials });
    expect((await unpack(asset)).getRoot().listMaterials()).toHaveLength(count);
  });
});

function bounds(document: Awaited<ReturnType<typeof unpack>>) {
  const [scene] = document.getRoot().listScenes();
  if (scene === undefined) expect.fail('There is no scene.');
  return getBounds(scene);
}

function near(...numbers: readonly number[]) {
  return numbers.map((number) => expect.closeTo(number, 3));
}
