import type { ConversionSettings } from '../conversion-settings.ts';
import { linearOf } from '../linear-colors.ts';

/** Levels at which brightness is looked up; a multiple of the 255 that files mostly have. */
const LEVELS = 65_535;

/**
 * What makes glTF's linear colours, in 8 bits, of brightness between 0 and 1: these formats have gamma colours (contract 2.7,
 * `gammaToLinearVertex`, true for them where it is not given).
 */
export function brightnessEncoder({ gammaToLinearVertex }: ConversionSettings): (value: number) => number {
  const table = new Uint8Array(LEVELS + 1);
  for (let i = 0; i <= LEVELS; i += 1) {
    const value = i / LEVELS;
    table[i] = Math.round(255 * ((gammaToLinearVertex ?? true) ? linearOf(value) : value));
  }
  // Written so that what is no number is black.
  return (value) => table[value > 0 ? Math.round(LEVELS * Math.min(value, 1)) : 0] ?? 0;
}

/** Values of a colour that is not given: more than any. */
const MOST = 65_535;

/** Colours of which only the brightest of them tells whether they are given from 0 to 1 or to 255. */
export class UnscaledColors {
  /** In 257ths, which holds either. */
  readonly #values: Uint16Array<ArrayBuffer>;
  #length = 0;
  #brightest = 0;
  #darkest = 0;

  /** @param capacity how many there may be; memory is taken as it is filled */
  constructor(capacity: number) {
    this.#values = new Uint16Array(4 * capacity);
  }

  add(red: number, green: number, blue: number, alpha?: number): void {
    const values = this.#values;
    const at = this.#length;
    values[at] = this.#scale(red);
    values[at + 1] = this.#scale(green);
    values[at + 2] = this.#scale(blue);
    values[at + 3] = alpha === undefined ? MOST : this.#scale(alpha);
    this.#length += 4;
  }

  /** White: for what has no colour beside others that have one. */
  addNone(): void {
    this.#values.fill(MOST, this.#length, this.#length + 4);
    this.#length += 4;
  }

  /** True where some are below zero: these are no colours. */
  get hasNegative(): boolean {
    return this.#darkest < 0;
  }

  /** As glTF has them: red, green, blue and alpha, which is linear in every file. */
  encode(encode: (value: number) => number): Uint8Array<ArrayBuffer> {
    const scale = this.#brightest <= 1 ? 257 : MOST;
    const colors = new Uint8Array(this.#length);
    for (let i = 0; i < colors.length; i += 1) {
      const value = Math.min(1, (this.#values[i] ?? 0) / scale);
      colors[i] = i % 4 === 3 ? Math.round(255 * value) : encode(value);
    }
    return colors;
  }

  #scale(value: number): number {
    if (value > this.#brightest) this.#brightest = value;
    if (value < this.#darkest) this.#darkest = value;
    return Math.round(257 * Math.min(255, Math.max(0, value)));
  }
}

/** Gives each corner of the triangles the colour of the face that it is of. */
export function spreadFaceColors(colors: Uint8Array, faceOfTriangle: Uint32Array): Uint8Array<ArrayBuffer> {
  const spread = new Uint8Array(12 * faceOfTriangle.length);
  for (const [triangle, face] of faceOfTriangle.entries()) {
    for (let i = 0; i < 12; i += 1) spread[12 * triangle + i] = colors[4 * face + (i % 4)] ?? 0;
  }
  return spread;
}
