import type { Document, Material } from '@gltf-transform/core';
import { KHRMaterialsSpecular, type Specular } from '@gltf-transform/extensions';
import { describe, expect, it } from 'vitest';
import { unpack } from '../../support/models/index.ts';
import { assetOf, convertModel } from './convert-model.ts';
import { type SettingsModel, settingsModelGlb } from './settings-model.ts';

const PATH = 'box.MaterialOverrides.json';

/** A model beside a material override file. */
async function files(overrides: unknown, change?: (model: SettingsModel) => void, path = PATH) {
  const text = typeof overrides === 'string' ? overrides : JSON.stringify(overrides);
  return { 'box.glb': await settingsModelGlb(change), [path]: Buffer.from(text) };
}

async function overridden(
  override: object,
  change?: (model: SettingsModel) => void,
): Promise<{ document: Document; material: Material; warnings: readonly object[] }> {
  const { asset, outcome } = await assetOf(await files([{ name: 'paint', ...override }], change), {});
  const document = await unpack(asset);
  const [material] = document.getRoot().listMaterials();
  if (material === undefined) expect.fail('There is no material.');
  return { document, material, warnings: outcome.warnings };
}

async function refusal(overrides: unknown, settings: Record<string, unknown> = {}) {
  const { outcome } = await convertModel(await files(overrides), settings);
  if (outcome.status === 'succeeded') expect.fail('The model was converted.');
  return outcome.error;
}

describe('a material override', () => {
  it.each([
    [{ albedoColor: { r: 0.1, g: 0.2, b: 0.3 } }, (m: Material) => m.getBaseColorFactor(), [0.1, 0.2, 0.3, 1]],
    [{ albedoColor: { r: 0, g: 0, b: 1, a: 0.5 } }, (m: Material) => m.getBaseColorFactor(), [0, 0, 1, 0.5]],
    [{ albedoColor: { a: 0.25 } }, (m: Material) => m.getBaseColorFactor(), [0.5, 0.25, 1, 0.25]],
    [{ roughness: 0.3 }, (m: Material) => m.getRoughnessFactor(), 0.3],
    [{ metalness: 0 }, (m: Material) => m.getMetallicFactor(), 0],
    [{ normalMapScale: -2.5 }, (m: Material) => m.getNormalScale(), -2.5],
    [{ transparent: true }, (m: Material) => m.getAlphaMode(), 'BLEND'],
    [{ alphaClipEnabled: true }, (m: Material) => m.getAlphaMode(), 'MASK'],
    [{ alphaClipEnabled: true, alphaClipThreshold: 0.75 }, (m: Material) => m.getAlphaCutoff(), 0.75],
    [{ isDoubleSided: false }, (m: Material) => m.getDoubleSided(), false],
    [{ transparent: true, isDoubleSided: true }, (m: Material) => m.getDoubleSided(), true],
    [{ unlit: true }, (m: Material) => m.getExtension('KHR_materials_unlit') !== null, true],
  ])('%j is what the material is then', async (override, read, value) => {
    const { material, warnings } = await overridden(override);
    expect(read(material)).toEqual(value);
    expect(warnings).toEqual([]);
  });

  it.each([
    [{ transparent: false }, 'BLEND', 'OPAQUE'],
    [{ alphaClipEnabled: false }, 'MASK', 'OPAQUE'],
    [{ alphaClipEnabled: true }, 'BLEND', 'MASK'],
    [{ transparent: false, alphaClipEnabled: true }, 'BLEND', 'MASK'],
    [{ roughness: 1 }, 'BLEND', 'BLEND'],
  ] as const)('%j makes %s %s', async (override, before, after) => {
    const { material } = await overridden(override, (model) => model.material.setAlphaMode(before));
    expect(material.getAlphaMode()).toBe(after);
  });

  it('drops the colours of vertices with useVertexColor false alone', async () => {
    const semantics = async (useVertexColor: boolean) => {
      const { document } = await overridden({ useVertexColor });
      return document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.listSemantics();
    };
    expect(await semantics(true)).toContain('COLOR_0');
    expect(await semantics(false)).not.toContain('COLOR_0');
  });

  it('wins over the settings for all materials', async () => {
    const settings = { unlitMaterials: true, gammaToLinearMaterial: true };
    const override = { name: 'paint', unlit: false, isDoubleSided: false, albedoColor: { r: 0.5, g: 0.5, b: 0.5 } };
    const { asset } = await assetOf(await files([override]), settings);
    const [material] = (await unpack(asset)).getRoot().listMaterials();
    expect(material?.getExtension('KHR_materials_unlit')).toBeNull();
    expect(material?.getDoubleSided()).toBe(false);
    expect(material?.getBaseColorFactor()).toEqual([0.5, 0.5, 0.5, 1]);
  });

  it.each([
    ['transparencyWritesDepth', { transparencyWritesDepth: true }],
    ['alphaClipEnabled', { transparent: true, alphaClipEnabled: true }],
    ['ignoreTextureMaps: RoughnessMap', { ignoreTextureMaps: ['RoughnessMap'] }],
  ])('says where glTF cannot hold it: %s', async (setting, override) => {
    const { warnings } = await overridden(override);
    const details = { setting, override: 'paint', why: expect.any(String) };
    expect(warnings).toEqual([{ code: 'setting_without_effect', title: 'Setting without an effect', details }]);
  });

  it('says nothing of transparencyWritesDepth false: that is how it is', async () => {
    expect((await overridden({ transparencyWritesDepth: false })).warnings).toEqual([]);
  });
});

