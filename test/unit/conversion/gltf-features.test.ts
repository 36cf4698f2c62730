import type { Document } from '@gltf-transform/core';
import type { InstancedMesh, Mapping, MappingList, Specular } from '@gltf-transform/extensions';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { featureGlb, glb, quadFiles, quadGlb, sparseGlb, unpack } from '../../support/models/index.ts';
import { assetOf, convertModel } from './convert-model.ts';

const TRANSFORM = 'KHR_texture_transform';
const GLOSSINESS = 'KHR_materials_pbrSpecularGlossiness';
const MESHOPT = 'EXT_meshopt_compression';

/** What a converted model is, as a viewer sees it, under both sets of defaults. */
async function convertedBoth(model: Uint8Array): Promise<Document[]> {
  const documents: Document[] = [];
  for (const settings of [null, {}]) {
    const { outcome, asset } = await convertModel(model, settings);
    if (outcome.status === 'failed' || asset === undefined) expect.fail(JSON.stringify(outcome));
    expect(outcome).toMatchObject({ warnings: [], validation: { numErrors: 0 } });
    documents.push(await unpack(asset));
  }
  return documents;
}

function used(document: Document): string[] {
  return document
    .getRoot()
    .listExtensionsUsed()
    .map(({ extensionName }) => extensionName);
}

