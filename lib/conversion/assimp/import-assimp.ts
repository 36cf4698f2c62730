import type { Document } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { dropUnplacedTextures } from '../images/unplaced-textures.ts';
import type { ImportRequest } from '../importer.ts';
import { refused } from '../reading/refused.ts';
import { hasBrokenTimes, repairTimes } from './assimp-animations.ts';
import { type AssimpDocument, readAssimpDocument } from './assimp-document.ts';
import { type AssimpInput, AssimpLibrary } from './assimp-library.ts';
import { hasMorphs, repairMorphs } from './assimp-morphs.ts';
import { parseAssimpScene } from './assimp-scene.ts';
import { repairSkins } from './assimp-skins.ts';
import { loadTextures, type ReadImage } from './assimp-textures.ts';
import { repairValues } from './repair-values.ts';

interface AssimpImport {
  readonly input: AssimpInput;
  /** Names the format in messages. */
  readonly what: string;
  /** Without it the document has no textures. */
  readonly readImage?: ReadImage;
  readonly limits: ImportRequest['limits'];
}

/** Of animations of 3D Studio, the one format whose rate the library does not tell. */
const FRAMES_PER_SECOND = 30;

/** Reads a model through the library of many formats, and mends what it is known to get wrong. */
export async function importThroughAssimp(
  job: AssimpImport,
): Promise<{ document: Document; warnings: ConversionWarning[] }> {
  const library = await AssimpLibrary.load();
  const { input } = job;
  const read: AssimpDocument = await readAssimpDocument(library.convert(input, 'glb2', job.what));
  const { document } = read;
  refuseSkeleton(document);
  const warnings = job.readImage === undefined ? [] : await loadTextures(read, job.readImage, job.limits);
  if (job.readImage === undefined) for (const texture of document.getRoot().listTextures()) texture.dispose();
  const hasSkins = document.getRoot().listSkins().length > 0;
  if (hasSkins || hasBrokenTimes(document) || hasMorphs(document)) {
    const scene = parseAssimpScene(library.convert(input, 'assjson', job.what));
    repairMorphs(document, scene);
    if (hasSkins) repairSkins(document, scene);
    if (hasBrokenTimes(document)) repairTimes(document, scene, FRAMES_PER_SECOND);
  }
  repairValues(document);
  return { document, warnings: [...warnings, ...dropUnplacedTextures(document)] };
}

/** Where a model shows nothing, the library makes a mesh of its nodes: a picture of cameras and lamps that nobody asked for. */
function refuseSkeleton(document: Document): void {
  const materials = document.getRoot().listMaterials();
  const [first] = materials;
  if (materials.length !== 1 || first?.getName() !== 'SkeletonMaterial') return;
  throw refused('it has no geometry: there is nothing to render.');
}
