import { type Document, getBounds, type Primitive } from '@gltf-transform/core';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  bendingTubeGlb,
  boxGlb,
  featureGlb,
  manyNodesGlb,
  pointsGlb,
  sheetGlb,
  unpack,
} from '../../support/models/index.ts';
import { assetOf } from './convert-model.ts';
import { flatSheetGlb, nodesGlb, turningGlb } from './optimised-models.ts';

/** Half of the diagonal of a square. */
const half = Math.SQRT1_2;

describe('a model without settings', () => {
  it('becomes one part for each material, where it was', async () => {
    const group = { children: [2], translation: [0, 4, 0] };
    const model = nodesGlb([{ mesh: 0 }, group, { mesh: 0, translation: [5, 0, 0] }]);
    const { outcome, asset } = await assetOf(model, null);
    const document = await unpack(asset);
    expect(partsOf(document)).toHaveLength(1);
    expect(document.getRoot().listNodes()).toHaveLength(1);
    expect(boundsOf(document)).toEqual({ min: near(-1, -1, -1), max: near(6, 5, 1) });
    expect(outcome.info.outputStatistics).toMatchObject({ boundingBox: { min: near(-1, -1, -1), max: near(6, 5, 1) } });
    expect(outcome.summary).toMatchObject({
      input: { triangles: 12, meshes: 1 },
      output: { triangles: 24, meshes: 1 },
    });
  });

  it('draws what it shows many times in one go, and tells how many', async () => {
    const nodes = Array.from({ length: 30 }, (_, i) => ({ mesh: 0, translation: [3 * i, 0, 0] }));
    const { outcome, asset } = await assetOf(nodesGlb(nodes), null);
    const document = await unpack(asset);
    expect(document.hasExtension('EXT_mesh_gpu_instancing')).toBe(true);
    expect(document.getRoot().listNodes()).toHaveLength(1);
    expect(outcome.info.outputStatistics).toMatchObject({ numMeshPartsCreated: 1, numMeshPartsInstanced: 1 });
    expect(outcome.info.outputStatistics.boundingBox).toEqual({ min: near(-1, -1, -1), max: near(88, 1, 1) });
    expect(outcome.summary.output).toMatchObject({ triangles: 12, meshes: 1 });
    const again = await assetOf(asset, {});
    expect(again.outcome.info.outputStatistics.boundingBox.max).toEqual(near(88, 1, 1));
  });

  it('leaves a part where it is that no translation, rotation and scale can place elsewhere', async () => {
    const turned = { rotation: [0, 0, Math.sin(Math.PI / 8), Math.cos(Math.PI / 8)] };
    const model = nodesGlb([
      { children: [1], scale: [4, 1, 1] },
      { mesh: 0, ...turned },
    ]);
    const { outcome, asset } = await assetOf(model, null);
    const bounds = { min: near(-4 / half, -1 / half, -1), max: near(4 / half, 1 / half, 1) };
    expect(boundsOf(await unpack(asset))).toEqual(bounds);
    expect(outcome.info.outputStatistics.boundingBox).toEqual(bounds);
  });

  it('keeps what moves, with its name, and merges what stands still', async () => {
    const model = nodesGlb([{ mesh: 0 }, { mesh: 0, name: 'wheel' }, { mesh: 0, translation: [3, 0, 0] }]);
    const { asset } = await assetOf(await turningGlb(model, 1, 2), null);
    const document = await unpack(asset);
    const [animation] = document.getRoot().listAnimations();
    const wheel = animation?.listChannels()[0]?.getTargetNode();
    expect(wheel?.getName()).toBe('wheel');
    expect([...(wheel?.listChildren() ?? []), wheel].some((node) => node?.getMesh() != null)).toBe(true);
    expect(partsOf(document)).toHaveLength(2);
  });

  it('leaves parts where they are that cannot be joined, beside others of their meshes that are', async () => {
    const extensions = { KHR_materials_volume: { thicknessFactor: 1 }, KHR_materials_transmission: {} };
    const model = featureGlb((buffer) => {
      const small = buffer.add('VEC3', new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0]));
      const large = buffer.add('VEC3', new Float32Array([0, 0, 0, 9, 0, 0, 0, 9, 0]));
      const primitives = [
        { attributes: { POSITION: small }, material: 0 },
        { attributes: { POSITION: large }, material: 1 },
      ];
      return {
        json: {
          extensionsUsed: ['KHR_materials_volume', 'KHR_materials_transmission'],
          materials: [{ name: 'glass', extensions }, { name: 'frame' }],
          meshes: [{ primitives }],
          scenes: [{ nodes: [0, 1, 2] }],
          nodes: [{ mesh: 0 }, { mesh: 0, translation: [20, 0, 0] }, { mesh: 0, translation: [0, 20, 0] }],
        },
      };
    });
    const { asset } = await assetOf(model, null);
    const panes = (await unpack(asset))
      .getRoot()
      .listNodes()
      .filter((node) =>
        node
          .getMesh()
          ?.listPrimitives()
          .some((part) => part.getMaterial()?.getName() === 'glass'),
      );
    const corners = panes.map((node) => {
      const part = node
        .getMesh()
        ?.listPrimitives()
        .find((each) => each.getMaterial()?.getName() === 'glass');
      const most = part?.getAttribute('POSITION')?.getMaxNormalized([]) ?? [];
      return most.map((value, axis) => value * (node.getScale()[axis] ?? 1) + (node.getTranslation()[axis] ?? 0));
    });
    expect(corners).toEqual([near(1, 1, 0), near(21, 1, 0), near(1, 21, 0)]);
  });

  it('needs no more keyframes than its motion has', async () => {
    const { asset } = await assetOf(await turningGlb(nodesGlb([{ mesh: 0 }]), 0, 100), null);
    const [sampler] = (await unpack(asset)).getRoot().listAnimations()[0]?.listSamplers() ?? [];
    expect(sampler?.getInput()?.getCount()).toBe(2);
  });

  it('loses triangles where the surface stays what it is', async () => {
    const { outcome } = await assetOf(sheetGlb(20_000), null);
    expect(outcome.summary.input.triangles).toBe(20_000);
    expect(outcome.summary.output.triangles).toBeLessThan(20_000);
    expect(outcome.info.outputStatistics.boundingBox.max).toEqual(near(1, 0.05, 1));
  });

  it.each([
    ['one colour', false, 2, 100],
    ['a picture in its colours', true, 2000, 5000],
  ])('of a flat sheet in %s keeps as many triangles as that takes', async (_name, painted, least, most) => {
    const { outcome } = await assetOf(await flatSheetGlb(50, painted), null);
    expect(outcome.summary.input.triangles).toBe(5000);
    expect(outcome.summary.output.triangles).toBeGreaterThanOrEqual(least);
    expect(outcome.summary.output.triangles).toBeLessThanOrEqual(most);
  });

  it.each([
    ['once', '', 2],
    ['as often as it is blended', 'd 0.5\n', 6],
  ])('shows %s what a file has three times', async (_name, opacity, triangles) => {
    const square = 'f 1 2 3\nf 1 3 4\n';
    const again = 'f 2 3 1\nf 4 1 3\n';
    const model = Buffer.from(`mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nusemtl a\n${square}${again}${square}`);
    const library = Buffer.from(`newmtl a\nKd 1 1 1\n${opacity}`);
    const { outcome } = await assetOf({ 'twice.obj': model, 'a.mtl': library }, {});
    expect(outcome.summary.input.triangles).toBe(6);
    expect(outcome.summary.output.triangles).toBe(triangles);
  });

  it('takes no time of its square for what lies in one place', async () => {
    const facet = 'facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n';
    const { outcome } = await assetOf(
      { 'same.stl': Buffer.from(`solid a\n${facet.repeat(100_000)}endsolid a\n`) },
      null,
    );
    expect(outcome.summary).toMatchObject({ input: { triangles: 100_000 }, output: { triangles: 1 } });
  }, 30_000);

  it('keeps sheets whose front and back are surfaces of their own, as leaves of trees have', async () => {
    const sheet = Buffer.from(
      'v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3\nf 1 3 4\nf 3 2 1\nf 4 3 1\nv 9 9 9\nv 10 9 9\nv 9 10 9\nf 5 6 7\n',
    );
    const { outcome } = await assetOf({ 'leaf.obj': sheet }, null);
    expect(outcome.summary.output.triangles).toBe(5);
  });

  it('keeps a surface at whose edge triangles without an area lie', async () => {
    const vertices = ['0 0', '0 0.1', '0 0.9', '0 1', '1 1', '1 0.9', '1 0.1', '1 0'].map((at) => `v ${at} 0`);
    const faces = ['1 3 2', '3 1 4', '4 1 8', '4 8 5', '5 8 7', '5 7 6'].map((face) => `f ${face}`);
    const { outcome, asset } = await assetOf({ 'wall.obj': Buffer.from([...vertices, ...faces].join('\n')) }, null);
    expect(outcome.summary.output.triangles).toBe(2);
    expect(boundsOf(await unpack(asset))).toEqual({ min: near(0, 0, 0), max: near(1, 1, 0) });
  });

  it('may have no triangle with an area', async () => {
    const line = Buffer.from('v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n');
    const { outcome } = await assetOf({ 'line.obj': line }, null);
    expect(outcome.summary.output.triangles).toBe(1);
  });

  it('of a skin keeps every triangle: what is flat at rest may bend anywhere', async () => {
    const { outcome } = await assetOf(bendingTubeGlb(5000, 6, 30), null);
    expect(outcome.summary.output.triangles).toBe(outcome.summary.input.triangles);
  });

  it('has one material in place of those that differ in their colour, and their colours', async () => {
    const colours = [1, 0.5, 0.25, 0.125, 0.0625, 0].map((value) => [value, 1 - value, 0, 1]);
    const { outcome, asset } = await assetOf(paintedBoxes(colours), null);
    const document = await unpack(asset);
    expect(outcome.summary).toMatchObject({ input: { materials: 6 }, output: { materials: 1 } });
    expect(partsOf(document)).toHaveLength(1);
    const [palette] = document.getRoot().listTextures();
    const pixels = await sharp(palette?.getImage() ?? new Uint8Array(0))
      .removeAlpha()
      .raw()
      .toBuffer();
    const found = Array.from({ length: pixels.length / 3 }, (_, i) => pixels.subarray(3 * i, 3 * i + 3));
    for (const colour of [
      [255, 0, 0],
      [188, 188, 0],
      [0, 255, 0],
    ]) {
      expect(found.some((pixel) => colour.every((value, i) => Math.abs(value - (pixel[i] ?? 0)) <= 1))).toBe(true);
    }
  });

  it('of points keeps them all', async () => {
    const { asset } = await assetOf(pointsGlb([0, 0, 0, 1, 0, 0, 0, 1, 0, 5, 5, 5]), null);
    expect(
      partsOf(await unpack(asset))[0]
        ?.getAttribute('POSITION')
        ?.getCount(),
    ).toBe(4);
  });

  it.each([1, 2, 3, 5, 6])('may show parts of mode %i side by side without an extension', async (mode) => {
    const nodes = [{ mesh: 0 }, { mesh: 0, translation: [3, 0, 0] }];
    const scene = { nodes, scenes: [{ nodes: [0, 1] }] };
    const { asset } = await assetOf(pointsGlb([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0], { mode }, scene), null);
    expect((await unpack(asset)).hasExtension('KHR_mesh_primitive_restart')).toBe(false);
  });

  it('draws lines that it shows many times one by one: viewers draw instances of triangles alone', async () => {
    const nodes = Array.from({ length: 9 }, (_, i) => ({ mesh: 0, translation: [3 * i, 0, 0] }));
    const scene = { nodes, scenes: [{ nodes: nodes.map((_, i) => i) }] };
    const { asset } = await assetOf(pointsGlb([0, 0, 0, 1, 0, 0, 0, 1, 0], { mode: 3 }, scene), null);
    expect((await unpack(asset)).hasExtension('EXT_mesh_gpu_instancing')).toBe(false);
  });

  it.each([null, {}])('may have lines between the corners of its triangles: %j', async (settings) => {
    const model = featureGlb((buffer) => {
      const indices = buffer.add('SCALAR', new Uint16Array([2, 0, 1]));
      const part = { attributes: { POSITION: 0 }, indices };
      return { json: { meshes: [{ primitives: [part, { ...part, mode: 3 }] }] } };
    });
    const { asset } = await assetOf(model, settings);
    const strip = partsOf(await unpack(asset)).find((part) => part.getMode() === 3);
    const corners = [...(strip?.getIndices()?.getArray() ?? [])].map((i) =>
      strip?.getAttribute('POSITION')?.getElement(i, []),
    );
    // In whole numbers, from the middle of the part.
    const steps = corners
      .slice(1)
      .map((corner, i) => corner?.map((value, axis) => Math.sign(value - (corners[i]?.[axis] ?? 0))));
    expect(steps).toEqual([
      [-1, -1, 0],
      [1, 0, 0],
    ]);
  });

  it('may have ten thousand nodes', async () => {
    const { outcome } = await assetOf(manyNodesGlb(10_000), null);
    expect(outcome.info.inputStatistics).toMatchObject({ numNodes: 11_000, numMeshUsagesInScene: 10_000 });
    expect(outcome.summary.output.materials).toBe(1);
  });

  it('has lit triangles without normals lit one by one, as viewers would', async () => {
    const triangles = [0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1];
    const { asset } = await assetOf(pointsGlb(triangles, { mode: 5 }), null);
    expect(
      partsOf(await unpack(asset))[0]
        ?.getAttribute('NORMAL')
        ?.getElement(0, []),
    ).toEqual(near(0, -1, 0));
  });

  it('stores the four corners of each side of a box once', async () => {
    const corner = (i: number) => [i & 1, (i >> 1) & 1, (i >> 2) & 1];
    const sides = ['0213', '4567', '0145', '2637', '0426', '1357'].map((side) => [...side].map(Number));
    const triangles = sides.flatMap(([a = 0, b = 0, c = 0, d = 0]) => [a, b, c, c, b, d].flatMap(corner));
    const { outcome } = await assetOf(pointsGlb(triangles, { mode: 4 }), null);
    expect(outcome.summary.output.vertices).toBe(24);
  });
});

