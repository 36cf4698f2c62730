import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { seeded } from '../../kill/random.ts';
import { BulkConverter, type BulkResult } from '../../support/bulk-converter.ts';
import {
  animatedSkinGlb,
  boxGlb,
  boxGltf,
  dracoGlb,
  featureGlb,
  type ModelFiles,
  quadFiles,
  quadGlb,
  quantisedGlb,
} from '../../support/models/index.ts';
import { testModel } from '../../support/test-models.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A damaged model is small, so that whatever takes so long on a busy machine would never end. */
const DEADLINE_SECONDS = 20;
const FLIPS = Number(process.env['FUZZ_FLIPS'] ?? 60);
const SEED = 20_260_401;

/** Small ones, so that every part of them is hit. The first file is the model, and the one that is damaged. */
const models: Readonly<Record<string, () => ModelFiles | Promise<ModelFiles>>> = {
  'a GLB': () => ({ 'box.glb': boxGlb() }),
  'a .gltf that holds its data': () => ({ 'box.gltf': boxGltf() }),
  'a .gltf in several files': () => quadFiles(),
  'a GLB with a texture': () => ({ 'quad.glb': quadGlb() }),
  'a GLB with morph targets and many extensions': () => ({ 'feature.glb': everythingGlb() }),
  'a GLB with a skin and an animation': () => ({ 'flag.glb': animatedSkinGlb() }),
  'a GLB with Draco': async () => ({ 'box.glb': await dracoGlb(boxGlb()) }),
  'a GLB with meshopt': async () => ({ 'box.glb': await quantisedGlb(boxGlb(), 'meshopt') }),
  'a binary FBX': () => testModel('FBX/box.fbx'),
  'a binary FBX without compression': () => testModel('FBX/boxWithUncompressedCTypeArray.FBX'),
  'an OBJ with materials': () => testModel('OBJ/cube_usemtl.obj', 'cube_usemtl.mtl'),
  'an OBJ with lines and points': () => testModel('OBJ/testmixed.obj'),
  'an STL in text': () => testModel('STL/triangle_with_two_solids.stl'),
  'a binary STL': () => testModel('STL/sphereWithHole.stl'),
  'a PLY in text': () => testModel('PLY/cube_uv.ply'),
  'a binary PLY': () => testModel('PLY/cube_binary.ply'),
  'a DAE': () => testModel('Collada/cube_triangulate.dae'),
  'a DAE with animations': () => testModel('Collada/box_nested_animation.dae'),
  'a 3MF': () => testModel('3MF/box.3mf'),
  'a 3DS': () => testModel('3DS/cube_with_diffuse_texture.3DS'),
  'a 3DS with an animation': () => testModel('3DS/RotatingCube.3DS'),
  'an OFF': () => testModel('OFF/Cube.off'),
  'an XYZ': () => ({ 'cloud.xyz': Buffer.from('0.5 1.25 -3 255 0 10\n1 2 3 4 5 6\n'.repeat(20)) }),
};

let converter: BulkConverter;
beforeAll(async () => {
  converter = await BulkConverter.start(DEADLINE_SECONDS);
});
afterAll(async () => {
  await converter[Symbol.asyncDispose]();
});

describe('A damaged model is converted or refused with its cause', () => {
  test.for(Object.entries(models))('%s, wherever it ends', async ([, build]) => {
    const [[name, model], references] = parted(await build());
    const wrong: string[] = [];
    for (let percent = 1; percent < 100; percent += 1) {
      const end = Math.floor((model.length * percent) / 100);
      const result = await converter.convertFiles({ [name]: model.subarray(0, end), ...references });
      const why = wrongWith(result);
      if (why !== undefined) wrong.push(`${percent} % (${end} bytes): ${why}`);
    }
    expect(wrong).toEqual([]);
  });

  test.for(Object.entries(models))('%s, whichever bytes are wrong', async ([, build]) => {
    const [[name, model], references] = parted(await build());
    const random = seeded(SEED).next;
    const wrong: string[] = [];
    for (let run = 0; run < FLIPS; run += 1) {
      const damaged = Buffer.from(model);
      const flips = Array.from({ length: 1 + Math.floor(random() * 4) }, () => [
        Math.floor(random() * model.length),
        Math.floor(random() * 256),
      ]);
      for (const [at = 0, value = 0] of flips) damaged[at] = value;
      const result = await converter.convertFiles({ [name]: damaged, ...references });
      const why = wrongWith(result);
      if (why !== undefined) wrong.push(`${JSON.stringify(flips)}: ${why}`);
    }
    expect(wrong).toEqual([]);
  });
});

function parted(files: ModelFiles): [model: [string, Uint8Array], references: ModelFiles] {
  const [model = ['', new Uint8Array(0)], ...references] = Object.entries(files);
  return [model, Object.fromEntries(references)];
}

/** What may not come of a damaged model; undefined where all is well. */
function wrongWith(result: BulkResult): string | undefined {
  if (result.status === 'succeeded') return undefined;
  if (result.status !== 'failed') return `${result.status}: ${result.evidence}`;
  const { code, message } = result.error;
  const isCause = ['input_refused', 'missing_files', 'limit', 'memory'].includes(code) && /^[A-Z].*\.$/s.test(message);
  // The words of a library or of the language, which tell nobody what is wrong with a model.
  const isRaw = /undefined|null|NaN\b(?!\))|is not a function|Cannot read prop|Invalid typed array|out of bounds/.test(
    message,
  );
  return isCause && !isRaw ? undefined : `${code}: ${message}`;
}

function everythingGlb(): Uint8Array {
  return featureGlb((buffer) => {
    const target = buffer.add('VEC3', new Float32Array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    const offsets = buffer.add('VEC3', new Float32Array([0, 0, 0, 2, 0, 0, 4, 0, 0]));
    return {
      part: {
        targets: [{ POSITION: target }],
        extensions: { KHR_materials_variants: { mappings: [{ material: 0, variants: [0] }] } },
      },
      node: { weights: [0.5] },
      material: { extensions: { KHR_materials_pbrSpecularGlossiness: { diffuseTexture: { index: 0 } } } },
      json: {
        extensionsUsed: [
          'KHR_lights_punctual',
          'KHR_materials_variants',
          'KHR_materials_pbrSpecularGlossiness',
          'EXT_mesh_gpu_instancing',
        ],
        extensions: {
          KHR_lights_punctual: { lights: [{ type: 'spot', spot: { innerConeAngle: 0.1, outerConeAngle: 0.5 } }] },
          KHR_materials_variants: { variants: [{ name: 'day' }] },
        },
        scenes: [{ nodes: [0, 1, 2] }],
        nodes: [
          {
            mesh: 0,
            weights: [0.5],
            extensions: { EXT_mesh_gpu_instancing: { attributes: { TRANSLATION: offsets } } },
          },
          { camera: 0 },
          { extensions: { KHR_lights_punctual: { light: 0 } } },
        ],
        cameras: [{ type: 'orthographic', orthographic: { xmag: 1, ymag: 1, znear: 0, zfar: 9 } }],
      },
    };
  });
}
