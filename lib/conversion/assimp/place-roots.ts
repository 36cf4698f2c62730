import { AnimationChannel, type Document, type mat4, type Node } from '@gltf-transform/core';
import { multiply } from '../geometry/transforms.ts';

/** Puts a transformation before everything that a document's scenes show. */
export function placeRoots(document: Document, matrix: mat4): void {
  for (const scene of document.getRoot().listScenes()) {
    for (const root of scene.listChildren()) {
      if (isAnimated(root)) {
        scene.removeChild(root).addChild(document.createNode().setMatrix(matrix).addChild(root));
      } else root.setMatrix(multiply(matrix, root.getMatrix()));
    }
  }
}

/** An animation would overwrite what is written into the node itself. */
function isAnimated(node: Node): boolean {
  return node.listParents().some((parent) => parent instanceof AnimationChannel);
}
