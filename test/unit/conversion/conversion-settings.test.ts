import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConversionError, conversionSettings, parseConversionSettings } from '#lib/conversion';

/** One value other than its default for every key. */
const everything = {
  scaling: 0.01,
  recenterToOrigin: true,
  opaqueMaterialDefaultSidedness: 'SingleSided',
  'material-override': 'looks.json',
  gammaToLinearMaterial: true,
  gammaToLinearVertex: true,
  sceneGraphMode: 'none',
  generateCollisionMesh: false,
  unlitMaterials: true,
  deduplicateMaterials: false,
  fbxAssumeMetallic: false,
  axis: ['+x', '+z', '-y'],
  metadataKeys: ['id', 'ABC*'],
  vertex: {
    position: '16_16_16_16_FLOAT',
    color0: 'NONE',
    color1: '8_8_8_8_UNSIGNED_NORMALIZED',
    normal: '16_16_16_16_FLOAT',
    tangent: 'NONE',
    binormal: 'AUTO',
    texcoord0: '16_16_FLOAT',
    texcoord1: 'NONE',
  },
  simplificationError: 0.01,
  geometryCompression: 'draco',
  textureCompression: 'ktx2',
  maxTextureSize: 512,
};

const { scaling, recenterToOrigin, ...others } = everything;