describe('the vertex formats', () => {
  it('are 32 bits for positions and texture coordinates where a settings file says nothing else', async () => {
    expect(await formats({})).toEqual({ POSITION: 5126, NORMAL: 5120, TEXCOORD_0: 5126, COLOR_0: 5121 });
  });

  it('are integers of 16 bits in place of floats of 16 bits', async () => {
    const vertex = { position: '16_16_16_16_FLOAT', texcoord0: '16_16_FLOAT', normal: '16_16_16_16_FLOAT' };
    expect(await formats(vertex)).toEqual({ POSITION: 5122, NORMAL: 5122, TEXCOORD_0: 5123, COLOR_0: 5121 });
  });

  it('drop what is not to be there', async () => {
    const vertex = { normal: 'NONE', texcoord0: 'NONE', color0: 'NONE' };
    expect(await formats(vertex)).toEqual({ POSITION: 5126 });
  });

  async function formats(vertex: Record<string, unknown>) {
    const { asset } = await assetOf(await flatSheetGlb(4, true), { vertex });
    const [part] = partsOf(await unpack(asset));
    return Object.fromEntries(
      (part?.listSemantics() ?? []).map((semantic) => [semantic, part?.getAttribute(semantic)?.getComponentType()]),
    );
  }
});

describe('the scene graph', () => {
  const nodes = Array.from({ length: 6 }, (_, i) => ({ name: `box ${i}`, mesh: 0, translation: [3 * i, 0, 0] }));

  it('stays as it is where it is dynamic', async () => {
    const { asset } = await assetOf(nodesGlb(nodes), { sceneGraphMode: 'dynamic' });
    const names = (await unpack(asset))
      .getRoot()
      .listNodes()
      .map((node) => node.getName());
    expect(names).toEqual(expect.arrayContaining(nodes.map(({ name }) => name)));
  });

  it('is one mesh for each material, drawn once, where it is none', async () => {
    const { asset } = await assetOf(nodesGlb(nodes), { sceneGraphMode: 'none' });
    const document = await unpack(asset);
    expect(document.getRoot().listNodes()).toHaveLength(1);
    expect(partsOf(document)).toHaveLength(1);
    expect(document.hasExtension('EXT_mesh_gpu_instancing')).toBe(false);
  });
});

/** Boxes in a row, one for each colour. */
function paintedBoxes(colours: readonly (readonly number[])[]): Uint8Array {
  const materials = colours.map((baseColorFactor) => ({ pbrMetallicRoughness: { baseColorFactor } }));
  const meshes = colours.map((_, material) => ({
    primitives: [{ attributes: { POSITION: 0, NORMAL: 1 }, indices: 2, material }],
  }));
  const nodes = colours.map((_, i) => ({ mesh: i, translation: [3 * i, 0, 0] }));
  return boxGlb({ materials, meshes, nodes, scenes: [{ nodes: nodes.map((_, i) => i) }] });
}

function partsOf(document: Document): Primitive[] {
  return document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
}

function boundsOf(document: Document) {
  const [scene] = document.getRoot().listScenes();
  if (scene === undefined) expect.fail('There is no scene.');
  return getBounds(scene);
}

function near(...numbers: readonly number[]) {
  return numbers.map((number) => expect.closeTo(number, 2));
}
