import { AnimationChannel, type Document, type mat4, type Node } from '@gltf-transform/core';

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

function multiply(a: mat4, b: mat4): mat4 {
  const product: mat4 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let column = 0; column < 4; column += 1) {
    for (let row = 0; row < 4; row += 1) {
      let sum = 0;
      for (let i = 0; i < 4; i += 1) sum += (a[4 * i + row] ?? 0) * (b[4 * column + i] ?? 0);
      product[4 * column + row] = sum;
    }
  }
  return product;
}
