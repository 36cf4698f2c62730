import type { vec3 } from '@gltf-transform/core';

/** Coordinates from which on 32 bits are worth less than half a millimetre. */
const FAR = 4096;

/**
 * Positions in 32 bits around an origin of their own, so that places far from zero (surveys, maps) stay apart. The origin is zero in each
 * direction in which the first position is near it.
 */
export class Positions {
  count = 0;
  readonly origin: vec3 = [0, 0, 0];
  readonly #values: Float32Array<ArrayBuffer>;

  /** @param capacity how many there may be; memory is taken as it is filled */
  constructor(capacity: number) {
    this.#values = new Float32Array(3 * capacity);
  }

  /** False, and nothing is added, for what is no number or too large to be one in 32 bits. */
  add(x: number, y: number, z: number): boolean {
    const { origin } = this;
    const values = this.#values;
    if (this.count === 0) for (const [axis, value] of [x, y, z].entries()) origin[axis] = originOf(value);
    const at = 3 * this.count;
    values[at] = x - origin[0];
    values[at + 1] = y - origin[1];
    values[at + 2] = z - origin[2];
    // A sum is finite only where each of its parts is; it may overflow where none of them does.
    const isUsable = Number.isFinite((values[at] ?? 0) + (values[at + 1] ?? 0) + (values[at + 2] ?? 0));
    if (isUsable) this.count += 1;
    return isUsable;
  }

  /** Of those that were added. */
  get values(): Float32Array<ArrayBuffer> {
    return this.#values.subarray(0, 3 * this.count);
  }
}

function originOf(value: number): number {
  return Math.abs(value) >= FAR && Number.isSafeInteger(Math.round(value)) ? Math.round(value) : 0;
}
