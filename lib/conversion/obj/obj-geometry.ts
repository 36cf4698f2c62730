import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import type { Positions } from '../geometry/positions.ts';
import { triangulate } from '../geometry/triangulate.ts';

/** A corner of a face by what it refers to, each counted from 0; -1 for none. */
export type Corner = readonly [position: number, texcoord: number, normal: number];

/** What all parts of a model refer to. */
export interface ObjVertices {
  readonly positions: Positions;
  readonly texcoords: GrowingArray<Float32Array<ArrayBuffer>>;
  readonly normals: GrowingArray<Float32Array<ArrayBuffer>>;
}

export type PartKind = 'triangles' | 'lines' | 'points';

/** What the elements of a part share beside their name. */
export interface PartLook {
  readonly kind: PartKind;
  /** Number of the group whose faces are smooth where they meet; 0 for flat ones and those that have normals. */
  readonly smoothing: number;
  readonly material: string;
}

/** The elements of one look and name. */
export class ObjPart implements PartLook {
  readonly kind: PartKind;
  readonly smoothing: number;
  readonly material: string;
  readonly indices = new GrowingArray((length) => new Uint32Array(length), 64);
  /** Of each vertex of this part. */
  readonly corners = new CornerTable();
  readonly #vertices: ObjVertices;
  readonly #limits: WorkLimits;

  constructor({ kind, smoothing, material }: PartLook, vertices: ObjVertices, limits: WorkLimits) {
    this.kind = kind;
    this.smoothing = smoothing;
    this.material = material;
    this.#vertices = vertices;
    this.#limits = limits;
  }

  addPolygon(polygon: readonly Corner[]): void {
    checkLimit('vertices', this.corners.count, this.#limits);
    if (polygon.length === 3) {
      this.addPoints(polygon);
      return;
    }
    const { values } = this.#vertices.positions;
    const at = (corner: number, axis: number) => values[3 * (polygon[corner]?.[0] ?? 0) + axis] ?? 0;
    triangulate(polygon.length, at, (a, b, c) => {
      for (const corner of [a, b, c]) this.#push(polygon[corner]);
    });
  }

  addLine(corners: readonly Corner[]): void {
    for (let i = 1; i < corners.length; i += 1) {
      this.#push(corners[i - 1]);
      this.#push(corners[i]);
    }
  }

  addPoints(corners: readonly Corner[]): void {
    for (const corner of corners) this.#push(corner);
  }

  #push(corner: Corner | undefined): void {
    if (corner !== undefined) this.indices.push(this.corners.numberOf(corner));
  }
}

/** Numbers corners in the order in which they come, each once. */
export class CornerTable {
  count = 0;
  /** Three numbers for each corner. */
  #corners = new Int32Array(192);
  #slots = new Int32Array(128).fill(-1);

  get values(): Int32Array {
    return this.#corners.subarray(0, 3 * this.count);
  }

  numberOf(corner: Corner): number {
    if (2 * this.count >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(corner[0], corner[1], corner[2]);
    const known = this.#slots[slot] ?? -1;
    if (known >= 0) return known;
    this.#slots[slot] = this.count;
    this.#corners.set(corner, 3 * this.count);
    this.count += 1;
    return this.count - 1;
  }

  /** Where a corner is, or the free place where it belongs. */
  #slotOf(position: number, texcoord: number, normal: number): number {
    const slots = this.#slots;
    const corners = this.#corners;
    const mask = slots.length - 1;
    const hash = Math.imul(position, 0x9e3779b1) ^ Math.imul(texcoord, 0x85ebca6b) ^ Math.imul(normal, 0xc2b2ae35);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const at = 3 * (slots[slot] ?? -1);
      if (at < 0 || (corners[at] === position && corners[at + 1] === texcoord && corners[at + 2] === normal))
        return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** There is room for half as many corners as there are slots, and one more. */
  #grow(): void {
    const slots = 2 * this.#slots.length;
    const corners = new Int32Array(3 * (slots / 2 + 1));
    corners.set(this.#corners);
    this.#corners = corners;
    this.#slots = new Int32Array(slots).fill(-1);
    for (let i = 0; i < this.count; i += 1) {
      const at = 3 * i;
      this.#slots[this.#slotOf(corners[at] ?? 0, corners[at + 1] ?? 0, corners[at + 2] ?? 0)] = i;
    }
  }
}
