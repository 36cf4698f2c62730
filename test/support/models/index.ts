export { featureGlb, sparseGlb } from './features.ts';
export { glb } from './gltf.ts';
export { bmp, dds, psd, psdSection, tga } from './images.ts';
export { bendingTubeGlb, manyNodesGlb, type TextureImage, texturedBallGlb } from './large.ts';
export { limits } from './limits.ts';
export { modelFolder } from './model-folder.ts';
export { dracoGlb, quantisedGlb, unpack } from './packed.ts';
export { png } from './png.ts';
export {
  animatedSkinGlb,
  boxGlb,
  boxGltf,
  deepGlb,
  type ModelFiles,
  pointsGlb,
  quadFiles,
  quadGlb,
  sheetGlb,
} from './shapes.ts';
export { zip } from './zip.ts';
