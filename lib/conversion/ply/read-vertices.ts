import { intensityColors } from '../geometry/intensity-colors.ts';
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
  readonly #intensities: Float32Array<ArrayBuffer> | undefined;
  readonly #layout: VertexLayout;
  readonly #encode: Encode;

  /** @throws ConversionError `input_refused` for an element without a position */
  constructor(element: PlyElement, encode: Encode) {
    const layout = vertexLayout(element);
    if (layout === undefined) throw refused(whyUnplaced(element));
    const { count } = element;
    this.#layout = layout;
    this.positions = new Positions(count);
    if (layout.normal) this.normals = new Float32Array(3 * count);
    if (layout.texcoord) this.texcoords = new Float32Array(2 * count);
    if (layout.color) this.#colors = new PlyColors(layout.color, count, encode);
    else if (layout.intensity !== undefined) this.#intensities = new Float32Array(count);
    this.#encode = encode;
  }

  add({ values, where }: PlyRow): void {
    const { position, normal, texcoord, intensity } = this.#layout;
    const i = this.positions.count;
    const [x, y, z] = [values[position[0]] ?? 0, values[position[1]] ?? 0, values[position[2]] ?? 0];
    this.positions.add(x, y, z, where);
    if (normal && this.normals) {
      for (const [axis, column] of normal.entries()) this.normals[3 * i + axis] = values[column] ?? 0;
    }
    if (texcoord && this.texcoords) {
      setTexcoord(this.texcoords, 2 * i, values[texcoord[0]], values[texcoord[1]]);
    }
    this.#colors?.add(values);
    if (this.#intensities && intensity !== undefined) this.#intensities[i] = values[intensity] ?? 0;
  }

  get hasColors(): boolean {
    return this.#colors !== undefined;
  }

  /** As glTF has them. */
  colors(): Uint8Array<ArrayBuffer> | undefined {
    return this.#colors?.finish();
  }

  /** Greys of a scan's intensities, where it has no colours. */
  greys(): Uint8Array<ArrayBuffer> | undefined {
    return this.#intensities && intensityColors(this.#intensities, this.#encode);
  }
}

function whyUnplaced({ properties }: PlyElement): string {
  const arePacked = properties.some(({ name }) => name === 'packed_position');
  if (!arePacked) return "its element 'vertex' has no x, y and z.";
  return 'it has compressed Gaussian splats (packed_position). Export it as an uncompressed PLY.';
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
    const { columns, alpha, brightest = 1, decode } = this.#layout;
    const at = (column: number) => decode?.(values[column] ?? 0) ?? values[column] ?? 0;
    const [red, green, blue] = [at(columns[0]), at(columns[1]), at(columns[2])];
    const opacity = alpha === undefined ? undefined : (values[alpha] ?? 0);
    const colors = this.#colors;
    if (colors instanceof UnscaledColors) {
      colors.add(red, green, blue, opacity);
      return;
    }
    const start = 4 * this.#count;
    colors[start] = this.#encode(red / brightest);
    colors[start + 1] = this.#encode(green / brightest);
    colors[start + 2] = this.#encode(blue / brightest);
    colors[start + 3] = Math.round(255 * Math.min(1, Math.max(0, (opacity ?? brightest) / brightest)));
    this.#count += 1;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const colors = this.#colors instanceof UnscaledColors ? this.#colors.encode(this.#encode) : this.#colors;
    return this.#layout.alpha === undefined ? colors : seen(colors);
  }
}

/** Programs leave room for an opacity that they do not have: what cannot be seen anywhere is opaque. */
function seen(colors: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let i = 3; i < colors.length; i += 4) if (colors[i] !== 0) return colors;
  for (let i = 3; i < colors.length; i += 4) colors[i] = 255;
  return colors;
}

/** glTF's texture coordinates begin at the top, PLY's at the bottom. */
export function setTexcoord(texcoords: Float32Array, at: number, u = 0, v = 0): void {
  texcoords[at] = Number.isFinite(Math.fround(u)) ? u : 0;
  texcoords[at + 1] = Number.isFinite(Math.fround(v)) ? 1 - v : 0;
}
