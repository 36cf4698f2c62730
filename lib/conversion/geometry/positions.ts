import type { vec3 } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { refused } from '../reading/refused.ts';

/** Coordinates from which on 32 bits are worth less than half a millimetre. */
const FAR = 4096;

/**
 * Positions in 32 bits around an origin of their own, so that places far from zero (surveys, maps) stay apart. The origin is zero in each
 * direction in which the first position is near it. Scanners write NaN for what they did not hit, and some programs for what they could not
 * compute: such a position keeps its number and has no place.
 */
export class Positions {
  count = 0;
  readonly origin: vec3 = [0, 0, 0];
  readonly #values: Float32Array<ArrayBuffer>;
  #lost = 0;
  #firstLost = '';

  /** @param capacity how many there may be; memory is taken as it is filled */
  constructor(capacity: number) {
    this.#values = new Float32Array(3 * capacity);
  }

  /** @param where names the place in the file, for what is no number or too large to be one in 32 bits */
  add(x: number, y: number, z: number, where: () => string): void {
    const { origin } = this;
    const values = this.#values;
    if (this.count === this.#lost) for (const [axis, value] of [x, y, z].entries()) origin[axis] = originOf(value);
    const at = 3 * this.count;
    values[at] = x - origin[0];
    values[at + 1] = y - origin[1];
    values[at + 2] = z - origin[2];
    this.count += 1;
    // A sum is finite only where each of its parts is; it may overflow where none of them does.
    if (Number.isFinite((values[at] ?? 0) + (values[at + 1] ?? 0) + (values[at + 2] ?? 0))) return;
    values.fill(Number.NaN, at, at + 3);
    if (this.#lost === 0) this.#firstLost = `${where()}: a position is no number (${x}, ${y}, ${z}).`;
    this.#lost += 1;
  }

  /** Of those that were added; NaN for those that have no place. */
  get values(): Float32Array<ArrayBuffer> {
    return this.#values.subarray(0, 3 * this.count);
  }

  /** True where some have no place. */
  get hasLost(): boolean {
    return this.#lost > 0;
  }

  /**
   * What is said of positions without a place, which are left out with all that they are corners of.
   * @param isShown whether anything is left
   * @throws ConversionError `input_refused` where nothing is, or less than half of the positions
   */
  warnings(isShown: boolean): ConversionWarning[] {
    if (this.#lost === 0) return [];
    if (!isShown || 2 * this.#lost > this.count) throw refused(this.#firstLost);
    const details = { positions: String(this.#lost), first: this.#firstLost };
    return [{ code: 'positions_lost', title: 'Positions that are no numbers left out', details }];
  }
}

/** True for a vertex whose position has a place. */
export function isPlaced(positions: Float32Array, vertex: number): boolean {
  return !Number.isNaN(positions[3 * vertex]);
}

function originOf(value: number): number {
  return Math.abs(value) >= FAR && Number.isSafeInteger(Math.round(value)) ? Math.round(value) : 0;
}

/** How far it is along an axis, 0 to 2, from one position to another; each is named by the place of its first number. */
export function along(positions: Float32Array, from: number, to: number, axis: number): number {
  return (positions[to + axis] ?? 0) - (positions[from + axis] ?? 0);
}

/** Writes the normal of a triangle at `at`; it is as long as twice the triangle's area. For every triangle of every model: without arrays. */
export function setNormal(
  into: Float32Array | Float64Array,
  at: number,
  positions: Float32Array,
  indices: Uint32Array,
  first: number,
): void {
  const a = 3 * (indices[first] ?? 0);
  const b = 3 * (indices[first + 1] ?? 0);
  const c = 3 * (indices[first + 2] ?? 0);
  for (let axis = 0; axis < 3; axis += 1) {
    const y = (axis + 1) % 3;
    const z = (axis + 2) % 3;
    into[at + axis] =
      along(positions, a, b, y) * along(positions, a, c, z) - along(positions, a, b, z) * along(positions, a, c, y);
  }
}
