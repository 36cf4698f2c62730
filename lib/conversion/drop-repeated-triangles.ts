import { type Document, Material, Primitive } from '@gltf-transform/core';

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

/** The vertices of what is left out are those of what stays. */
function dropRepeats(part: Primitive): void {
  const indices = part.getIndices();
  const corners = indices?.getArray();
  if (indices === null || corners === null || corners === undefined) return;
  const kept = firstOfEach(Uint32Array.from(corners));
  // Other parts may share these indices.
  if (kept.length < corners.length) part.setIndices(indices.clone().setArray(kept));
}

/**
 * With a hash table of where the triangles begin that were met, one above that: 0 is a free place. A triangle is looked for near those with
 * the same lowest corner, as neighbours in a file are neighbours in memory then, and further on in steps of its own.
 */
function firstOfEach(corners: Uint32Array): Uint32Array<ArrayBuffer> {
  const size = 2 ** Math.ceil(Math.log2(corners.length + 1));
  const table = new Uint32Array(size);
  const kept = new Uint32Array(corners.length);
  let end = 0;
  for (let first = 0; first + 2 < corners.length; first += 3) {
    const lowest = lowestOf(corners, first);
    const hash = hashOf(corners, first, lowest);
    let place = (4 * (corners[first + lowest] ?? 0) + (hash >>> 30)) & (size - 1);
    let met = table[place] ?? 0;
    while (met !== 0 && !isSame(corners, first, lowest, met - 1)) {
      // Of a size that is a power of two, odd steps reach every place.
      place = (place + (hash | 1)) & (size - 1);
      met = table[place] ?? 0;
    }
    if (met !== 0) continue;
    table[place] = first + 1;
    for (let corner = 0; corner < 3; corner += 1) kept[end + corner] = corners[first + corner] ?? 0;
    end += 3;
  }
  return kept.slice(0, end);
}

/** Which of a triangle's corners, 0 to 2, it is taken to begin at: it may at any, and goes around in one direction. */
function lowestOf(corners: Uint32Array, first: number): number {
  const a = corners[first] ?? 0;
  const b = corners[first + 1] ?? 0;
  const c = corners[first + 2] ?? 0;
  if (a <= b && a <= c) return 0;
  return b <= c ? 1 : 2;
}

/** Of the two corners after the lowest. */
function hashOf(corners: Uint32Array, first: number, lowest: number): number {
  const b = corners[first + ((lowest + 1) % 3)] ?? 0;
  const c = corners[first + ((lowest + 2) % 3)] ?? 0;
  return Math.imul(Math.imul(b, 73_856_093) ^ c, 83_492_791);
}

function isSame(corners: Uint32Array, first: number, lowest: number, other: number): boolean {
  const begin = lowestOf(corners, other);
  for (let i = 0; i < 3; i += 1) {
    if (corners[first + ((lowest + i) % 3)] !== corners[other + ((begin + i) % 3)]) return false;
  }
  return true;
}
