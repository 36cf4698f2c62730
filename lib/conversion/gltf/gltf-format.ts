import type { ModelFormat } from '../model-formats.ts';
import { isGlb, isJsonObject, readGltfContainer } from './gltf-container.ts';
import { gltfReferences } from './gltf-references.ts';
import { parseGltf } from './gltf-schema.ts';

/** glTF 2.0 in both its forms. */
export const gltfFormat: ModelFormat = {
  id: 'gltf',
  name: 'glTF2 Importer',
  extensions: ['.gltf', '.glb'],
  matches: (head) => isGlb(head) || isJsonObject(head),
  references: async (file) => gltfReferences(parseGltf((await readGltfContainer(file)).text)),
};
