import { type Document, getBounds, WebIO } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  KHRLightsPunctual,
  KHRMaterialsVolume,
  type Light,
  type Volume,
} from '@gltf-transform/extensions';
import { describe, expect, it } from 'vitest';
import { parseConversionSettings } from '#lib/conversion';
import { applySettings } from '../../../lib/conversion/apply-settings.ts';
import type { ModelFormatId } from '../../../lib/conversion/model-formats.ts';
import { animatedSkinGlb, boxGlb, unpack } from '../../support/models/index.ts';
import { assetOf, convertModel } from './convert-model.ts';
import { type SettingsModel, settingsModelGlb } from './settings-model.ts';

/** The model as it comes out, unpacked. */
async function converted(
  settings: Record<string, unknown> | null,
  change?: (model: SettingsModel) => void,
): Promise<{ document: Document; warnings: readonly object[] }> {
  const { asset, outcome } = await assetOf(await settingsModelGlb(change), settings);
  return { document: await unpack(asset), warnings: outcome.warnings };
}

const materialOf = (document: Document) => document.getRoot().listMaterials()[0];
const partOf = (document: Document) => document.getRoot().listMeshes()[0]?.listPrimitives()[0];
const near = (...values: number[]) => values.map((value) => expect.closeTo(value, 4));

describe('scaling, axis and recenterToOrigin', () => {
  const box = async (settings: Record<string, unknown>) => {
    const { asset, outcome } = await assetOf(await settingsModelGlb(), settings);
    const scene = (await unpack(asset)).getRoot().getDefaultScene();
    if (scene === null) expect.fail('There is no scene.');
    return { ...getBounds(scene), told: outcome.info.outputStatistics };
  };

  it.each([
    ['nothing', {}, [1, 2, 3], [2, 4, 3]],
    ['a factor', { scaling: 0.5 }, [0.5, 1, 1.5], [1, 2, 1.5]],
    ['up along z put up along y, as of a point cloud', { axis: ['+x', '+z', '-y'] }, [1, 3, -4], [2, 3, -2]],
    ['the default of each axis', { axis: ['default', '+y', 'default'] }, [1, 2, 3], [2, 4, 3]],
    ['a mirror', { axis: ['-x', '+y', '+z'] }, [-2, 2, 3], [-1, 4, 3]],
    ['a swap, which mirrors too', { axis: ['+y', '+x', '+z'] }, [2, 1, 3], [4, 2, 3]],
    ['all at once', { axis: ['+z', '+x', '+y'], scaling: 2, recenterToOrigin: true }, [0, -1, -2], [0, 1, 2]],
  ])('%s', async (_name, settings, min, max) => {
    const { told, ...bounds } = await box(settings);
    expect(bounds).toEqual({ min: near(...min), max: near(...max) });
    expect(told.boundingBox).toEqual({ min: near(...min), max: near(...max) });
  });

  it('tell where the model was, in the turned and scaled space', async () => {
    const { told } = await box({ axis: ['+z', '+x', '+y'], scaling: 2, recenterToOrigin: true });
    expect(told.recenteringOffset).toEqual(near(6, 3, 6));
  });

  it.each([
    ['dynamic', ['-x', '+y', '+z']],
    ['static', ['-x', '+y', '+z']],
    ['none', ['-x', '+y', '+z']],
    ['static', ['+x', '+z', '-y']],
    ['dynamic', ['+y', '+x', '+z']],
  ])('keep the front of triangles in front: %s with %j', async (sceneGraphMode, axis) => {
    const { asset } = await assetOf(boxGlb(), { axis, sceneGraphMode, vertex: { normal: '16_16_16_16_FLOAT' } });
    const fronts = frontsOf(await unpack(asset));
    expect(fronts).toHaveLength(12);
    for (const alignment of fronts) expect(alignment).toBeGreaterThan(0.9);
  });

  it.each<Placing>([
    { scaling: 3 },
    { axis: ['+x', '+z', '-y'] },
    { axis: ['-x', '+y', '+z'] },
    { recenterToOrigin: true },
  ])('move what joints bend by its joints, and keep its animation: %j', async (settings) => {
    const { outcome, asset } = await assetOf(animatedSkinGlb(), settings);
    const document = await unpack(asset);
    const before = skinnedPoints(await unpack(animatedSkinGlb()));
    const after = skinnedPoints(document);
    const { boundingBox, recenteringOffset = [0, 0, 0] } = outcome.info.outputStatistics;
    const moved = before.map((point) =>
      expectedPoint(point, settings).map((value, i) => value - (recenteringOffset[i] ?? 0)),
    );
    // Weights have 8 bits.
    const wanted = inOrder(moved).map((point) => point.map((value) => expect.closeTo(value, 1)));
    expect(inOrder(after)).toEqual(wanted);
    expect(boundingBox.min).toEqual(near(...lowest(moved)));
    const [channel] = document.getRoot().listAnimations()[0]?.listChannels() ?? [];
    expect(channel?.getTargetNode()?.getName()).toBe('lower');
    expect(outcome.validation.numErrors).toBe(0);
  });

  it('reach lights, volumes and cameras, whose lengths no node scales', async () => {
    const { document } = await converted({ scaling: 2 }, ({ document, node, material }) => {
      const light = document.createExtension(KHRLightsPunctual).createLight('lamp').setType('point');
      node.setExtension('KHR_lights_punctual', light.setIntensity(5).setRange(7));
      const volume = document.createExtension(KHRMaterialsVolume).createVolume();
      material.setExtension('KHR_materials_volume', volume.setAttenuationDistance(0.5).setThicknessFactor(0.1));
      node.setCamera(document.createCamera('eye').setType('perspective').setZNear(0.1).setZFar(100));
    });
    const [node] = document.getRoot().listNodes();
    const light = node?.getExtension<Light>('KHR_lights_punctual');
    expect([light?.getRange(), light?.getIntensity()]).toEqual([14, 20]);
    expect(materialOf(document)?.getExtension<Volume>('KHR_materials_volume')?.getAttenuationDistance()).toBe(1);
    expect([node?.getCamera()?.getZNear(), node?.getCamera()?.getZFar()]).toEqual([0.2, 200]);
  });

  it('refuse a factor that leads beyond all numbers', async () => {
    const { outcome } = await convertModel(await settingsModelGlb(), { scaling: 1e308 });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'input_refused' } });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining('scaled by 1e+308 (scaling)') } });
  });
});

