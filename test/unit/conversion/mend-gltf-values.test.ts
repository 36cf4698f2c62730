import type { EmissiveStrength, InstancedMesh, MappingList } from '@gltf-transform/extensions';
import { describe, expect, it } from 'vitest';
import { boxGlb, boxGltf, featureGlb, pointsGlb, quadFiles } from '../../support/models/index.ts';
import { errorOf } from './convert-model.ts';
import { mended, partOf } from './mended-model.ts';

describe('attributes of vertices', () => {
  it.each([
    ['of four components are cut', 'NORMAL', 'VEC4', new Float32Array(16).fill(0.5), 'VEC3'],
    ['without a sign have one', 'TANGENT', 'VEC3', new Float32Array([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]), 'VEC4'],
    ['with a depth lose it', 'TEXCOORD_0', 'VEC3', new Float32Array(12).fill(0.25), 'VEC2'],
    ['of whole numbers are parts of the largest', 'COLOR_0', 'VEC4', new Uint8Array(16).fill(255), 'VEC4'],
    ['that are no numbers are zeros', 'TEXCOORD_0', 'VEC2', new Float32Array(8).fill(Number.NaN), 'VEC2'],
  ] as const)('that are %s', async (_name, semantic, type, values, becomes) => {
    const model = featureGlb((buffer) => {
      const NORMAL = buffer.add('VEC3', new Float32Array([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]));
      return { part: { attributes: { POSITION: 0, TEXCOORD_0: 1, NORMAL, [semantic]: buffer.add(type, values) } } };
    });
    const [, dynamic] = await mended(model);
    const attribute = dynamic && partOf(dynamic.document).getAttribute(semantic);
    expect(attribute?.getType()).toBe(becomes);
    if (semantic === 'COLOR_0') expect(attribute?.getElement(0, [])).toEqual([1, 1, 1, 1]);
    expect(dynamic?.codes).toEqual([]);
  });

  it.each([
    ['fewer', [0, 1, 1, 1]],
    ['more', [0, 1, 1, 1, 1, 0, 0, 0, 1, 1]],
  ])('that have %s values than there are vertices are filled up or cut, and told of', async (_name, values) => {
    const model = featureGlb((buffer) => ({
      part: { attributes: { POSITION: 0, TEXCOORD_0: buffer.add('VEC2', new Float32Array(values)) } },
    }));
    for (const { codes } of await mended(model)) expect(codes).toEqual(['attribute_mended']);
  });

  it('of names that glTF does not have are kept as their own', async () => {
    const model = featureGlb((buffer) => ({
      part: { attributes: { POSITION: 0, TEXCOORD: 1, HEAT: buffer.add('SCALAR', new Float32Array([1, 2, 3, 4])) } },
    }));
    const [, dynamic] = await mended(model);
    expect(dynamic && partOf(dynamic.document).listSemantics()).toEqual(
      expect.arrayContaining(['POSITION', 'TEXCOORD_0', '_HEAT']),
    );
  });

  it('that morph targets move alone, or not at all, are no matter', async () => {
    const targets = [{ TANGENT: 0 }, {}, { POSITION: 0, JOINTS_0: 0 }];
    const [, dynamic] = await mended(featureGlb(() => ({ part: { targets }, node: { weights: [0.5] } })));
    const part = dynamic && partOf(dynamic.document);
    expect(part?.listTargets().map((target) => target.listSemantics())).toEqual([
      ['POSITION'],
      ['POSITION'],
      ['POSITION'],
    ]);
    expect(dynamic?.document.getRoot().listNodes()[0]?.getWeights()).toEqual([0.5, 0, 0]);
  });

  it('are found where KHR_texture_transform says so', async () => {
    const model = featureGlb((buffer) => {
      const baseColorTexture = { index: 0, extensions: { KHR_texture_transform: { rotation: 1, texCoord: 1 } } };
      const noise = Buffer.from(Float32Array.from({ length: 8 }, (_, i) => i / 8).buffer);
      return {
        json: { extensionsUsed: ['KHR_texture_transform'] },
        material: { normalTexture: baseColorTexture, pbrMetallicRoughness: {} },
        part: {
          attributes: {
            POSITION: 0,
            TEXCOORD_0: 1,
            TEXCOORD_1: buffer.add('VEC2', new Float32Array(noise.buffer, noise.byteOffset, 8)),
          },
        },
      };
    });
    for (const { document, codes } of await mended(model)) {
      expect(codes).toEqual([]);
      const [material] = document.getRoot().listMaterials();
      const set = material?.getNormalTextureInfo()?.getTexCoord();
      expect(partOf(document).getAttribute(`TEXCOORD_${set}`)).not.toBeNull();
    }
  });

  it('are there for the materials of variants, too', async () => {
    const model = featureGlb(() => ({
      json: {
        extensionsUsed: ['KHR_materials_variants'],
        extensions: { KHR_materials_variants: { variants: [{ name: 'day' }] } },
        materials: [{ name: 'plain' }, { name: 'bumpy', normalTexture: { index: 0 } }],
      },
      part: {
        material: 0,
        extensions: {
          KHR_materials_variants: {
            mappings: [
              { material: 1, variants: [0] },
              { material: 0, variants: [0] },
            ],
          },
        },
      },
    }));
    for (const { document } of await mended(model)) {
      const mappings = partOf(document).getExtension<MappingList>('KHR_materials_variants')?.listMappings();
      expect(mappings?.map((mapping) => mapping.getMaterial()?.getName())).toEqual(['bumpy']);
      expect(partOf(document).getAttribute('TEXCOORD_0')).not.toBeNull();
    }
  });

  it('of instances say something of as many', async () => {
    const model = featureGlb((buffer) => {
      const attributes = {
        TRANSLATION: buffer.add('VEC3', new Float32Array([0, 0, 0, 2, 0, 0])),
        SCALE: buffer.add('VEC3', new Float32Array([3, 3, 3])),
        ROTATION: buffer.add('VEC3', new Float32Array([0, 0, 0])),
      };
      return {
        json: { extensionsUsed: ['EXT_mesh_gpu_instancing'] },
        node: { extensions: { EXT_mesh_gpu_instancing: { attributes } } },
      };
    });
    for (const { document, codes } of await mended(model)) {
      expect(codes).toEqual(['instances_mended']);
      const node = document
        .getRoot()
        .listNodes()
        .find((each) => each.getMesh() !== null);
      const instances = node?.getExtension<InstancedMesh>('EXT_mesh_gpu_instancing');
      expect(instances?.getAttribute('TRANSLATION')?.getCount()).toBe(1);
      expect(instances?.listSemantics()).not.toContain('ROTATION');
    }
  });
});

