import { type Document, Material, Primitive } from '@gltf-transform/core';
import { compactPrimitive } from '@gltf-transform/functions';

/**
 * Leaves out triangles that a welded part has already: the same corners, seen from the same side. Exporters that write a solid more than once
 * make them, and with thousands in one place the libraries that follow take the square of their time. What is blended shows how often it is
 * drawn, and is left as it is.
 */
export function dropRepeatedTriangles(document: Document): void {
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) {
      const isBlended = part.getMaterial()?.getAlphaMode() === Material.AlphaMode['BLEND'];
      if (part.getMode() === Primitive.Mode['TRIANGLES'] && !isBlended) dropRepeats(part);
    }
  }
}

function dropRepeats(part: Primitive): void {
  const indices = part.getIndices();
  const corners = indices?.getArray();
  if (indices === null || corners === null || corners === undefined) return;
  const kept = firstOfEach(corners);
  if (kept.length === corners.length) return;
  // Other parts may share these indices.
  part.setIndices(indices.clone().setArray(kept));
  compactPrimitive(part);
}

type Indices = ArrayLike<number>;

/** A hash table of the corners at which the triangles begin that were met, one above that: 0 is a free place. */
function firstOfEach(corners: Indices): Uint32Array<ArrayBuffer> {
  const size = 2 ** Math.ceil(Math.log2(corners.length + 1));
  const table = new Uint32Array(size);
  const kept = new Uint32Array(corners.length);
  let end = 0;
  for (let first = 0; first + 2 < corners.length; first += 3) {
    const [a, b, c] = fromLowest(corners, first);
    let place = (Math.imul(a, 73_856_093) ^ Math.imul(b, 19_349_663) ^ Math.imul(c, 83_492_791)) & (size - 1);
    for (let met = table[place] ?? 0; met !== 0 && !isAt(corners, met - 1, a, b, c); met = table[place] ?? 0) {
      place = (place + 1) & (size - 1);
    }
    if (table[place] !== 0) continue;
    table[place] = first + 1;
    for (let corner = 0; corner < 3; corner += 1) kept[end + corner] = corners[first + corner] ?? 0;
    end += 3;
  }
  return kept.slice(0, end);
}

function isAt(corners: Indices, first: number, a: number, b: number, c: number): boolean {
  const [x, y, z] = fromLowest(corners, first);
  return x === a && y === b && z === c;
}

/** A triangle begins at any of its corners, and goes around in one direction. */
function fromLowest(corners: Indices, first: number): [number, number, number] {
  const [a, b, c] = [corners[first] ?? 0, corners[first + 1] ?? 0, corners[first + 2] ?? 0];
  if (a <= b && a <= c) return [a, b, c];
  return b <= c ? [b, c, a] : [c, a, b];
}