describe('opaqueMaterialDefaultSidedness', () => {
  it.each([
    ['a settings file says nothing of it', {}, 'OPAQUE', true],
    ['it is DoubleSided and something is cut out', {}, 'MASK', true],
    ['something shines through', {}, 'BLEND', false],
    ['it is SingleSided', { opaqueMaterialDefaultSidedness: 'SingleSided' }, 'OPAQUE', false],
    ['there are no settings', null, 'OPAQUE', false],
  ] as const)('shows the back where %s: %j, %s', async (_name, settings, mode, doubleSided) => {
    const { document } = await converted(settings, ({ material }) => material.setAlphaMode(mode));
    expect(materialOf(document)?.getDoubleSided()).toBe(doubleSided);
  });

  it('leaves what the model shows from both sides', async () => {
    const settings = { opaqueMaterialDefaultSidedness: 'SingleSided' };
    const { document } = await converted(settings, ({ material }) => material.setDoubleSided(true));
    expect(materialOf(document)?.getDoubleSided()).toBe(true);
  });

  it('reaches triangles without a material', async () => {
    const { document } = await converted({}, ({ part }) => part.setMaterial(null));
    expect(partOf(document)?.getMaterial()?.getDoubleSided()).toBe(true);
  });
});

describe('colours in sRGB', () => {
  it('stay as a glTF has them where no setting says so', async () => {
    const { document } = await converted({});
    expect(materialOf(document)?.getBaseColorFactor()).toEqual([0.5, 0.25, 1, 1]);
    expect(colorsOf(document)).toEqual([0.5, 0.5, 0.5, 0.5].map((value) => expect.closeTo(value, 2)));
  });

  it('become linear in materials with gammaToLinearMaterial, opacity excepted', async () => {
    const { document } = await converted({ gammaToLinearMaterial: true }, ({ material }) => material.setAlpha(0.5));
    expect(materialOf(document)?.getBaseColorFactor()).toEqual([...near(0.21404, 0.05088, 1), 0.5]);
    expect(materialOf(document)?.getEmissiveFactor()).toEqual(near(0.21404, 0.21404, 0.21404));
    expect(colorsOf(document)[0]).toBeCloseTo(0.5, 2);
  });

  it('become linear in vertices with gammaToLinearVertex, opacity excepted', async () => {
    const { document } = await converted({ gammaToLinearVertex: true });
    expect(colorsOf(document)).toEqual([0.214, 0.214, 0.214, 0.5].map((value) => expect.closeTo(value, 2)));
    expect(materialOf(document)?.getBaseColorFactor()).toEqual([0.5, 0.25, 1, 1]);
  });
});