describe('conversion settings', () => {
  it('have the defaults of the contract, whichever are given', () => {
    expect(parseConversionSettings({ vertex: { color0: 'NONE' } })).toEqual({
      scaling: 1,
      recenterToOrigin: false,
      opaqueMaterialDefaultSidedness: 'DoubleSided',
      'material-override': '',
      gammaToLinearMaterial: undefined,
      gammaToLinearVertex: undefined,
      sceneGraphMode: 'dynamic',
      generateCollisionMesh: true,
      unlitMaterials: false,
      deduplicateMaterials: true,
      fbxAssumeMetallic: true,
      axis: ['+x', '+y', '+z'],
      metadataKeys: undefined,
      vertex: {
        position: '32_32_32_FLOAT',
        color0: 'NONE',
        color1: 'NONE',
        normal: '8_8_8_8_SIGNED_NORMALIZED',
        tangent: '8_8_8_8_SIGNED_NORMALIZED',
        binormal: '8_8_8_8_SIGNED_NORMALIZED',
        texcoord0: '32_32_FLOAT',
        texcoord1: '32_32_FLOAT',
      },
      simplificationError: 0,
      geometryCompression: 'meshopt',
      textureCompression: 'webp',
      maxTextureSize: 16_384,
    });
  });

  it('make the asset small where there are none', () => {
    expect(parseConversionSettings(undefined)).toMatchObject({
      sceneGraphMode: 'static',
      simplificationError: 0.0001,
      maxTextureSize: 2048,
      vertex: { position: '16_16_16_16_FLOAT' },
    });
  });

  it('keep what is given', () => {
    expect(parseConversionSettings(everything)).toEqual(everything);
    expect(conversionSettings.parse(everything)).toEqual(everything);
    expect(parseConversionSettings(others)).toEqual({ ...everything, scaling: 1, recenterToOrigin: false });
  });

  it.each([
    [{ scaling: 0 }, "'scaling' is 0; allowed is a number above 0."],
    [{ scaling: '2' }, `'scaling' is "2"; allowed is a number above 0.`],
    [{ scaling: Number.NaN }, "'scaling' is NaN; allowed is a number above 0."],
    [{ scaling: Number.POSITIVE_INFINITY }, "'scaling' is Infinity; allowed is a number above 0."],
    [{ recenterToOrigin: 'yes' }, `'recenterToOrigin' is "yes"; allowed is true or false.`],
    [{ deduplicateMaterials: null }, "'deduplicateMaterials' is null; allowed is true or false."],
    [{ sceneGraphMode: 'Static' }, `'sceneGraphMode' is "Static"; allowed is none, static or dynamic.`],
    [{ 'material-override': 1 }, "'material-override' is 1; allowed is a text."],
    [{ axis: '+x' }, `'axis' is "+x"; allowed is a list of 3, each default, +x, -x, +y, -y, +z or -z.`],
    [{ axis: ['+x', '+y'] }, `'axis' is ["+x","+y"]; allowed is a list of 3, each default, +x, -x, +y, -y, +z or -z.`],
    [{ axis: ['+x', '+y', 'up'] }, `'axis[2]' is "up"; allowed is default, +x, -x, +y, -y, +z or -z.`],
    [
      { axis: ['+x', '+x', '+y'] },
      `'axis' is ["+x","+x","+y"]; allowed is a list of three axes that lie along x, y and z`,
    ],
    [{ axis: ['default', '-x', '+z'] }, `'axis' is ["default","-x","+z"]; allowed is a list of three axes`],
    [{ metadataKeys: 'id' }, `'metadataKeys' is "id"; allowed is a list, each a text.`],
    [{ metadataKeys: ['id', 7] }, "'metadataKeys[1]' is 7; allowed is a text."],
    [{ vertex: [] }, "'vertex' is []; allowed is an object of position, color0, color1,"],
    [
      { vertex: { position: '8_8_8_FLOAT' } },
      `'vertex.position' is "8_8_8_FLOAT"; allowed is 32_32_32_FLOAT or 16_16_16_16_FLOAT.`,
    ],
    [{ vertex: { uv: 'NONE' } }, "'vertex.uv' is not a setting; allowed are position, color0,"],
    [{ simplificationError: 2 }, "'simplificationError' is 2; allowed is a number from 0 to 1."],
    [{ maxTextureSize: 0.5 }, "'maxTextureSize' is 0.5; allowed is a whole number from 1 to 16384."],
    [{ scale: 2 }, "'scale' is not a setting; allowed are scaling, recenterToOrigin, opaqueMaterialDefaultSidedness,"],
    [JSON.parse('{"__proto__": {"scaling": 2}}'), "'__proto__' is not a setting; allowed are scaling"],
    [{ constructor: 1 }, "'constructor' is not a setting; allowed are scaling"],
    [{ scaling: 'x'.repeat(1e6) }, `…; allowed is a number above 0.`],
    [{ ['x'.repeat(1e6)]: 1 }, `…' is not a setting; allowed are scaling`],
    ['fast', '"fast" is not an object of settings.'],
    [null, 'null is not an object of settings.'],
    [[], '[] is not an object of settings.'],
  ])('refuse what is wrong and say what is allowed', (value, message) => {
    const refusal = refusalOf(value);
    expect(refusal.code).toBe('input_refused');
    expect(refusal.message).toContain(message);
    expect(refusal.message.length).toBeLessThan(1000);
  });

  it('name every wrong key at once', () => {
    expect(refusalOf({ scaling: -1, vertex: { normal: 'ALL', up: 1 }, colour: 'red' }).message).toMatch(
      /'scaling' is -1.*'vertex.normal' is "ALL".*'vertex.up' is not a setting.*'colour' is not a setting/,
    );
  });

  it('are taken or refused by key, value and what is allowed, whatever they are', () => {
    const key = fc.constantFrom(...Object.keys(everything), 'vertex', 'colour', '__proto__', 'toString');
    const right = fc.constantFrom(...Object.values(everything));
    const settings = fc.dictionary(key, fc.oneof(right, fc.jsonValue(), fc.double(), fc.constant(undefined)));
    fc.assert(
      fc.property(settings, (value) => {
        try {
          expect(parseConversionSettings(value)).toEqual(expect.objectContaining({ vertex: expect.any(Object) }));
        } catch (error) {
          const message = error instanceof ConversionError ? error.message : expect.fail(String(error));
          const named = Object.keys(value).filter((name) => message.includes(`'${name}`));
          expect(named).not.toEqual([]);
          expect(message).toMatch(
            /^The conversion settings cannot be used: ('.*' (is|is not) .*; allowed (is|are) .+\.)+$/s,
          );
          for (const name of named) {
            const rest = Object.fromEntries(Object.entries(value).filter(([other]) => other === name));
            expect(() => parseConversionSettings(rest)).toThrow(ConversionError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

function refusalOf(value: unknown): ConversionError {
  try {
    parseConversionSettings(value);
  } catch (error) {
    if (error instanceof ConversionError) return error;
  }
  return expect.fail('The settings are taken.');
}
