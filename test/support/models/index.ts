export { BufferBuilder, type GltfJson, glb } from './gltf.ts';
export { type ModelFolder, modelFolder } from './model-folder.ts';
export { dracoGlb, quantisedGlb, unpack } from './packed.ts';
export { png } from './png.ts';
export {
  animatedSkinGlb,
  boxGlb,
  boxGltf,
  deepGlb,
  type ModelFiles,
  pointsGlb,
  type QuadOptions,
  quadFiles,
  quadGlb,
  sheetGlb,
} from './shapes.ts';