describe('values that glTF does not allow', () => {
  it.each([
    ['beyond their range', { pbrMetallicRoughness: { baseColorFactor: [2, -1, 0, 1] } }, [1, 0, 0, 1]],
    ['too few', { pbrMetallicRoughness: { baseColorFactor: [1, 0, 0] } }, [1, 1, 1, 1]],
    ['no numbers', { pbrMetallicRoughness: { baseColorFactor: 'red' } }, [1, 1, 1, 1]],
  ])('%s are mended, and told of', async (_name, material, color) => {
    for (const { document, codes } of await mended(boxGlb({ materials: [{ name: 'm', ...material }] }))) {
      expect(codes).toEqual(['value_mended']);
      expect(document.getRoot().listMaterials()[0]?.getBaseColorFactor()).toEqual(color);
    }
  });

  it('as light of more than 1 are said by its strength', async () => {
    for (const { document, codes } of await mended(boxGlb({ materials: [{ emissiveFactor: [5, 2.5, 0] }] }))) {
      expect(codes).toEqual([]);
      const [material] = document.getRoot().listMaterials();
      expect(material?.getEmissiveFactor()).toEqual([1, 0.5, 0]);
      const strength = material?.getExtension<EmissiveStrength>('KHR_materials_emissive_strength');
      expect(strength?.getEmissiveStrength()).toBe(5);
    }
  });

  it('as null and -1 for what is not there are no matter', async () => {
    const nodes = [{ mesh: 0, skin: -1, camera: null, translation: null, name: null, extensions: null }];
    const json = { nodes, animations: null, skins: null, asset: { version: 2, generator: null } };
    for (const { codes } of await mended(boxGlb(json))) expect(codes).toEqual([]);
  });

  it('as cameras and lights that are none are left out, and told of', async () => {
    const nodes = [{ mesh: 0 }, { camera: 0 }, { extensions: { KHR_lights_punctual: { light: 3 } } }];
    const json = {
      nodes,
      scenes: [{ nodes: [0, 1, 2] }],
      cameras: [{ type: 'fisheye' }],
      extensionsUsed: ['KHR_lights_punctual'],
      extensions: { KHR_lights_punctual: { lights: [{ type: 'area' }] } },
    };
    for (const { document, codes } of await mended(boxGlb(json))) {
      expect(codes).toEqual(['value_mended', 'value_mended']);
      expect(document.getRoot().listCameras()).toEqual([]);
    }
  });
});

