import { Positions } from '../geometry/positions.ts';
import { UnscaledColors } from '../geometry/vertex-colors.ts';
import { refused } from '../reading/refused.ts';
import type { PlyElement } from './ply-header.ts';
import type { PlyRow } from './ply-rows.ts';
import { type ColorLayout, type VertexLayout, vertexLayout } from './vertex-layout.ts';

type Encode = (value: number) => number;

/** Collects the vertices of a PLY file, row by row, in arrays of their final size. */
export class PlyVertices {
  readonly positions: Positions;
  readonly normals: Float32Array<ArrayBuffer> | undefined;
  readonly texcoords: Float32Array<ArrayBuffer> | undefined;
  readonly #colors: PlyColors | undefined;
  readonly #layout: VertexLayout;

  /** @throws ConversionError `input_refused` for an element without a position */
  constructor(element: PlyElement, encode: Encode) {
    const layout = vertexLayout(element);
    if (layout === undefined) throw refused("its element 'vertex' has no x, y and z.");
    const { count } = element;
    this.#layout = layout;
    this.positions = new Positions(count);
    if (layout.normal) this.normals = new Float32Array(3 * count);
    if (layout.texcoord) this.texcoords = new Float32Array(2 * count);
    if (layout.color) this.#colors = new PlyColors(layout.color, count, encode);
  }

  add({ values, where }: PlyRow): void {
    const { position, normal, texcoord } = this.#layout;
    const i = this.positions.count;
    const [x, y, z] = [values[position[0]] ?? 0, values[position[1]] ?? 0, values[position[2]] ?? 0];
    if (!this.positions.add(x, y, z)) throw refused(`${where()}: a position is no number (${x}, ${y}, ${z}).`);
    if (normal && this.normals) {
      for (const [axis, column] of normal.entries()) this.normals[3 * i + axis] = values[column] ?? 0;
    }
    if (texcoord && this.texcoords) {
      setTexcoord(this.texcoords, 2 * i, values[texcoord[0]], values[texcoord[1]]);
    }
    this.#colors?.add(values);
  }

  get hasColors(): boolean {
    return this.#colors !== undefined;
  }

  /** As glTF has them. */
  colors(): Uint8Array<ArrayBuffer> | undefined {
    return this.#colors?.finish();
  }
}

/** Colours of vertices or faces. */
export class PlyColors {
  readonly #layout: ColorLayout;
  readonly #encode: Encode;
  readonly #colors: UnscaledColors | Uint8Array<ArrayBuffer>;
  #count = 0;

  constructor(layout: ColorLayout, capacity: number, encode: Encode) {
    this.#layout = layout;
    this.#encode = encode;
    this.#colors = layout.brightest === undefined ? new UnscaledColors(capacity) : new Uint8Array(4 * capacity);
  }

  add(values: Float64Array): void {
    const { columns, alpha, brightest = 1 } = this.#layout;
    const [red, green, blue] = [values[columns[0]] ?? 0, values[columns[1]] ?? 0, values[columns[2]] ?? 0];
    const opacity = alpha === undefined ? undefined : (values[alpha] ?? 0);
    const colors = this.#colors;
    if (colors instanceof UnscaledColors) {
      colors.add(red, green, blue, opacity);
      return;
    }
    const at = 4 * this.#count;
    colors[at] = this.#encode(red / brightest);
    colors[at + 1] = this.#encode(green / brightest);
    colors[at + 2] = this.#encode(blue / brightest);
    colors[at + 3] = Math.round(255 * Math.min(1, Math.max(0, (opacity ?? brightest) / brightest)));
    this.#count += 1;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#colors instanceof UnscaledColors ? this.#colors.encode(this.#encode) : this.#colors;
  }
}

/** glTF's texture coordinates begin at the top, PLY's at the bottom. */
export function setTexcoord(texcoords: Float32Array, at: number, u = 0, v = 0): void {
  texcoords[at] = Number.isFinite(Math.fround(u)) ? u : 0;
  texcoords[at + 1] = Number.isFinite(Math.fround(v)) ? 1 - v : 0;
}