describe('colours of a format', () => {
  const colors = async (format: ModelFormatId, settings: object = {}) => {
    const document = await new WebIO().registerExtensions(ALL_EXTENSIONS).readBinary(await settingsModelGlb());
    applySettings(document, parseConversionSettings(settings), format);
    return [materialOf(document)?.getBaseColorFactor()[0], colorsOf(document)[0]];
  };
  const [gamma, linear] = [0.5, expect.closeTo(0.21404, 4)];

  it.each([
    ['gltf', gamma, gamma],
    ['obj', linear, linear],
    ['dae', linear, linear],
    ['3ds', linear, linear],
    ['fbx', linear, linear],
    // Their importers make the colours of vertices linear, and they have none of materials.
    ['ply', gamma, gamma],
    ['3mf', gamma, gamma],
  ] as const)('%s are linear after all, or were', async (format, material, vertex) => {
    expect(await colors(format)).toEqual([material, vertex]);
  });

  it('are as the settings say, whatever the format', async () => {
    const [on, off] = [true, false].map((value) => ({ gammaToLinearMaterial: value, gammaToLinearVertex: value }));
    expect(await colors('fbx', off)).toEqual([gamma, gamma]);
    expect(await colors('obj', on)).toEqual([linear, linear]);
    expect(await colors('3mf', on)).toEqual([gamma, gamma]);
  });
});

describe('unlitMaterials', () => {
  it('shows the colour alone', async () => {
    const { document } = await converted({ unlitMaterials: true });
    const material = materialOf(document);
    expect(material?.listExtensions().map(({ extensionName }) => extensionName)).toEqual(['KHR_materials_unlit']);
    expect(material?.getBaseColorTexture()).not.toBeNull();
    expect(document.getRoot().listTextures()).toHaveLength(1);
  });

  it('reaches triangles without a material', async () => {
    const { document } = await converted({ unlitMaterials: true }, ({ part }) => part.setMaterial(null));
    expect(materialOf(document)?.getExtension('KHR_materials_unlit')).not.toBeNull();
  });
});

describe('metadataKeys', () => {
  const extras = async (settings: Record<string, unknown>) => {
    const { document } = await converted(settings);
    const [node] = document.getRoot().listNodes();
    return [node?.getExtras(), node?.getMesh()?.getExtras(), materialOf(document)?.getExtras()];
  };

  it.each([
    [{}, { partNumber: 'A-1', partName: 'panel', weight: 2 }, { parts: 1 }, { finish: 'matt', cost: 3 }],
    [{ metadataKeys: [] }, {}, {}, {}],
    [{ metadataKeys: ['part*', 'cost'] }, { partNumber: 'A-1', partName: 'panel' }, { parts: 1 }, { cost: 3 }],
    [{ metadataKeys: ['partName', 'missing'] }, { partName: 'panel' }, {}, {}],
    [
      { metadataKeys: ['*'] },
      { partNumber: 'A-1', partName: 'panel', weight: 2 },
      { parts: 1 },
      { finish: 'matt', cost: 3 },
    ],
  ])('keep of nodes, meshes and materials what they name: %j', async (settings, ...kept) => {
    expect(await extras(settings)).toEqual(kept);
  });
});

