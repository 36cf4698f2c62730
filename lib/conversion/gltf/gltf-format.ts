import type { ModelFormat } from '../model-formats.ts';
import { isGlb, isJsonObject } from './gltf-container.ts';
import { readGltfFile } from './gltf-file.ts';
import { gltfReferences } from './gltf-references.ts';

/** glTF 2.0 in both its forms. */
export const gltfFormat: ModelFormat = {
  id: 'gltf',
  name: 'glTF2 Importer',
  extensions: ['.gltf', '.glb'],
  matches: (head) => isGlb(head) || isJsonObject(head),
  references: async (file) => gltfReferences((await readGltfFile(file)).gltf),
};