describe('ignoreTextureMaps', () => {
  const all = ['color', 'emissive', 'normal', 'occlusion', 'surface'];
  it.each([
    [['AlbedoMap'], ['emissive', 'normal', 'occlusion', 'surface']],
    [['DiffuseMap'], ['emissive', 'normal', 'occlusion', 'surface']],
    [['EmissiveMap'], ['color', 'normal', 'occlusion', 'surface']],
    [['NormalMap'], ['color', 'emissive', 'occlusion', 'surface']],
    [['OcclusionMap'], ['color', 'emissive', 'normal', 'surface']],
    [['MetallicRoughnessMap'], ['color', 'emissive', 'normal', 'occlusion']],
    [
      ['RoughnessMap', 'MetalnessMap'],
      ['color', 'emissive', 'normal', 'occlusion'],
    ],
    [['AlbedoMap', 'NormalMap', 'MetallicRoughnessMap', 'OcclusionMap', 'EmissiveMap'], []],
    [['BumpMap', 'ReflectivityMap', 'ShininessMap', 'SpecularMap', 'SpecularGlossinessMap', 'OpacityMap'], all],
  ])('leaves out %j of a glTF', async (ignoreTextureMaps, left) => {
    const { document, warnings } = await overridden({ ignoreTextureMaps });
    const names = document
      .getRoot()
      .listTextures()
      .map((texture) => texture.getName());
    expect(names.toSorted()).toEqual(left);
    expect(warnings).toEqual([]);
  });

  it('leaves out what shines in colour', async () => {
    const { material } = await overridden({ ignoreTextureMaps: ['SpecularMap'] }, ({ document, material }) => {
      const specular = document.createExtension(KHRMaterialsSpecular).createSpecular();
      const texture = material.getEmissiveTexture();
      material.setExtension('KHR_materials_specular', specular.setSpecularColorTexture(texture).setSpecularFactor(0.5));
    });
    const specular = material.getExtension<Specular>('KHR_materials_specular');
    expect(specular).not.toBeNull();
    expect(specular?.getSpecularColorTexture()).toBeNull();
  });

  it('makes opaque what only the map made transparent, and says where the colour does too', async () => {
    const override = { ignoreTextureMaps: ['OpacityMap'] };
    const opaque = await overridden(override, ({ material }) => material.setAlphaMode('BLEND'));
    expect([opaque.material.getAlphaMode(), opaque.warnings]).toEqual(['OPAQUE', []]);
    const glass = await overridden(override, ({ material }) => material.setAlphaMode('BLEND').setAlpha(0.5));
    expect(glass.material.getAlphaMode()).toBe('BLEND');
    expect(glass.warnings).toMatchObject([{ details: { setting: 'ignoreTextureMaps: OpacityMap' } }]);
  });
});

