import type { mat4 } from '@gltf-transform/core';
import { GrowingArray } from '../geometry/growing-array.ts';
import { refused } from '../reading/refused.ts';
import type { XmlAttributes } from '../reading/xml.ts';
import type { Color } from './threemf-model.ts';

/** A number that an attribute has; undefined where it is missing or none. */
export function numberOf(attributes: XmlAttributes, name: string): number | undefined {
  const text = attributes.get(name);
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Words or numbers with blanks between them. */
export function listOf(attributes: XmlAttributes, name: string): string[] {
  return (attributes.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
}

/** @throws ConversionError `input_refused` where there is a transform that is none */
export function transformOf(attributes: XmlAttributes, what: string): mat4 | undefined {
  const text = attributes.get('transform')?.trim();
  if (text === undefined || text === '') return undefined;
  const numbers = text.split(/\s+/).map(Number);
  if (numbers.length !== 12 || !numbers.every(Number.isFinite)) {
    throw refused(`the transform of ${what} ('${text.slice(0, 100)}') is not of twelve numbers.`);
  }
  return toMatrix(numbers);
}

/** Four rows of three, for vectors that are rows: they are glTF's columns. */
function toMatrix(numbers: readonly number[]): mat4 {
  const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0, g = 0, h = 0, i = 1, x = 0, y = 0, z = 0] = numbers;
  return [a, b, c, 0, d, e, f, 0, g, h, i, 0, x, y, z, 1];
}

/** White where it is none. */
export function parseColor(text = ''): Color {
  const [, red, green, blue, alpha = 'ff'] =
    /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})([\da-f]{2})?$/i.exec(text.trim()) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return [1, 1, 1, 1];
  const part = (hex: string) => Number.parseInt(hex, 16) / 255;
  return [part(red), part(green), part(blue), part(alpha)];
}

export function integers(): GrowingArray<Uint32Array<ArrayBuffer>> {
  return new GrowingArray((length) => new Uint32Array(length), 192);
}
