import type { Document, Primitive } from '@gltf-transform/core';
import { KHRMaterialsVariants, type MappingList } from '@gltf-transform/extensions';

/** A variant gives a mesh part one material: of several that it names, viewers show the first. */
export function mendVariants(document: Document): void {
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) mendPart(part);
  }
}

function mendPart(part: Primitive): void {
  const list = part.getExtension<MappingList>(KHRMaterialsVariants.EXTENSION_NAME);
  if (list === null) return;
  const named = new Set<unknown>();
  for (const mapping of list.listMappings()) {
    for (const variant of mapping.listVariants()) {
      if (named.has(variant)) mapping.removeVariant(variant);
      named.add(variant);
    }
    if (mapping.listVariants().length === 0) list.removeMapping(mapping);
  }
  if (list.listMappings().length === 0) part.setExtension(KHRMaterialsVariants.EXTENSION_NAME, null);
}