describe('a file', () => {
  const bytes = Buffer.from(boxGltf());

  it('may hold its buffers as text of any type', async () => {
    const text = bytes.toString();
    const [, data = ''] = /base64,([^"]+)/.exec(text) ?? [];
    const whole = `data:application/octet-stream;base64,${data}`;
    const escaped = [...Buffer.from(data, 'base64')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    for (const uri of [
      `DATA:;base64,${data}`,
      `data:text/plain,${escaped}`,
      `data:;base64,${encodeURIComponent(data)}`,
    ]) {
      await mended({ 'box.gltf': Buffer.from(text.replace(whole, uri)) });
    }
    const short = await errorOf({ 'box.gltf': Buffer.from(text.replace(whole, 'data:;base64,AAAA')) });
    expect(short).toMatchObject({ code: 'input_refused', message: expect.stringContaining('buffers[0], which has 3') });
  });

  it('may begin with much space and end with zeros, and have other chunks before its binary one', async () => {
    await mended({ 'box.gltf': Buffer.concat([Buffer.from(' \n'.repeat(2000)), bytes, Buffer.alloc(5)]) });
    const model = Buffer.from(boxGlb());
    const end = 20 + model.readUInt32LE(12);
    const other = Buffer.from([4, 0, 0, 0, 0x58, 0x58, 0x58, 0x58, 1, 2, 3, 4]);
    const grown = Buffer.concat([model.subarray(0, end), other, model.subarray(end)]);
    grown.writeUInt32LE(grown.length, 8);
    await mended(grown);
  });

  it.each([
    ['that looks like an escape', { bufferUri: 'a%20b.bin', bufferPath: 'a%20b.bin' }],
    ['with what a web server is asked', { bufferUri: 'quad.bin?v=2', bufferPath: 'quad.bin' }],
    ['in a folder of another machine', { textureUri: 'C:\\textures\\wood.png', texturePath: 'textures/wood.png' }],
    ['beside its own folder', { textureUri: '../wood.png', texturePath: 'wood.png' }],
  ])('is found by a name %s', async (_name, options) => {
    for (const { codes } of await mended(quadFiles(options))) expect(codes).toEqual([]);
  });

  it('names what is wrong with a part that Draco has compressed', async () => {
    const extensions = { KHR_draco_mesh_compression: { bufferView: 9, attributes: {} } };
    const primitives = [{ attributes: { POSITION: 0 }, extensions }];
    const error = await errorOf(boxGlb({ extensionsUsed: ['KHR_draco_mesh_compression'], meshes: [{ primitives }] }));
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('number 9, but there are') });
  });

  it('is refused where it shows less than one triangle or line', async () => {
    for (const mode of [1, 2, 3, 4, 5, 6]) {
      const positions = [0, 0, 0, 1, 1, 1].slice(0, mode < 4 ? 3 : 6);
      const error = await errorOf(pointsGlb(positions, { mode }));
      expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('no geometry') });
    }
  });
});
