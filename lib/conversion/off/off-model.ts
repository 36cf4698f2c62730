import { checkLimit } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { MeshPart } from '../geometry/build-document.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import { Positions } from '../geometry/positions.ts';
import { TriangleList } from '../geometry/triangle-list.ts';
import { brightnessEncoder, spreadFaceColors, UnscaledColors } from '../geometry/vertex-colors.ts';
import type { ImportRequest } from '../importer.ts';
import { refused } from '../reading/refused.ts';
import type { OffSyntax } from './off-header.ts';

/** Bytes that a vertex takes here at most: position, normal, texture coordinates and colour. */
const VERTEX_BYTES = 36;
/** Bytes of three indices. */
const TRIANGLE_BYTES = 12;

export interface OffCounts {
  readonly vertices: number;
  readonly faces: number;
}

/** Collects what an OFF file has, in either encoding. */
export class OffModel {
  readonly counts: OffCounts;
  readonly #syntax: OffSyntax;
  readonly #request: ImportRequest;
  readonly #positions: Positions;
  readonly #normals: Float32Array<ArrayBuffer> | undefined;
  readonly #texcoords: Float32Array<ArrayBuffer> | undefined;
  readonly #vertexColors: UnscaledColors | undefined;
  readonly #faceColors: UnscaledColors | undefined;
  readonly #triangles: TriangleList;
  /** Of each triangle. */
  readonly #faces: GrowingArray<Uint32Array<ArrayBuffer>>;
  #face = 0;
  #hasFaceColors = false;

  /** @param counts have been found to be possible in a file of its size */
  constructor(syntax: OffSyntax, counts: OffCounts, request: ImportRequest) {
    const { vertices, faces } = counts;
    if (vertices === 0) throw refused('it has no vertices: there is nothing to render.');
    checkLimit('vertices', vertices, request.limits);
    checkLimit('unpackedBytes', vertices * VERTEX_BYTES + faces * TRIANGLE_BYTES, request.limits);
    this.counts = counts;
    this.#syntax = syntax;
    this.#request = request;
    this.#positions = new Positions(vertices);
    if (syntax.hasNormals) this.#normals = new Float32Array(3 * vertices);
    if (syntax.hasTexcoords) this.#texcoords = new Float32Array(2 * vertices);
    if (syntax.hasColors) this.#vertexColors = new UnscaledColors(vertices);
    else this.#faceColors = new UnscaledColors(faces);
    this.#triangles = new TriangleList(faces, () => this.#positions.values);
    this.#faces = new GrowingArray((length) => new Uint32Array(length), faces);
  }

  /** Numbers of a vertex before its colour, which comes before its texture coordinates. */
  get leading(): number {
    return (this.#syntax.isHomogeneous ? 4 : 3) + (this.#syntax.hasNormals ? 3 : 0);
  }

  get trailing(): number {
    return this.#syntax.hasTexcoords ? 2 : 0;
  }

  /** @param color three or four numbers, or none */
  addVertex(
    leading: readonly number[],
    color: readonly number[],
    trailing: readonly number[],
    where: () => string,
  ): void {
    const i = this.#positions.count;
    const [x = 0, y = 0, z = 0, w = 1] = this.#syntax.isHomogeneous ? leading : leading.slice(0, 3);
    this.#positions.add(x / w, y / w, z / w, where);
    this.#normals?.set(leading.slice(-3), 3 * i);
    const [s = 0, t = 0] = trailing.map((value) => (Number.isFinite(Math.fround(value)) ? value : 0));
    // glTF's texture coordinates begin at the top, Geomview's at the bottom.
    this.#texcoords?.set([s, 1 - t], 2 * i);
    addColor(this.#vertexColors, color);
  }

  addFace(polygon: readonly number[], color: readonly number[], where: () => string): void {
    const { vertices } = this.counts;
    for (const vertex of polygon) {
      if (vertex >= 0 && vertex < vertices && Number.isInteger(vertex)) continue;
      throw refused(`${where()}: face refers to vertex ${vertex}, but there are ${vertices} (from 0 on).`);
    }
    const before = this.#triangles.length;
    this.#triangles.add(polygon);
    for (let i = before; i < this.#triangles.length; i += 3) this.#faces.push(this.#face);
    this.#face += 1;
    if (color.length >= 3) this.#hasFaceColors = true;
    addColor(this.#faceColors, color);
  }

  finish(): { part: MeshPart; skippedFaces: number; warnings: ConversionWarning[] } {
    const isMesh = this.#triangles.length > 0;
    const encode = brightnessEncoder(this.#request.settings);
    const part: MeshPart = {
      name: isMesh ? 'mesh' : 'points',
      kind: isMesh ? 'triangles' : 'points',
      positions: this.#positions.values,
      origin: this.#positions.origin,
      indices: isMesh ? this.#triangles.indices : undefined,
      normals: this.#normals,
      texcoords: this.#texcoords,
      colors: this.#vertexColors?.encode(encode),
      corners: isMesh && this.#hasFaceColors ? { colors: this.#cornerColors(encode) } : undefined,
    };
    return {
      part,
      skippedFaces: this.#triangles.skipped,
      warnings: this.#positions.warnings(isMesh || this.counts.faces === 0),
    };
  }

  #cornerColors(encode: (value: number) => number): Uint8Array<ArrayBuffer> | undefined {
    const colors = this.#faceColors?.encode(encode);
    if (colors === undefined) return undefined;
    checkLimit('vertices', this.#triangles.length, this.#request.limits);
    return spreadFaceColors(colors, this.#faces.values);
  }
}

/** One number is a place in a list of colours that is not in the file. */
function addColor(colors: UnscaledColors | undefined, [red, green, blue, alpha]: readonly number[]): void {
  if (red === undefined || green === undefined || blue === undefined) colors?.addNone();
  else colors?.add(red, green, blue, alpha);
}
