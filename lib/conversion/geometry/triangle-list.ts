import { GrowingArray } from './growing-array.ts';
import { isPlaced } from './positions.ts';
import { triangulate } from './triangulate.ts';

/** Where a triangle's corner comes from: which of the polygon's corners it is. */
export type OnCorner = (corner: number) => void;

/** The triangles of polygons; those with a corner that has no place are left out. */
export class TriangleList {
  /** Polygons with fewer than three corners: they have no area. */
  skipped = 0;
  readonly #positions: () => Float32Array;
  readonly #indices: GrowingArray<Uint32Array<ArrayBuffer>>;

  /** @param positions of the vertices, as far as they are known: polygons that bend inwards cannot be cut without */
  constructor(polygons: number, positions: () => Float32Array) {
    this.#positions = positions;
    this.#indices = new GrowingArray((length) => new Uint32Array(length), 3 * polygons);
  }

  get indices(): Uint32Array<ArrayBuffer> {
    return this.#indices.values;
  }

  /** Of `indices`. */
  get length(): number {
    return this.#indices.length;
  }

  /** @param onCorner is told of each corner of the triangles in the order of `indices` */
  add(polygon: readonly number[], onCorner?: OnCorner): void {
    if (polygon.length < 3) {
      this.skipped += 1;
      return;
    }
    const positions = this.#positions();
    for (const vertex of polygon) if (!isPlaced(positions, vertex)) return;
    const emit = (a: number, b: number, c: number) => {
      for (const corner of [a, b, c]) {
        this.#indices.push(polygon[corner] ?? 0);
        onCorner?.(corner);
      }
    };
    if (polygon.length === 3) emit(0, 1, 2);
    else triangulate(polygon.length, (corner, axis) => positions[3 * (polygon[corner] ?? 0) + axis] ?? 0, emit);
  }
}
