import { setImmediate as turn } from 'node:timers/promises';
import { type Document, type Mesh, Primitive } from '@gltf-transform/core';
import { convertPrimitiveToTriangles, dequantize, palette, prune, resample, weld } from '@gltf-transform/functions';
import { addNormals } from './add-normals.ts';
import { addTangents } from './add-tangents.ts';
import type { ConversionWarning } from './conversion-outcome.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import { deduplicateModel, unshareIndices } from './deduplicate-model.ts';
import { dropRepeatedTriangles } from './drop-repeated-triangles.ts';
import { flattenScene } from './flatten-scene.ts';
import { instanceMeshes } from './instance-meshes.ts';
import { joinParts } from './join-parts.ts';
import { dropEmptyScenes } from './repair-document.ts';
import { simplifyModel } from './simplify-model.ts';
import { dropAttributes, dropDirections } from './vertex-formats.ts';

/** Keeps every node: an app may look for one by its name, and give its parts other materials. */
const dynamic = { keepLeaves: true, keepAttributes: true, keepSolidTextures: true };

/** Drops what cannot be seen. Textures of one colour are dropped apart from it. */
const still = { keepLeaves: false, keepAttributes: false, keepSolidTextures: true };

/** Undoes what the steps after it cannot work with: geometry that is to be merged is made of floats and of triangles. */
export async function unpackGeometry(document: Document, { sceneGraphMode }: ConversionSettings): Promise<void> {
  if (sceneGraphMode === 'dynamic') return;
  await document.transform(dequantize({ pattern: /^(POSITION|NORMAL|TANGENT)$/ }));
  for (const mesh of document.getRoot().listMeshes()) stripsToTriangles(mesh);
}

/** Stores what is the same once, and drops what nothing uses: what is left is worth working on. */
export async function tidyModel(document: Document, settings: ConversionSettings): Promise<void> {
  dropAttributes(document, settings.vertex);
  await deduplicateModel(document, { materials: settings.deduplicateMaterials });
  await document.transform(prune(dynamic));
  unshareIndices(document);
}

/** Makes the geometry of a tidied model as small as its settings allow, and adds the normals and tangents that it lacks then. */
export async function optimiseModel(document: Document, settings: ConversionSettings): Promise<ConversionWarning[]> {
  const isStatic = settings.sceneGraphMode !== 'dynamic';
  if (isStatic) await mergeScene(document, settings);
  await document.transform(weld());
  dropRepeatedTriangles(document);
  // Room for what waits elsewhere: textures are worked on at the same time.
  await turn();
  if (settings.simplificationError > 0) await simplifyModel(document, settings.simplificationError);
  await turn();
  if (isStatic) await document.transform(resample());
  addNormals(document);
  const warnings = await addTangents(document);
  // What is made here may be what is not to be there.
  dropDirections(document, settings.vertex);
  // The library knows of a part's own material alone, not of those that a variant may give it.
  const keepAttributes = still.keepAttributes || document.hasExtension('KHR_materials_variants');
  await document.transform(prune(isStatic ? { ...still, keepAttributes } : dynamic));
  dropEmptyScenes(document);
  return warnings;
}

/** One part for each material wherever nothing moves. */
async function mergeScene(
  document: Document,
  { sceneGraphMode, deduplicateMaterials }: ConversionSettings,
): Promise<void> {
  await flattenScene(document);
  if (sceneGraphMode === 'static') instanceMeshes(document);
  if (deduplicateMaterials) await document.transform(palette());
  await joinParts(document);
  await turn();
}

function stripsToTriangles(mesh: Mesh): void {
  const { TRIANGLE_STRIP, TRIANGLE_FAN } = Primitive.Mode;
  for (const part of mesh.listPrimitives()) {
    if (part.getMode() === TRIANGLE_STRIP || part.getMode() === TRIANGLE_FAN) convertPrimitiveToTriangles(part);
  }
}
