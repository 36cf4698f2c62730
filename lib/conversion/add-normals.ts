import { type Document, Primitive } from '@gltf-transform/core';
import { weldPrimitive } from '@gltf-transform/functions';
import { unweldPart } from './unweld-part.ts';

/**
 * Gives lit triangles without normals those that glTF 2.0, 3.7.2.1 has viewers make: one for each triangle. Not those that morph: theirs
 * would turn with every step.
 */
export function addNormals(document: Document): void {
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) {
      if (!needsNormals(part)) continue;
      unweldPart(part);
      const positions = part.getAttribute('POSITION')?.getArray();
      if (!(positions instanceof Float32Array)) continue;
      part.setAttribute('NORMAL', document.createAccessor().setType('VEC3').setArray(flatNormals(positions)));
      part.setAttribute('TANGENT', null);
      weldPrimitive(part);
    }
  }
}

function needsNormals(part: Primitive): boolean {
  if (part.getMode() !== Primitive.Mode['TRIANGLES'] || part.getAttribute('NORMAL') !== null) return false;
  const isLit = part.getMaterial()?.getExtension('KHR_materials_unlit') == null;
  const isPlain = part.getAttribute('POSITION')?.getArray() instanceof Float32Array;
  return isLit && isPlain && part.listTargets().length === 0;
}

function flatNormals(positions: Float32Array): Float32Array<ArrayBuffer> {
  const normals = new Float32Array(positions.length);
  const at = (index: number) => positions[index] ?? 0;
  for (let i = 0; i + 8 < positions.length; i += 9) {
    const [ax, ay, az] = [at(i + 3) - at(i), at(i + 4) - at(i + 1), at(i + 5) - at(i + 2)];
    const [bx, by, bz] = [at(i + 6) - at(i), at(i + 7) - at(i + 1), at(i + 8) - at(i + 2)];
    const [x, y, z] = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
    const length = Math.hypot(x, y, z);
    // A triangle without an area shows nothing; any direction is as good.
    // What is equal must have the same bits to be welded: there are two zeros.
    const normal = length > 0 ? [x / length + 0, y / length + 0, z / length + 0] : [0, 1, 0];
    for (let corner = i; corner < i + 9; corner += 3) normals.set(normal, corner);
  }
  return normals;
}
