type Values =
  | Uint8Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** Numbers whose count is only known in the end. */
export class GrowingArray<Array extends Values> {
  length = 0;
  readonly #create: (length: number) => Array;
  #values: Array;

  /** @param expected count; memory is taken as it is filled */
  constructor(create: (length: number) => Array, expected: number) {
    this.#create = create;
    this.#values = create(Math.max(64, expected));
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#create(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  get values(): Array {
    return this.#values.subarray(0, this.length) as Array;
  }
}
