/** Numbers corners in the order in which they come; those that refer to the same are one vertex. */
export class CornerTable {
  count = 0;
  readonly #indices: ArrayLike<number>;
  readonly #width: number;
  readonly #offsets: readonly number[];
  /** The first corner that each vertex was. */
  #firsts = new Uint32Array(9);
  #slots = new Int32Array(16).fill(-1);

  /**
   * @param indices of each corner as it is written, `width` numbers each
   * @param offsets of those that tell corners apart
   */
  constructor(indices: ArrayLike<number>, width: number, offsets: readonly number[]) {
    this.#indices = indices;
    this.#width = width;
    this.#offsets = offsets;
  }

  /** The first corner that each vertex was. */
  get firsts(): Uint32Array {
    return this.#firsts.subarray(0, this.count);
  }

  numberOf(corner: number): number {
    if (2 * this.count >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(corner);
    const known = this.#slots[slot] ?? -1;
    if (known >= 0) return known;
    this.#slots[slot] = this.count;
    this.#firsts[this.count] = corner;
    this.count += 1;
    return this.count - 1;
  }

  /** Where a corner is, or the free place where it belongs. */
  #slotOf(corner: number): number {
    const mask = this.#slots.length - 1;
    const start = this.#width * corner;
    let hash = 0;
    for (const offset of this.#offsets) hash = Math.imul(hash ^ (this.#indices[start + offset] ?? 0), 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const known = this.#slots[slot] ?? -1;
      if (known < 0 || this.#isSame(start, this.#width * (this.#firsts[known] ?? 0))) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isSame(a: number, b: number): boolean {
    for (const offset of this.#offsets) if (this.#indices[a + offset] !== this.#indices[b + offset]) return false;
    return true;
  }

  /** There is room for half as many vertices as there are slots, and one more. */
  #grow(): void {
    const slots = 2 * this.#slots.length;
    const firsts = new Uint32Array(slots / 2 + 1);
    firsts.set(this.#firsts.subarray(0, this.count));
    this.#firsts = firsts;
    this.#slots = new Int32Array(slots).fill(-1);
    for (let i = 0; i < this.count; i += 1) this.#slots[this.#slotOf(firsts[i] ?? 0)] = i;
  }
}
