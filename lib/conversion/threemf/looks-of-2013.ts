import type { XmlAttributes } from '../reading/xml.ts';
import type { Color, PropertyGroup } from './threemf-model.ts';
import { numberOf, parseColor } from './xml-values.ts';

/** A group of properties, and a place in it for each corner that says one. */
export interface CornerPlaces {
  readonly group: string;
  readonly places: readonly number[];
}

type Texcoord = readonly [u: number, v: number];

const COLORS = 'colors of 2013';

/**
 * The looks of 3MF before its core specification (namespace `…/3dmanufacturing/2013/01`), which Windows 8.1 wrote: colours stand alone, and
 * are named by materials, objects and triangles; texture coordinates stand with an object's vertices.
 */
export class LooksOf2013 {
  readonly #groups: Map<string, PropertyGroup>;
  readonly #colors: Color[] = [];
  readonly #places = new Map<string, number>();
  readonly #textures = new Map<string, string>();
  readonly #materials = new Map<string, string>();
  readonly #texcoords = new Map<string, Texcoord[]>();

  constructor(groups: Map<string, PropertyGroup>) {
    this.#groups = groups;
  }

  get isUsed(): boolean {
    return this.#places.size + this.#textures.size > 0;
  }

  /** `#rrggbb`, or `tex(…)` with the number of a texture. */
  addColor(id: string, value: string): void {
    const texture = /^tex\((.+)\)$/.exec(value.trim())?.[1];
    if (texture !== undefined) {
      this.#textures.set(id, texture);
      return;
    }
    this.#places.set(id, this.#colors.push(parseColor(value)) - 1);
    this.#groups.set(COLORS, { kind: 'colors', entries: this.#colors });
  }

  addMaterial(attributes: XmlAttributes): void {
    this.#materials.set(attributes.get('id') ?? '', attributes.get('colorid') ?? '');
  }

  addTexcoord(object: string, attributes: XmlAttributes): void {
    this.#texcoordsOf(object).push([numberOf(attributes, 'u') ?? 0, numberOf(attributes, 'v') ?? 0]);
  }

  /** What an object or a triangle says of its looks; undefined where it says nothing. */
  placesOf(object: string, attributes: XmlAttributes): CornerPlaces | undefined {
    const material = attributes.get('materialid');
    const colors = attributes.get('colorid') ?? (material === undefined ? undefined : this.#materials.get(material));
    if (colors === undefined) return undefined;
    const ids = colors.split(',').map((id) => id.trim());
    const texture = this.#textures.get(ids[0] ?? '');
    if (texture === undefined) return { group: COLORS, places: ids.map((id) => this.#places.get(id) ?? 0) };
    const group = `texture ${texture} of object ${object}, 2013`;
    if (!this.#groups.has(group)) {
      this.#groups.set(group, { kind: 'texcoords', texture, entries: this.#texcoordsOf(object) });
    }
    return { group, places: ['cv1', 'cv2', 'cv3'].map((name) => numberOf(attributes, name) ?? 0) };
  }

  #texcoordsOf(object: string): Texcoord[] {
    const texcoords = this.#texcoords.get(object) ?? [];
    this.#texcoords.set(object, texcoords);
    return texcoords;
  }
}
