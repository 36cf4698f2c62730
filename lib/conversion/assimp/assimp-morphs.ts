import type { Document, Primitive } from '@gltf-transform/core';
import { type AssimpScene, partsInOrder } from './assimp-scene.ts';

/**
 * Gives the morph targets of a document that the library wrote a displacement for each vertex: as glTF, it gives each corner of a face a vertex
 * of its own, but not so their targets, of which it subtracts whatever vertices it finds at their places.
 */
export function repairMorphs(document: Document, { meshes }: AssimpScene): void {
  for (const [i, part] of partsInOrder(document).entries()) {
    const corners = (meshes[i]?.faces ?? []).flat();
    const count = part.getAttribute('POSITION')?.getCount() ?? 0;
    for (const target of part.listTargets()) {
      const morphed = target.getAttribute('POSITION');
      if (corners.length !== count || morphed === null || morphed.getCount() === count) continue;
      const displacements = displace(part, morphed.getArray() ?? new Float32Array(0), corners);
      target.setAttribute('POSITION', morphed.clone().setArray(displacements));
      // Theirs are as wrong, and viewers do without.
      target.setAttribute('NORMAL', null).setAttribute('TANGENT', null);
    }
  }
}

/** @param wrong less the position of another vertex */
function displace(part: Primitive, wrong: ArrayLike<number>, corners: readonly number[]): Float32Array<ArrayBuffer> {
  const positions = part.getAttribute('POSITION')?.getArray() ?? new Float32Array(0);
  return Float32Array.from({ length: 3 * corners.length }, (_, i) => {
    const scene = 3 * (corners[Math.floor(i / 3)] ?? 0) + (i % 3);
    const displacement = (wrong[scene] ?? 0) + (positions[scene] ?? 0) - (positions[i] ?? 0);
    // What stays where it is, but for rounding.
    return Math.abs(displacement) <= 1e-6 * Math.abs(positions[i] ?? 0) ? 0 : displacement;
  });
}

/** True where a mesh has morph targets. */
export function hasMorphs(document: Document): boolean {
  return partsInOrder(document).some((part) => part.listTargets().length > 0);
}