describe('vertex', () => {
  const semantics = async (vertex: Record<string, string>) =>
    partOf((await converted({ vertex })).document)
      ?.listSemantics()
      .toSorted();

  it.each([
    [{}, ['COLOR_0', 'NORMAL', 'POSITION', 'TEXCOORD_0', 'TEXCOORD_1']],
    [{ color0: 'NONE' }, ['NORMAL', 'POSITION', 'TEXCOORD_0', 'TEXCOORD_1']],
    [{ normal: 'NONE', tangent: 'NONE', binormal: 'NONE' }, ['COLOR_0', 'POSITION', 'TEXCOORD_0', 'TEXCOORD_1']],
    [{ texcoord1: 'NONE' }, ['COLOR_0', 'NORMAL', 'POSITION', 'TEXCOORD_0']],
    [
      { normal: 'AUTO', tangent: 'AUTO', binormal: 'AUTO' },
      ['COLOR_0', 'NORMAL', 'POSITION', 'TEXCOORD_0', 'TEXCOORD_1'],
    ],
  ])('leaves out what it names: %j', async (vertex, left) => {
    expect(await semantics(vertex)).toEqual(left);
  });

  it('leaves out all texture coordinates, and the textures that need them', async () => {
    const { document } = await converted({ vertex: { texcoord0: 'NONE', texcoord1: 'NONE' } });
    expect(partOf(document)?.listSemantics().toSorted()).toEqual(['COLOR_0', 'NORMAL', 'POSITION']);
    expect(document.getRoot().listTextures()).toEqual([]);
  });

  it('moves the second texture coordinates up where the first are left out, and what they place with them', async () => {
    const { document } = await converted({ vertex: { texcoord0: 'NONE' } }, ({ material }) => {
      material.getBaseColorTextureInfo()?.setTexCoord(1);
    });
    const part = partOf(document);
    expect(part?.listSemantics().toSorted()).toEqual(['COLOR_0', 'NORMAL', 'POSITION', 'TEXCOORD_0']);
    expect(part?.getAttribute('TEXCOORD_0')?.getMax([])).toEqual([1, 0.5]);
    expect(materialOf(document)?.getBaseColorTexture()).not.toBeNull();
    expect(materialOf(document)?.getBaseColorTextureInfo()?.getTexCoord()).toBe(0);
    expect(materialOf(document)?.getNormalTexture()).toBeNull();
  });

  it('moves the second colours up where the first are left out', async () => {
    const vertex = { color0: 'NONE', color1: '8_8_8_8_UNSIGNED_NORMALIZED' };
    const { document } = await converted({ vertex }, (model) => {
      const second = model.document.createAccessor().setType('VEC4').setArray(new Float32Array(12).fill(0.2));
      model.part.setAttribute('COLOR_1', second.setBuffer(model.document.getRoot().listBuffers()[0] ?? null));
    });
    expect(partOf(document)?.listSemantics()).not.toContain('COLOR_1');
    expect(colorsOf(document)).toEqual([0.2, 0.2, 0.2, 0.2].map((value) => expect.closeTo(value, 2)));
  });
});

describe('a setting that has no effect', () => {
  it.each([
    [{ generateCollisionMesh: false }, 'generateCollisionMesh'],
    [{ fbxAssumeMetallic: false }, 'fbxAssumeMetallic'],
    [{ vertex: { binormal: '16_16_16_16_FLOAT' } }, 'vertex.binormal'],
  ])('is told of: %j', async (settings, setting) => {
    const { warnings } = await converted(settings);
    const warning = { code: 'setting_without_effect', details: { setting, why: expect.any(String) } };
    expect(warnings).toMatchObject([warning]);
  });

  it('is not told of where it says what holds anyhow', async () => {
    const settings = { generateCollisionMesh: true, fbxAssumeMetallic: true, vertex: { binormal: 'NONE' } };
    expect((await converted(settings)).warnings).toEqual([]);
    expect((await converted(null)).warnings).toEqual([]);
  });
});

