import { describe, expect, it } from 'vitest';
import { modelReferences } from '#lib/conversion';
import { binaryFbx, boxRecords, type FbxRecord, textFbx } from '../../support/models/fbx.ts';
import { png } from '../../support/models/index.ts';
import { errorOf } from './convert-model.ts';
import { assimpModel, describeAssimpModels, importedDocument, rounded } from './imported-document.ts';

const diffuse = 'P: "DiffuseColor", "Color", "", "A",0.8,0.1,0.1';
const shiny = `${diffuse}
  P: "SpecularColor", "Color", "", "A",0.9,0.9,0.9
  P: "SpecularFactor", "Number", "", "A",1
  P: "ShininessExponent", "Number", "", "A",60`;

describe('an FBX', () => {
  it.each([
    ['as text', textFbx()],
    ['in binary with sizes of 32 bits', binaryFbx(boxRecords(), 7400)],
    ['in binary with sizes of 64 bits', binaryFbx(boxRecords(), 7500)],
  ])('is read %s, in centimetres', async (_form, model) => {
    const { size, outcome } = await importedDocument({ 'm.fbx': model });
    expect(size).toEqual([0.02, 0.04, 0.06]);
    expect(outcome.info.inputInfo).toMatchObject({
      sourceAssetFormat: 'Autodesk FBX Importer',
      sourceAssetGenerator: 'made by hand',
    });
  });

  it('is of the plain grey of all formats where nothing says its colour', async () => {
    for (const file of [textFbx(), binaryFbx(boxRecords(), 7400)]) {
      const { materials } = await importedDocument({ 'm.fbx': file }, { fbxAssumeMetallic: false });
      expect(materials).toMatchObject([{ color: [0.604, 0.604, 0.604, 1] }]);
    }
  });

  it('has the unit and the axes that it says', async () => {
    const settings = `P: "UnitScaleFactor", "double", "Number", "",100
      P: "UpAxis", "int", "Integer", "",2
      P: "UpAxisSign", "int", "Integer", "",1
      P: "FrontAxis", "int", "Integer", "",1
      P: "FrontAxisSign", "int", "Integer", "",-1
      P: "CoordAxis", "int", "Integer", "",0
      P: "CoordAxisSign", "int", "Integer", "",1`;
    expect((await importedDocument({ 'm.fbx': textFbx({ settings }) })).size).toEqual([2, 6, 4]);
  });

  it('makes metal of what shines and has no texture, unless it is told not to', async () => {
    const plain = { gammaToLinearMaterial: false };
    const model = { 'm.fbx': textFbx({ material: shiny }) };
    const [metal] = (await importedDocument(model, plain)).materials;
    // The formulas of Azure Remote Rendering's reference, "Material mapping for model formats".
    expect(metal).toMatchObject({ name: 'paint', metallic: 0.975, roughness: 0.189 });
    expect(metal?.color).toEqual([1, 0.897, 0.897, 1]);
    const [plastic] = (await importedDocument(model, { ...plain, fbxAssumeMetallic: false })).materials;
    expect(plastic).toMatchObject({ metallic: 0, color: [0.8, 0.1, 0.1, 1], roughness: 0.189 });
  });

  it('is dull where it has no highlights, and lets light through as it says', async () => {
    const material = `${diffuse}\nP: "TransparencyFactor", "Number", "", "A",0.25`;
    const { materials } = await importedDocument({ 'm.fbx': textFbx({ material }) }, { gammaToLinearMaterial: false });
    expect(materials).toMatchObject([
      { color: [0.833, 0.104, 0.104, 0.75], metallic: 0, roughness: 1, alphaMode: 'BLEND' },
    ]);
  });

  it('says nothing of what its template for materials says, and is opaque where neither lets light through', async () => {
    const plain = { gammaToLinearMaterial: false };
    // As Blender writes every opaque material.
    const white = `${diffuse}\nP: "TransparentColor", "Color", "", "A",1,1,1`;
    const template = `P: "TransparencyFactor", "Number", "", "A",0
        P: "Opacity", "Number", "", "A",1
        P: "ShininessExponent", "Number", "", "A",20
        P: "SpecularColor", "Color", "", "A",0.5,0.5,0.5`;
    for (const given of [{}, { template }]) {
      const [paint] = (await importedDocument({ 'm.fbx': textFbx({ material: white, ...given }) }, plain)).materials;
      expect(paint).toMatchObject({ alphaMode: 'OPAQUE' });
      expect(paint?.color[3]).toBe(1);
    }
    const glass = `${white}\nP: "TransparencyFactor", "Number", "", "A",0.25`;
    const [shown] = (await importedDocument({ 'm.fbx': textFbx({ material: glass, template }) }, plain)).materials;
    expect(shown).toMatchObject({ alphaMode: 'BLEND', roughness: rounded(Math.sqrt(2 / (20 * 0.5 + 2))) });
    expect(shown?.color[3]).toBe(0.75);
    const worn = `${white}\nP: "Shininess", "Number", "", "A",60`;
    const [dull] = (await importedDocument({ 'm.fbx': textFbx({ material: worn, template }) }, plain)).materials;
    expect(dull?.roughness).toBe(rounded(Math.sqrt(2 / (60 * 0.5 + 2))));
  });

  it('is metal and rough as the physical materials of 3ds Max say', async () => {
    const surface = `${diffuse}
      P: "3dsMax|main|metalness", "Float", "", "A",0.25
      P: "3dsMax|main|roughness", "Float", "", "A",0.5`;
    const model = { 'm.fbx': textFbx({ material: surface }) };
    const { materials } = await importedDocument(model, { gammaToLinearMaterial: false });
    expect(materials).toMatchObject([{ metallic: 0.25, roughness: 0.5, color: [0.8, 0.1, 0.1, 1] }]);
  });

  const texture = { relative: 'wood.png', absolute: 'C:\\\\work\\\\maps\\\\wood.png'.replaceAll('\\\\', '\\') };

  it('takes textures from beside the model, wherever they once lay', async () => {
    const files = { 'm.fbx': textFbx({ material: diffuse, texture }), 'maps/wood.png': png(4, [1, 2, 3]) };
    const { materials, outcome } = await importedDocument(files);
    expect(outcome.warnings).toEqual([]);
    expect(materials).toMatchObject([{ texture: 'image/png', color: [1, 1, 1, 1], metallic: 0 }]);
  });

  it('does without a texture where there are no coordinates to place it by', async () => {
    const files = {
      'm.fbx': textFbx({ material: diffuse, texture, texcoords: false }),
      'maps/wood.png': png(4, [1, 2, 3]),
    };
    const { materials, outcome } = await importedDocument(files);
    expect(outcome.warnings).toMatchObject([{ code: 'texcoords_missing', details: { material: 'paint' } }]);
    expect(materials).toMatchObject([{ texture: undefined }]);
  });

  it('warns of a texture that is not there', async () => {
    const { outcome } = await importedDocument({ 'm.fbx': textFbx({ texture }) });
    expect(outcome.warnings).toMatchObject([{ code: '4004', details: { material: 'paint' } }]);
  });

  it('names the files that it needs, without those that it holds', async () => {
    const image = (id: number, name: string): FbxRecord => [
      'Texture',
      [id, `${name}\0\u0001Texture`, ''],
      [
        ['FileName', [`D:\\a\\${name}`]],
        ['RelativeFilename', [`..\\a\\${name}`]],
      ],
    ];
    const video: FbxRecord = [
      'Video',
      [9, 'in\0\u0001Video', 'Clip'],
      [
        ['RelativeFilename', ['..\\a\\in.png']],
        ['Content', [png(2, [1, 1, 1])]],
      ],
    ];
    const records = boxRecords().map(([name, values, children]): FbxRecord => {
      return name === 'Objects'
        ? [name, values, [...(children ?? []), image(7, 'in.png'), image(8, 'out.png'), video]]
        : [name, values, children ?? []];
    });
    const bytes = binaryFbx(records, 7400);
    const file = {
      size: bytes.length,
      read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
    };
    const found = await modelReferences(file, { find: async () => undefined });
    expect(found).toMatchObject([{ kind: 'texture', path: 'a/out.png' }]);
  });

  it.each([
    ['as text', textFbx({ material: shiny })],
    ['in binary', binaryFbx(boxRecords(), 7400).subarray(0, -160)],
  ])('is refused where it was cut off: %s', async (_form, model) => {
    for (const part of [0.2, 0.5, 0.8, 0.95]) {
      const error = await errorOf({ 'm.fbx': model.subarray(0, Math.floor(model.length * part)) });
      expect(error).toMatchObject({ code: 'input_refused', message: expect.stringMatching(/cut off|damaged|older/) });
    }
  });

  it('is refused for a version that is too old, with what to do', async () => {
    const error = await errorOf({ 'm.fbx': binaryFbx(boxRecords(), 6100) });
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('older than FBX 2011') });
  });

  it('is refused for arrays that are larger than what they lie in, or than the limit', async () => {
    const absurd = Buffer.from(binaryFbx(boxRecords(), 7400));
    absurd.writeUInt32LE(0xffffffff, absurd.indexOf('Vertices') + 'Vertices'.length + 1);
    expect(await errorOf({ 'm.fbx': absurd })).toMatchObject({ code: 'input_refused' });
    const error = await errorOf({ 'm.fbx': binaryFbx(boxRecords(), 7400) }, { unpackedBytes: 100 });
    expect(error).toMatchObject({ code: 'limit', message: expect.stringContaining('unpackedBytes') });
  });

  it('is refused where it is no more than its beginning', async () => {
    expect((await errorOf({ 'm.fbx': Buffer.from('Kaydara FBX Binary  \0\x1a\0', 'latin1') })).code).toBe(
      'input_refused',
    );
  });
});

describeAssimpModels('FBX files of other programs', () => {
  it('keep their skins and animations', async () => {
    for (const path of ['FBX/huesitos.fbx', 'FBX/animation_with_skeleton.fbx']) {
      const root = (await importedDocument(await assimpModel(path))).document.getRoot();
      expect(root.listSkins()).toHaveLength(1);
      expect(root.listAnimations()[0]?.listChannels().length).toBeGreaterThan(5);
      expect(root.listMaterials().map((material) => material.getAlphaMode())).toEqual(['OPAQUE']);
    }
  });

  it('keep the textures that they hold', async () => {
    const { materials, outcome } = await importedDocument(await assimpModel('FBX/embedded_ascii/box.FBX'));
    expect(materials).toMatchObject([{ texture: 'image/png' }]);
    expect(outcome.warnings).toEqual([]);
  });

  it('are refused with the place of the damage', async () => {
    const error = await errorOf(await assimpModel('FBX/transparentTest.fbx'));
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('the record at byte 27') });
  });
});
