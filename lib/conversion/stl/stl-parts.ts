import type { ConversionWarning } from '../conversion-outcome.ts';
import type { MeshPart } from '../geometry/build-document.ts';
import { isPlaced } from '../geometry/positions.ts';

/** The parts of a file, of which some may show nothing, and what was mended. */
export interface StlParts {
  readonly parts: readonly MeshPart[];
  readonly warnings: readonly ConversionWarning[];
}

/** True where a triangle has all of its corners. */
export function hasTriangles(positions: Float32Array): boolean {
  for (let i = 0; i + 2 < positions.length / 3; i += 3) {
    if (isPlaced(positions, i) && isPlaced(positions, i + 1) && isPlaced(positions, i + 2)) return true;
  }
  return false;
}
