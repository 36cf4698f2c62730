import type { Material, Texture } from '@gltf-transform/core';
import type { Specular, Transform } from '@gltf-transform/extensions';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { FbxRecord } from '../../support/models/fbx.ts';
import {
  encodings,
  type FbxObject,
  geometry,
  layer,
  object,
  properties,
  property,
  scene,
  textOf,
} from '../../support/models/fbx-scene.ts';
import { type ModelFiles, png } from '../../support/models/index.ts';
import { importedDocument, rounded } from './imported-document.ts';

const corners = [0, 0, 1, 0, 1, 1, 0, 1];
const [firstUv, secondUv] = ['one', 'two'].map((name): FbxRecord => {
  const [kind, , children = []] = layer('LayerElementUV', 'ByPolygonVertex', 'UV', corners, ['UVIndex', [0, 1, 2, 3]]);
  return [kind, [name === 'one' ? 0 : 1], children.map((child) => (child[0] === 'Name' ? ['Name', [name]] : child))];
});
const square = geometry(1, [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0], [0, 1, 2, -4], [], [2]);
const layers: FbxRecord[] = [firstUv, secondUv].flatMap((uv, i): FbxRecord[] =>
  uv === undefined
    ? []
    : [
        uv,
        [
          'Layer',
          [i],
          [
            [
              'LayerElement',
              [],
              [
                ['Type', ['LayerElementUV']],
                ['TypedIndex', [i]],
              ],
            ],
          ],
        ],
      ],
);

/** A square with one material and its textures, of which each is a file of one colour. */
function painted(numbers: Record<string, number | number[]>, textures: readonly FbxObject[] = []): FbxRecord[] {
  const [kind, values, children = []] = square.record;
  const shape: FbxObject = { record: [kind, values, [...children.slice(0, 2), ...layers]], to: square.to };
  const model = object('Model', 2, 'square', 'Mesh', [['Version', [232]]], [0]);
  const material = object('Material', 3, 'paint', '', [['ShadingModel', ['phong']], properties(numbers)], [2]);
  return scene([shape, model, material, ...textures]);
}

/** As 3ds Max stores it: with the place where it lay on the artist's machine. */
function map(id: number, name: string, target: string | number, rows: readonly FbxRecord[] = []): FbxObject {
  const children: FbxRecord[] = [
    ['Properties70', [], rows],
    ['FileName', [`C:\\Work\\Maps\\${name}`]],
    ['RelativeFilename', [`..\\Maps\\${name}`]],
  ];
  return object('Texture', id, name, '', children, [typeof target === 'string' ? [3, target] : target]);
}

const images: ModelFiles = {
  'maps/rough.png': png(2, [200, 200, 200]),
  'maps/metal.png': png(2, [40, 40, 40]),
  'maps/packed.png': png(2, [10, 90, 230]),
  'maps/occlusion.png': png(2, [120, 120, 120]),
  'maps/color.png': png(2, [250, 100, 50]),
  'maps/glow.png': png(2, [0, 0, 255]),
};

async function look(records: readonly FbxRecord[], encoding = 1) {
  const file = encodings(records)[encoding]?.[1] ?? new Uint8Array();
  const plain = { gammaToLinearMaterial: false, fbxAssumeMetallic: false };
  const { document, outcome } = await importedDocument({ 'm.fbx': file, ...images }, plain);
  const [material] = document.getRoot().listMaterials();
  if (material === undefined) expect.fail('There is no material.');
  return { material, warnings: outcome.warnings };
}

async function pixelOf(texture: Texture | null | undefined): Promise<number[]> {
  return [
    ...(await sharp(texture?.getImage() ?? new Uint8Array())
      .raw()
      .toBuffer()),
  ].slice(0, texture?.getImage() ? 4 : 0);
}

async function surfaceOf(material: Material) {
  const [, green, blue] = await pixelOf(material.getMetallicRoughnessTexture());
  return { rough: green, metal: blue, factors: [material.getRoughnessFactor(), material.getMetallicFactor()] };
}

