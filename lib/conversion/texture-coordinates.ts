import { type Document, type ExtensionProperty, type Material, Texture, TextureInfo } from '@gltf-transform/core';
import type { Transform } from '@gltf-transform/extensions';

/** Has every texture name its coordinates itself: those of KHR_texture_transform go first, and hardly any library looks for them there. */
export function settleTexcoords(document: Document): void {
  for (const material of document.getRoot().listMaterials()) {
    for (const owner of [material, ...material.listExtensions()]) {
      for (const edge of owner.getGraph().listChildEdges(owner)) {
        const info = edge.getChild();
        if (info instanceof TextureInfo) settle(info);
      }
    }
  }
}

function settle(info: TextureInfo): void {
  const transform = info.getExtension<Transform>('KHR_texture_transform');
  const slot = transform?.getTexCoord();
  if (slot == null) return;
  info.setTexCoord(slot);
  transform?.setTexCoord(null);
}

/**
 * Has the textures of all materials follow where their coordinates have gone; they name those themselves: `settleTexcoords`.
 * @param slotOf where what was in a slot is now; undefined where it is gone, and the texture has to go with it
 */
export function moveTexcoords(document: Document, slotOf: (slot: number) => number | undefined): void {
  for (const material of document.getRoot().listMaterials()) {
    for (const owner of [material, ...material.listExtensions()]) moveTexcoordsOf(owner, slotOf);
  }
}

function moveTexcoordsOf(owner: Material | ExtensionProperty, slotOf: (slot: number) => number | undefined): void {
  const edges = owner.getGraph().listChildEdges(owner);
  for (const edge of edges) {
    const info = edge.getChild();
    if (!(info instanceof TextureInfo)) continue;
    const slot = slotOf(info.getTexCoord());
    const texture = edges.find(
      (other) => other.getChild() instanceof Texture && `${other.getName()}Info` === edge.getName(),
    );
    if (slot === undefined) texture?.dispose();
    info.setTexCoord(slot ?? 0);
  }
}
