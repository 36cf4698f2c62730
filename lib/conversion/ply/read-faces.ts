import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import { TriangleList } from '../geometry/triangle-list.ts';
import { spreadFaceColors } from '../geometry/vertex-colors.ts';
import { refused } from '../reading/refused.ts';
import type { PlyElement } from './ply-header.ts';
import type { PlyRow } from './ply-rows.ts';
import { PlyColors, setTexcoord } from './read-vertices.ts';
import { colorLayout, column, listColumn } from './vertex-layout.ts';

const INDEX_LISTS = ['vertex_indices', 'vertex_index'];
/** Bytes of three indices. */
const TRIANGLE_BYTES = 12;

/** What the faces of a PLY file are made of and into. */
export interface FaceContext {
  readonly vertices: number;
  /** As far as they are known. */
  readonly positions: () => Float32Array;
  /** False where vertices have colours already. */
  readonly wantsColors: boolean;
  readonly encode: (value: number) => number;
  readonly limits: WorkLimits;
}

/** Collects the faces of a PLY file, row by row. */
export class PlyFaces {
  readonly #context: FaceContext;
  readonly #triangles: TriangleList;
  readonly #indexList: number;
  readonly #texcoordList: number | undefined;
  readonly #texcoords: GrowingArray<Float32Array<ArrayBuffer>> | undefined;
  readonly #colors: PlyColors | undefined;
  /** Of each triangle, where faces have colours. */
  readonly #faces: GrowingArray<Uint32Array<ArrayBuffer>> | undefined;
  readonly #textureColumn: number | undefined;
  readonly #textures: GrowingArray<Uint32Array<ArrayBuffer>> | undefined;
  #face = 0;

  constructor(element: PlyElement, context: FaceContext) {
    const indexList = listColumn(element, INDEX_LISTS);
    if (indexList === undefined) throw refused(`its element '${element.name}' has no list vertex_indices.`);
    checkLimit('unpackedBytes', element.count * TRIANGLE_BYTES, context.limits);
    this.#context = context;
    this.#indexList = indexList;
    this.#triangles = new TriangleList(element.count, context.positions);
    this.#texcoordList = listColumn(element, ['texcoord']);
    if (this.#texcoordList !== undefined) {
      this.#texcoords = new GrowingArray((length) => new Float32Array(length), 6 * element.count);
    }
    this.#textureColumn = column(element, 'texnumber');
    if (this.#textureColumn !== undefined) {
      this.#textures = new GrowingArray((length) => new Uint32Array(length), element.count);
    }
    const colors = context.wantsColors ? colorLayout(element) : undefined;
    if (colors !== undefined) {
      this.#colors = new PlyColors(colors, element.count, context.encode);
      this.#faces = new GrowingArray((length) => new Uint32Array(length), element.count);
    }
  }

  get skipped(): number {
    return this.#triangles.skipped;
  }

  get isEmpty(): boolean {
    return this.#triangles.length === 0;
  }

  get indices(): Uint32Array<ArrayBuffer> {
    return this.#triangles.indices;
  }

  /** Which of the header's textures each triangle has; undefined where faces do not say. */
  get textures(): Uint32Array<ArrayBuffer> | undefined {
    return this.#textures?.values;
  }

  addPolygon(row: PlyRow): void {
    const polygon = row.lists[this.#indexList] ?? [];
    for (const vertex of polygon) this.#check(vertex, row);
    const texcoords = this.#texcoordList === undefined ? [] : (row.lists[this.#texcoordList] ?? []);
    const before = this.#triangles.length;
    this.#add(polygon, texcoords);
    const texture = this.#textureColumn === undefined ? 0 : (row.values[this.#textureColumn] ?? 0);
    for (let i = before; i < this.#triangles.length; i += 3) this.#textures?.push(texture);
    this.#colors?.add(row.values);
    this.#face += 1;
  }

  /** Strips that an index of -1 ends. */
  addStrips(row: PlyRow): void {
    const strips = row.lists[this.#indexList] ?? [];
    let first = 0;
    for (const [i, vertex] of strips.entries()) {
      if (vertex === -1) first = i + 1;
      else {
        this.#check(vertex, row);
        const [a = 0, b = 0] = strips.slice(Math.max(first, i - 2), i);
        if (i - first >= 2) this.#add((i - first) % 2 === 0 ? [a, b, vertex] : [b, a, vertex], []);
      }
    }
  }

  /** What belongs to the corners of triangles; undefined where nothing does. */
  corners():
    | { colors: Uint8Array<ArrayBuffer> | undefined; texcoords: Float32Array<ArrayBuffer> | undefined }
    | undefined {
    const faceColors = this.#colors?.finish();
    const texcoords = this.#texcoords?.values;
    if (faceColors === undefined && texcoords === undefined) return undefined;
    checkLimit('vertices', this.indices.length, this.#context.limits);
    return { colors: faceColors && spreadFaceColors(faceColors, this.#faces?.values ?? new Uint32Array(0)), texcoords };
  }

  #add(polygon: readonly number[], texcoords: readonly number[]): void {
    const before = this.#triangles.length;
    this.#triangles.add(polygon, (corner) => {
      if (this.#texcoords) pushTexcoord(this.#texcoords, texcoords[2 * corner], texcoords[2 * corner + 1]);
    });
    if (this.#faces) for (let i = before; i < this.#triangles.length; i += 3) this.#faces.push(this.#face);
  }

  #check(vertex: number, { where }: PlyRow): void {
    const { vertices } = this.#context;
    if (vertex >= 0 && vertex < vertices && Number.isInteger(vertex)) return;
    throw refused(`${where()}: face refers to vertex ${vertex}, but there are ${vertices} (from 0 on).`);
  }
}

const pair = new Float32Array(2);

function pushTexcoord(into: GrowingArray<Float32Array<ArrayBuffer>>, u?: number, v?: number): void {
  setTexcoord(pair, 0, u, v);
  into.push(pair[0] ?? 0);
  into.push(pair[1] ?? 0);
}