/** How much the side that a triangle shows, as viewers take it from its corners, is that of its normals. */
function frontsOf(document: Document): number[] {
  return document
    .getRoot()
    .listNodes()
    .flatMap((node) => {
      const part = node.getMesh()?.listPrimitives()[0];
      const m = node.getWorldMatrix();
      const turned = ([x = 0, y = 0, z = 0]: number[]) =>
        [0, 1, 2].map((i) => (m[i] ?? 0) * x + (m[i + 4] ?? 0) * y + (m[i + 8] ?? 0) * z);
      const [x, y, z] = [m.slice(0, 3), m.slice(4, 7), m.slice(8, 11)];
      // glTF 2.0, 3.7.4: a mirroring node turns the front of its triangles.
      const side = Math.sign(dot(cross(x, y), z));
      const indices = [...(part?.getIndices()?.getArray() ?? [])];
      const element = (semantic: string, i: number) => part?.getAttribute(semantic)?.getElement(i, []) ?? [];
      return Array.from({ length: indices.length / 3 }, (_, triangle) => {
        const [a, b, c] = [0, 1, 2].map((corner) => turned(element('POSITION', indices[3 * triangle + corner] ?? 0)));
        const front = cross(minus(b, a), minus(c, a)).map((value) => value * side);
        return dot(unit(front), unit(turned(element('NORMAL', indices[3 * triangle] ?? 0))));
      });
    });
}

interface Placing extends Record<string, unknown> {
  readonly scaling?: number;
  readonly axis?: string[];
}

/** Where the joints put the points of the first skin. */
function skinnedPoints(document: Document): number[][] {
  const node = document
    .getRoot()
    .listNodes()
    .find((candidate) => candidate.getSkin() !== null);
  const skin = node?.getSkin();
  const part = node?.getMesh()?.listPrimitives()[0];
  const matrices = skin?.listJoints().map((joint, i) => {
    const [m, b] = [joint.getWorldMatrix(), skin.getInverseBindMatrices()?.getElement(i, [])];
    return (point: number[]) => applied(m, b === undefined ? point : applied(b, point));
  });
  return Array.from({ length: part?.getAttribute('POSITION')?.getCount() ?? 0 }, (_, i) => {
    const [point, joints, weights] = ['POSITION', 'JOINTS_0', 'WEIGHTS_0'].map(
      (semantic) => part?.getAttribute(semantic)?.getElement(i, []) ?? [],
    );
    const sum = [0, 0, 0];
    for (const [j, weight] of (weights ?? []).entries()) {
      const moved = matrices?.[joints?.[j] ?? 0]?.(point ?? []) ?? [];
      for (const axis of [0, 1, 2]) sum[axis] = (sum[axis] ?? 0) + weight * (moved[axis] ?? 0);
    }
    return sum;
  });
}

function expectedPoint([x = 0, y = 0, z = 0]: number[], { scaling = 1, axis }: Placing): number[] {
  const of: Record<string, number> = { '+x': x, '-x': -x, '+y': y, '-y': -y, '+z': z, '-z': -z };
  return (axis ?? ['+x', '+y', '+z']).map((name) => (of[name] ?? 0) * scaling);
}

const inOrder = (points: number[][]) => {
  const rank = ([x = 0, y = 0, z = 0]: number[]) => x + 10 * y + 100 * z;
  return points.toSorted((a, b) => rank(a) - rank(b));
};
const applied = (m: readonly number[], [x = 0, y = 0, z = 0]: readonly number[]) =>
  [0, 1, 2].map((i) => (m[i] ?? 0) * x + (m[i + 4] ?? 0) * y + (m[i + 8] ?? 0) * z + (m[i + 12] ?? 0));
const lowest = (points: number[][]) => [0, 1, 2].map((axis) => Math.min(...points.map((point) => point[axis] ?? 0)));
const minus = (a: number[] = [], b: number[] = []) => a.map((value, i) => value - (b[i] ?? 0));
const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const unit = (a: number[]) => a.map((value) => value / Math.hypot(...a));
const cross = ([a = 0, b = 0, c = 0]: number[], [x = 0, y = 0, z = 0]: number[]) => [
  b * z - c * y,
  c * x - a * z,
  a * y - b * x,
];
const colorsOf = (document: Document) => {
  const part = partOf(document);
  const positions = part?.getAttribute('POSITION');
  const count = positions?.getCount() ?? 0;
  // The corner at the lowest x and y.
  const first = Array.from({ length: count }, (_, i) => i).find((i) => {
    const [x = 0, y = 0] = positions?.getElement(i, []) ?? [];
    return Math.abs(x - 1) < 0.01 && Math.abs(y - 2) < 0.01;
  });
  return part?.getAttribute('COLOR_0')?.getElement(first ?? 0, []) ?? [];
};