describe('the name of a material override', () => {
  const names = ['Wood', 'Wood 2', 'Steel', 'WoodSteel'];
  const colored = (name: string, r: number, nameMatching?: string) => ({
    name,
    ...(nameMatching === undefined ? {} : { nameMatching }),
    albedoColor: { r, g: 0, b: 0 },
  });
  const reds = async (overrides: object[]) => {
    const model = await files(overrides, ({ document, material, part }) => {
      const mesh = document.getRoot().listMeshes()[0];
      material.setName('other').setBaseColorFactor([1, 0, 0, 1]);
      for (const name of names) mesh?.addPrimitive(part.clone().setMaterial(material.clone().setName(name)));
    });
    const { asset, outcome } = await assetOf(model, { deduplicateMaterials: false });
    const materials = (await unpack(asset)).getRoot().listMaterials();
    const found = new Map(materials.map((material) => [material.getName(), material.getBaseColorFactor()[0]]));
    return { found: names.map((name) => found.get(name)), warnings: outcome.warnings };
  };

  it('is the whole name, whatever is in it', async () => {
    expect((await reds([colored('Wood', 0.5)])).found).toEqual([0.5, 1, 1, 1]);
    expect((await reds([colored('Wood.*', 0.5)])).found).toEqual([1, 1, 1, 1]);
  });

  it('is an expression for the whole name with nameMatching regex', async () => {
    expect((await reds([colored('Wood( [0-9]+)?', 0.5, 'regex')])).found).toEqual([0.5, 0.5, 1, 1]);
    expect((await reds([colored('Steel|Wood', 0.5, 'regex')])).found).toEqual([0.5, 1, 0.5, 1]);
  });

  it('is the exact one before expressions, and the first of them', async () => {
    const overrides = [colored('.*el', 0.2, 'regex'), colored('Wood.*', 0.3, 'regex'), colored('Wood', 0.4)];
    expect((await reds(overrides)).found).toEqual([0.4, 0.3, 0.2, 0.2]);
  });

  it('is told of where it is no material of the model, or another override is for all of them', async () => {
    const { warnings } = await reds([colored('Glass', 0.1), colored('Wood', 0.2), colored('Woo.', 0.3, 'regex')]);
    expect(warnings.map(({ code, details }) => [code, details['override']])).toEqual([
      ['override_unused', 'Glass'],
      ['override_unused', 'Woo.'],
    ]);
  });

  it('is told of some ten thousand times at most', async () => {
    const { warnings } = await reds(Array.from({ length: 10_150 }, (_, i) => colored(`none ${i}`, 0.1)));
    expect(warnings).toHaveLength(10_001);
    expect(warnings.at(-1)).toMatchObject({
      code: 'more_warnings',
      details: { warning: 'override_unused', count: '150' },
    });
  });

  it('may not be an expression that takes for ever', async () => {
    const { outcome } = await convertModel(
      await files([{ name: '(a+)+b', nameMatching: 'regex' }], ({ material }) => material.setName('a'.repeat(60))),
    );
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'limit' } });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining('"(a+)+b"') } });
  });
});

describe('a material override file', () => {
  it('is found by the name of the model, and by the setting', async () => {
    const overrides = [{ name: 'paint', transparent: true }];
    const settings = { 'material-override': 'looks\\matt.json' };
    for (const [path, given] of [
      [PATH, null],
      [PATH, {}],
      ['looks/matt.json', settings],
    ] as const) {
      const { asset } = await assetOf(await files(overrides, undefined, path), given);
      expect((await unpack(asset)).getRoot().listMaterials()[0]?.getAlphaMode()).toBe('BLEND');
    }
  });

  it('that the settings name must be there', async () => {
    expect(await refusal([], { 'material-override': 'missing.json' })).toMatchObject({
      code: 'missing_files',
      message: expect.stringContaining("names missing.json, which is not in the model's folder"),
    });
  });

  it.each(['../other.json', '/etc/passwd', 'C:\\looks.json', 'a/../../b.json', '.', 'folder/', 'a\0b'])(
    'lies in the folder of the model: not %j',
    async (path) => {
      expect(await refusal([], { 'material-override': path })).toMatchObject({
        code: 'input_refused',
        message: expect.stringContaining(`'material-override' is ${JSON.stringify(path)}; allowed is`),
      });
    },
  );

  it.each([
    [
      '[{"name": "a",}]',
      `${PATH} is no valid JSON: line 1, column 15: '}' is where a key in quotation marks should be.`,
    ],
    [{}, '{} is not a list of material overrides.'],
    [['a'], `'[0]' is "a"; allowed is an object of name, nameMatching`],
    [[{ roughness: 1 }], "'[0].name' is missing; allowed is a text."],
    [[{ name: 'a' }, { name: 'b', roughness: 2 }], "'[1].roughness' is 2; allowed is a number from 0 to 1."],
    [[{ name: 'a', metalness: '1' }], `'[0].metalness' is "1"; allowed is a number from 0 to 1.`],
    [[{ name: 'a', shiny: true }], "'[0].shiny' is not a material override; allowed are name, nameMatching"],
    [[{ name: 'a', nameMatching: 'glob' }], `'[0].nameMatching' is "glob"; allowed is exact or regex.`],
    [
      [{ name: 'a', albedoColor: { r: 1 } }],
      `'[0].albedoColor' is {"r":1}; allowed is an object of r, g and b, of a alone`,
    ],
    [
      [{ name: 'a', albedoColor: { r: 1, g: 0, b: 300 } }],
      "'[0].albedoColor.b' is 300; allowed is a number from 0 to 1.",
    ],
    [
      [{ name: 'a', ignoreTextureMaps: ['Normal'] }],
      `'[0].ignoreTextureMaps[0]' is "Normal"; allowed is AlbedoMap, EmissiveMap`,
    ],
    [[{ name: 'a(', nameMatching: 'regex' }], `'[0].name' in ${PATH} is "a("; allowed is a regular expression`],
    [[{ name: 'a)(b', nameMatching: 'regex' }], `'[0].name' in ${PATH} is "a)(b"; allowed is a regular expression`],
  ])('that is wrong is refused with key, value and what is allowed: %j', async (overrides, message) => {
    expect(await refusal(overrides)).toEqual({ code: 'input_refused', message: expect.stringContaining(message) });
  });
});