describe('what a glTF may have is kept', () => {
  it('sparse accessors, written out', async () => {
    for (const document of await convertedBoth(sparseGlb())) {
      const [accessor] = document
        .getRoot()
        .listMeshes()
        .flatMap((mesh) => mesh.listPrimitives().map((part) => part.getAttribute('POSITION')));
      expect(accessor?.getSparse()).toBe(false);
      expect(accessor?.getCount()).toBe(3);
    }
  });

  it('morph targets, their names, weights and animation', async () => {
    const model = featureGlb((buffer) => {
      const target = buffer.add('VEC3', new Float32Array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
      const input = buffer.add('SCALAR', new Float32Array([0, 1]));
      Object.assign(buffer.accessors[input] ?? {}, { min: [0], max: [1] });
      const output = buffer.add('SCALAR', new Float32Array([0, 1]));
      return {
        part: { targets: [{ POSITION: target }] },
        node: { weights: [0.5] },
        json: {
          animations: [
            { samplers: [{ input, output }], channels: [{ sampler: 0, target: { node: 0, path: 'weights' } }] },
          ],
        },
      };
    });
    for (const document of await convertedBoth(model)) {
      const [node] = document.getRoot().listNodes();
      expect(node?.getWeights()).toEqual([0.5]);
      expect(node?.getMesh()?.listPrimitives()[0]?.listTargets()).toHaveLength(1);
      expect(document.getRoot().listAnimations()[0]?.listChannels()[0]?.getTargetPath()).toBe('weights');
    }
  });

  it('cameras and lights', async () => {
    const model = featureGlb(() => ({
      json: {
        extensionsUsed: ['KHR_lights_punctual'],
        extensions: { KHR_lights_punctual: { lights: [{ type: 'point', intensity: 7 }] } },
        cameras: [{ type: 'perspective', perspective: { yfov: 1, znear: 0.1 } }],
        scenes: [{ nodes: [0, 1, 2] }],
        nodes: [{ mesh: 0 }, { camera: 0 }, { extensions: { KHR_lights_punctual: { light: 0 } } }],
      },
    }));
    for (const document of await convertedBoth(model)) {
      expect(document.getRoot().listCameras()).toHaveLength(1);
      expect(
        document
          .getRoot()
          .listNodes()
          .filter((node) => node.getExtension('KHR_lights_punctual')),
      ).toHaveLength(1);
    }
  });

  it('several scenes, and which of them is shown', async () => {
    const model = featureGlb(() => ({
      json: {
        scene: 1,
        scenes: [
          { name: 'one', nodes: [0] },
          { name: 'two', nodes: [1] },
        ],
        nodes: [{ mesh: 0 }, { mesh: 0, translation: [5, 0, 0] }],
      },
    }));
    for (const document of await convertedBoth(model)) {
      const scenes = document
        .getRoot()
        .listScenes()
        .map((scene) => scene.getName());
      expect(scenes).toEqual(['one', 'two']);
      expect(document.getRoot().getDefaultScene()?.getName()).toBe('two');
    }
  });

  it('names in every language', async () => {
    const name = 'Möbel 家具 мебель 🪑';
    const model = featureGlb(() => ({ material: { name }, node: { name } }));
    const [, document] = await convertedBoth(model);
    expect(document?.getRoot().listMaterials()[0]?.getName()).toBe(name);
    expect(document?.getRoot().listNodes()[0]?.getName()).toBe(name);
  });

  it('instances of one mesh', async () => {
    const model = featureGlb((buffer) => {
      const offsets = buffer.add('VEC3', new Float32Array([0, 0, 0, 2, 0, 0, 4, 0, 0]));
      return {
        json: { extensionsUsed: ['EXT_mesh_gpu_instancing'], extensionsRequired: ['EXT_mesh_gpu_instancing'] },
        node: { extensions: { EXT_mesh_gpu_instancing: { attributes: { TRANSLATION: offsets } } } },
      };
    });
    for (const document of await convertedBoth(model)) {
      const [node] = document
        .getRoot()
        .listNodes()
        .filter((each) => each.getMesh());
      const instances = node?.getExtension<InstancedMesh>('EXT_mesh_gpu_instancing');
      expect(instances?.getAttribute('TRANSLATION')?.getCount()).toBe(3);
    }
  });

  it('variants of a material', async () => {
    const model = featureGlb(() => ({
      json: {
        extensionsUsed: ['KHR_materials_variants'],
        extensions: { KHR_materials_variants: { variants: [{ name: 'day' }, { name: 'night' }] } },
        materials: [
          { name: 'bright', emissiveFactor: [1, 1, 1] },
          { name: 'dark', emissiveFactor: [0, 0, 0.1] },
        ],
        images: [],
        textures: [],
      },
      part: {
        extensions: {
          KHR_materials_variants: {
            mappings: [
              { material: 0, variants: [0] },
              { material: 1, variants: [1] },
            ],
          },
        },
      },
    }));
    for (const document of await convertedBoth(model)) {
      const part = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
      const mappings = part?.getExtension<MappingList>('KHR_materials_variants')?.listMappings() ?? [];
      const variantOf = (mapping: Mapping) => [mapping.listVariants()[0]?.getName(), mapping.getMaterial()?.getName()];
      expect(mappings.map(variantOf)).toEqual([
        ['day', 'bright'],
        ['night', 'dark'],
      ]);
    }
  });

  it('materials without light', async () => {
    const model = featureGlb(() => ({
      json: { extensionsUsed: ['KHR_materials_unlit'] },
      material: { extensions: { KHR_materials_unlit: {} } },
    }));
    for (const document of await convertedBoth(model)) {
      expect(document.getRoot().listMaterials()[0]?.getExtension('KHR_materials_unlit')).not.toBeNull();
    }
  });

  it('places of textures', async () => {
    const model = featureGlb(() => ({
      json: { extensionsUsed: [TRANSFORM], extensionsRequired: [TRANSFORM], images: [{ uri: pictureUri }] },
      material: {
        pbrMetallicRoughness: { baseColorTexture: { index: 0, extensions: { [TRANSFORM]: { scale: [2, 3] } } } },
      },
    }));
    for (const document of await convertedBoth(model)) {
      const [material] = document.getRoot().listMaterials();
      expect(material?.getBaseColorTextureInfo()?.getExtension(TRANSFORM)).not.toBeNull();
    }
  });

  it.each([
    ['EXT_texture_webp', 'image/webp', () => picture.webp().toBuffer()],
    ['EXT_texture_avif', 'image/avif', () => picture.avif().toBuffer()],
  ])('textures of %s, with another for who cannot read them', async (extension, mimeType, encode) => {
    const encoded = await encode();
    const model = featureGlb((buffer) => ({
      json: {
        extensionsUsed: [extension],
        textures: [{ source: 0, extensions: { [extension]: { source: 1 } } }],
        images: [{ uri: pictureUri }, { mimeType, bufferView: buffer.addBytes(new Uint8Array(encoded)) }],
      },
    }));
    for (const document of await convertedBoth(model)) {
      expect(document.getRoot().listMaterials()[0]?.getBaseColorTexture()?.getSize()).toEqual([8, 8]);
    }
  });

  it('geometry of KHR_meshopt_compression, which is read as that of EXT_meshopt_compression', async () => {
    const { asset } = await assetOf(quadGlb());
    const model = Buffer.from(asset);
    expect(model.includes(MESHOPT)).toBe(true);
    const renamed = Buffer.from(model.toString('latin1').replaceAll(MESHOPT, 'KHR_meshopt_compression'), 'latin1');
    const length = renamed.readUInt32LE(12);
    // Each name has one letter more; the chunk's text is made longer by a multiple of four, as padding demands.
    const grown = renamed.length - model.length + length;
    const json = renamed.subarray(20, 20 + grown - (grown % 4));
    const binary = renamed.subarray(20 + grown + 8);
    const [document] = await convertedBoth(glb(json.toString('utf8'), binary));
    expect(document?.getRoot().listMeshes()).toHaveLength(1);
  });
});

const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 53) % 256);
const picture = sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } });
const pictureUri = `data:image/png;base64,${(await picture.png().toBuffer()).toString('base64')}`;

