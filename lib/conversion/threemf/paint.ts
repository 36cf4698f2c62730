import { linearOf } from '../linear-colors.ts';
import { PLAIN_GREY } from '../plain-grey.ts';
import type { Color, DisplayProperties } from './threemf-model.ts';

/** Groups with more entries are colours of corners only: each material would be a mesh part of its own. */
export const MOST_MATERIALS = 256;

/** What a group of properties makes of a surface. A corner of a triangle says which entry holds for it. */
export interface Paint {
  readonly name: (entry: number) => string;
  /** Red, green, blue and alpha of each entry, linear. */
  readonly colors?: Float32Array<ArrayBuffer>;
  /** Of each entry, as glTF counts them. */
  readonly texcoords?: Float32Array<ArrayBuffer>;
  /** The number of its texture. */
  readonly texture?: string;
  /** What shows through a texture, as `colors`. */
  readonly under?: Float32Array<ArrayBuffer>;
  /** True where a triangle has one entry, whose colour is its material's. */
  readonly isFlat: boolean;
  /** Whether any of `colors` is. */
  readonly isTranslucent: boolean;
  readonly display?: ((entry: number) => DisplayProperties | undefined) | undefined;
  /** Whether it is made of more layers than can be shown. */
  readonly isRough?: boolean;
}

/** True where any of some colours is not opaque. */
export function hasAlpha(colors: Float32Array): boolean {
  return colors.some((value, i) => i % 4 === 3 && value < 1);
}

/** What has no colour. */
export const GREY: Color = [PLAIN_GREY, PLAIN_GREY, PLAIN_GREY, 1];

/** One after the other, linear. */
export function packed(colors: readonly Color[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(4 * colors.length);
  for (const [i, color] of colors.entries()) values.set(linear(color), 4 * i);
  return values;
}

/** 3MF's colours are sRGB. */
export function linear([red, green, blue, alpha]: Color): Color {
  return [linearOf(red), linearOf(green), linearOf(blue), alpha];
}