describe('physical materials in an FBX', () => {
  const physical = '3dsMax|Parameters|';
  const max = {
    [`${physical}metalness`]: 0.3,
    [`${physical}roughness`]: 0.4,
    [`${physical}base_color`]: [0.1, 0.2, 0.3],
  };

  it.each([0, 1, 2])('have maps of their own for roughness, metal and shade (encoding %i)', async (encoding) => {
    const maps = [map(10, 'rough.png', `${physical}roughness_map`), map(11, 'metal.png', `${physical}metalness_map`)];
    const { material, warnings } = await look(painted(max, maps), encoding);
    expect(await surfaceOf(material)).toEqual({ rough: 200, metal: 40, factors: [1, 1] });
    expect(material.getBaseColorFactor().map((value) => rounded(value))).toEqual([0.1, 0.2, 0.3, 1]);
    expect(warnings).toEqual([]);
  });

  it('keep a value where they have no map', async () => {
    const { material } = await look(painted(max, [map(10, 'rough.png', `${physical}roughness_map`)]));
    expect(await surfaceOf(material)).toEqual({ rough: 200, metal: 255, factors: [1, rounded(0.3)] });
    const inverted = { ...max, [`${physical}roughness_inv`]: 1 };
    const { material: smooth } = await look(painted(inverted, [map(10, 'rough.png', `${physical}roughness_map`)]));
    expect((await surfaceOf(smooth)).rough).toBe(55);
  });

  it('take the channels of glTF from one image for several', async () => {
    const maya = { 'Maya|metallic': 0, 'Maya|roughness': 0.5 };
    const maps = ['roughness', 'metallic'].map((kind, i) => map(10 + i, 'packed.png', `Maya|TEX_${kind}_map`));
    const shade = map(12, 'occlusion.png', 'Maya|TEX_ao_map');
    const { material } = await look(painted(maya, [...maps, shade]));
    expect(await surfaceOf(material)).toMatchObject({ rough: 90, metal: 230 });
    expect((await pixelOf(material.getOcclusionTexture()))[0]).toBe(120);
  });

  it('are dielectrics with a specular colour where they are of that kind', async () => {
    const gloss = {
      '3dsMax|main|basecolor': [0, 1, 1],
      '3dsMax|main|Specular': [0.5, 0.4, 0.3],
      '3dsMax|main|glossiness': 0.25,
      '3dsMax|main|useGlossiness': 1,
    };
    const { material } = await look(painted(gloss));
    expect(material.getBaseColorFactor()).toEqual([0, 1, 1, 1]);
    expect([material.getMetallicFactor(), material.getRoughnessFactor()]).toEqual([0, 0.75]);
    const specular = material.getExtension<Specular>('KHR_materials_specular');
    expect(specular?.getSpecularColorFactor()).toEqual([0.5, 0.4, 0.3]);
    const maps = [map(10, 'color.png', '3dsMax|main|specular_map'), map(11, 'rough.png', '3dsMax|main|glossiness_map')];
    const { material: mapped } = await look(painted(gloss, maps));
    const colour = mapped.getExtension<Specular>('KHR_materials_specular')?.getSpecularColorTexture();
    expect((await pixelOf(colour)).slice(0, 3)).toEqual([250, 100, 50]);
    expect(await surfaceOf(mapped)).toMatchObject({ rough: 55 });
  });

  it('of Blender have roughness and metal where Phong has other things', async () => {
    const maps = [map(10, 'rough.png', 'Shininess'), map(11, 'metal.png', 'ReflectionFactor')];
    const written = Buffer.from(textOf(painted({}, maps)))
      .toString()
      .replace('made by hand', 'Blender (stable FBX IO) - 4.0.2');
    const { document, outcome } = await importedDocument({ 'm.fbx': Buffer.from(written), ...images });
    const [material] = document.getRoot().listMaterials();
    expect(material && (await surfaceOf(material))).toMatchObject({ rough: 200, metal: 40 });
    expect(outcome.warnings).toEqual([]);
  });
});

describe('textures in an FBX', () => {
  it('lie on the surface as they say', async () => {
    const rows = [
      property('UVSet', 'KString', 'two'),
      property('Translation', 'Vector', 0.25, 0.5, 0),
      property('Scaling', 'Vector', 2, 3, 1),
      property('WrapModeU', 'enum', 1),
    ];
    const { material } = await look(painted({}, [map(10, 'color.png', 'DiffuseColor', rows)]));
    const info = material.getBaseColorTextureInfo();
    expect([info?.getTexCoord(), info?.getWrapS(), info?.getWrapT()]).toEqual([1, 33_071, 10_497]);
    const transform = info?.getExtension<Transform>('KHR_texture_transform');
    // Heights are counted from the bottom there.
    expect([transform?.getOffset(), transform?.getScale()]).toEqual([
      [0.25, 1 - 3 - 0.5],
      [2, 3],
    ]);
  });

  it('glow where they are light', async () => {
    const { material } = await look(painted({}, [map(10, 'glow.png', 'EmissiveColor')]));
    expect(material.getEmissiveFactor()).toEqual([1, 1, 1]);
    expect(material.getEmissiveTexture()?.getImage()).toBeTruthy();
  });

  it('let light through as a map of their own says', async () => {
    const maps = [map(10, 'color.png', 'DiffuseColor'), map(11, 'occlusion.png', 'TransparentColor')];
    const { material } = await look(painted({}, maps));
    expect(material.getAlphaMode()).toBe('BLEND');
    expect(await pixelOf(material.getBaseColorTexture())).toEqual([250, 100, 50, 120]);
  });

  it('are the lowest of several layers', async () => {
    const layered = object('LayeredTexture', 20, 'both', '', [], [[3, 'DiffuseColor']]);
    const { material } = await look(painted({}, [layered, map(10, 'color.png', 20), map(11, 'glow.png', 20)]));
    expect((await pixelOf(material.getBaseColorTexture())).slice(0, 3)).toEqual([250, 100, 50]);
  });

  it.each([0, 1, 2])('are taken from within the file (encoding %i)', async (encoding) => {
    const content = object(
      'Video',
      30,
      'inside',
      'Clip',
      [
        ['RelativeFilename', ['..\\Maps\\inside.png']],
        ['Content', [png(2, [7, 8, 9])]],
      ],
      [10],
    );
    const { material, warnings } = await look(painted({}, [map(10, 'inside.png', 'DiffuseColor'), content]), encoding);
    expect((await pixelOf(material.getBaseColorTexture())).slice(0, 3)).toEqual([7, 8, 9]);
    expect(warnings).toEqual([]);
  });

  it('are named where there is no place for them', async () => {
    const maps = [map(10, 'rough.png', 'SpecularColor'), map(11, 'metal.png', 'Bump')];
    const { material, warnings } = await look(painted({}, maps));
    expect(material.getNormalTexture()).toBeNull();
    expect(warnings).toMatchObject([
      { code: 'texture_left_out', details: { texture: '..\\Maps\\metal.png' } },
      { code: 'texture_left_out', details: { texture: '..\\Maps\\rough.png' } },
    ]);
  });
});