describe('a material of specular colour and glossiness', () => {
  it('becomes one of metal and roughness that reflects as much', async () => {
    const glossiness = { diffuseFactor: [0.2, 0.4, 0.6, 1], specularFactor: [0.9, 0.8, 0.1], glossinessFactor: 0.75 };
    const model = featureGlb(() => ({
      json: { extensionsUsed: [GLOSSINESS], extensionsRequired: [GLOSSINESS], images: [], textures: [] },
      material: { pbrMetallicRoughness: {}, extensions: { [GLOSSINESS]: glossiness } },
    }));
    for (const document of await convertedBoth(model)) {
      expect(used(document)).not.toContain(GLOSSINESS);
      const [material] = document.getRoot().listMaterials();
      expect(material?.getBaseColorFactor()).toEqual(glossiness.diffuseFactor);
      expect([material?.getMetallicFactor(), material?.getRoughnessFactor()]).toEqual([0, 0.25]);
      const specular = material?.getExtension<Specular>('KHR_materials_specular');
      expect(specular?.getSpecularColorFactor()).toEqual(glossiness.specularFactor);
      expect(material?.getExtension('KHR_materials_ior')).toMatchObject({});
    }
  });

  it('has its texture parted into a colour and a roughness', async () => {
    const both = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => (i % 4 === 3 ? 3 * (i >> 2) : (i * 53) % 256));
    const image = await sharp(both, { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toBuffer();
    const model = featureGlb((buffer) => ({
      json: {
        extensionsUsed: [GLOSSINESS],
        images: [{ uri: pictureUri }, { mimeType: 'image/png', bufferView: buffer.addBytes(new Uint8Array(image)) }],
        textures: [{ source: 0 }, { source: 1 }],
      },
      material: {
        pbrMetallicRoughness: {},
        extensions: {
          [GLOSSINESS]: {
            diffuseTexture: { index: 0 },
            specularGlossinessTexture: { index: 1 },
            glossinessFactor: 0.5,
          },
        },
      },
    }));
    const { asset } = await assetOf(model, { textureCompression: 'none' });
    const [material] = (await unpack(asset)).getRoot().listMaterials();
    expect(material?.getBaseColorTexture()).not.toBeNull();
    const rough = await rawOf(material?.getMetallicRoughnessTexture()?.getImage());
    const specular = material?.getExtension<Specular>('KHR_materials_specular')?.getSpecularColorTexture();
    const colour = await rawOf(specular?.getImage());
    for (let pixel = 0; pixel < 64; pixel += 1) {
      expect(rough[3 * pixel + 1]).toBe(Math.round(255 - 0.5 * (both[4 * pixel + 3] ?? 0)));
      expect([...colour.subarray(3 * pixel, 3 * pixel + 3)]).toEqual([...both.subarray(4 * pixel, 4 * pixel + 3)]);
    }
  });
});

async function rawOf(image: Uint8Array | null | undefined): Promise<Buffer> {
  if (!image) expect.fail('There is no image.');
  return await sharp(image).removeAlpha().raw().toBuffer();
}

describe('what no viewer needs is left out and told', () => {
  it.each(['KHR_technique_webgl', 'KHR_materials_common', 'VENDOR_materials_velvet'])(
    'as %s, without which a model has its shape, also where it is required',
    async (extension) => {
      const model = featureGlb(() => ({ json: { extensionsUsed: [extension], extensionsRequired: [extension] } }));
      const { outcome } = await assetOf(model);
      expect(outcome.warnings).toEqual([
        { code: 'extension_left_out', title: 'Unknown extension left out', details: { extension } },
      ]);
    },
  );
});

describe('texture coordinates that a mesh part lacks', () => {
  it('are zeros, as viewers show it, and are told', async () => {
    const model = featureGlb(() => ({
      json: { images: [{ uri: pictureUri }] },
      material: { pbrMetallicRoughness: { baseColorTexture: { index: 0, texCoord: 2 } } },
    }));
    for (const settings of [null, {}]) {
      const { outcome, asset } = await convertModel(model, settings);
      expect(outcome).toMatchObject({
        status: 'succeeded',
        warnings: [{ code: 'texcoords_missing', details: { mesh: 'quad', material: 'wooden' } }],
      });
      const document = await unpack(asset ?? new Uint8Array(0));
      expect(document.getRoot().listMaterials()[0]?.getBaseColorTexture()).not.toBeNull();
    }
  });
});

describe('files that a model names', () => {
  it('may have names in every language', async () => {
    const { outcome } = await convertModel(
      quadFiles({ bufferUri: '%E5%AE%B6/b%C3%BCffer.bin', bufferPath: '家/büffer.bin', textureUri: '木 🪵.png' }),
    );
    expect(outcome).toMatchObject({ status: 'succeeded', warnings: [], summary: { input: { files: 3 } } });
  });
});
