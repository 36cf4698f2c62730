import type { Accessor, Document, vec3 } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { CornerTable } from './corner-table.ts';
import { type DaeCorners, primitiveNames, readCorners } from './dae-corners.ts';
import type { DaeElement } from './dae-element.ts';
import { component, type DaeInput, type DaeSource, readInputs, readSource, widthOf } from './dae-source.ts';

/** What a geometry shows with one material. */
export interface DaePart {
  /** Its material's name here; every use of the geometry says which is meant. */
  readonly symbol: string;
  readonly kind: DaeCorners['kind'];
  /** By glTF's name for it. */
  readonly attributes: ReadonlyMap<string, Accessor>;
  readonly indices: Accessor;
  /** Which position each vertex has. */
  readonly vertices: Uint32Array;
  /** The number of each set of texture coordinates, in the order of glTF's numbers. */
  readonly sets: readonly number[];
}

export interface DaeGeometry {
  readonly name: string;
  readonly parts: readonly DaePart[];
  readonly positions: DaeSource;
  /** Where the parts' zero lies. */
  readonly origin: vec3;
}

type AccessorArray = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Coordinates from which on 32 bits are worth less than half a thousandth. */
const FAR = 4096;
const MOST_SETS = 4;

/** Makes what glTF's meshes consist of, of each geometry once. */
export class DaeGeometries {
  readonly warnings: ConversionWarning[] = [];
  readonly #document: Document;
  readonly #limits: WorkLimits;
  readonly #made = new Map<DaeElement, DaeGeometry | undefined>();
  #vertices = 0;

  constructor(document: Document, limits: WorkLimits) {
    this.#document = document;
    this.#limits = limits;
  }

  /**
   * Undefined for a geometry of a kind that has no mesh, or none with positions.
   * @throws ConversionError `input_refused`, `limit`
   */
  get(element: DaeElement): DaeGeometry | undefined {
    if (!this.#made.has(element)) this.#made.set(element, this.#make(element));
    return this.#made.get(element);
  }

  /** In the document's buffer. */
  accessor(type: 'SCALAR' | 'VEC2' | 'VEC3' | 'VEC4', array: AccessorArray): Accessor {
    const buffer = this.#document.getRoot().listBuffers()[0] ?? null;
    return this.#document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  }

  /** @throws ConversionError `limit` where there are too many vertices in all */
  count(vertices: number): void {
    this.#vertices += vertices;
    checkLimit('vertices', this.#vertices, this.#limits);
  }

  #make(element: DaeElement): DaeGeometry | undefined {
    const mesh = element.child('mesh') ?? element.child('convex_mesh');
    if (mesh === undefined) this.#warnOfFreeForm(element);
    const vertices = mesh?.child('vertices');
    const shared = vertices === undefined ? [] : readInputs(vertices);
    const primitives = mesh?.all(...primitiveNames).filter(isUsed) ?? [];
    if (primitives.length === 0) return undefined;
    const source = shared.find(({ semantic }) => semantic === 'POSITION')?.source;
    if (source === undefined) throw (vertices ?? element).refuse('refers to no positions that are there.');
    const positions = readSource(source, 3);
    const origin = originOf(positions);
    const parts = primitives.flatMap((primitive) => {
      const inputs = readInputs(primitive).flatMap((input) =>
        input.source.name === 'vertices' ? shared.map((inner) => ({ ...inner, offset: input.offset })) : [input],
      );
      return this.#makePart({ primitive, inputs, positions, origin, name: element.title }) ?? [];
    });
    return { name: element.title, parts, positions, origin };
  }

  #makePart(job: PartJob): DaePart | undefined {
    const { primitive, inputs, positions, origin } = job;
    const position = inputs.find(({ semantic }) => semantic === 'POSITION');
    if (position === undefined) throw primitive.refuse('refers to no vertices that are there.');
    this.#warnOfMissing(job);
    const width = widthOf(primitive);
    const written = readCorners(primitive, width, (indices) => (corner, axis) => {
      return component(positions, indices[width * corner + position.offset] ?? 0, axis);
    });
    if (written.corners.length === 0) return undefined;
    const used = [position, ...['NORMAL', 'COLOR', 'TEXCOORD'].flatMap((semantic) => inputsOf(semantic, inputs))];
    const table = new CornerTable(written.indices, width, [...new Set(used.map(({ offset }) => offset))]);
    const indices = written.corners.map((corner) => table.numberOf(corner));
    this.count(table.count);
    const corners: Corners = { indices: written.indices, width, firsts: table.firsts };
    const vertices = indicesOf(corners, position.offset);
    const most = vertices.reduce((a, b) => Math.max(a, b), 0);
    if (most >= positions.count) {
      const shown = most > 2 ** 31 ? most - 2 ** 32 : most;
      throw primitive.refuse(`has a vertex ${shown}, but there are ${positions.count} positions.`);
    }
    const attributes = new Map<string, Accessor>();
    const place = (value: number, axis: number) => value - (origin[axis] ?? 0);
    attributes.set('POSITION', this.accessor('VEC3', gather(positions, vertices, 3, place)));
    if (written.kind === 'triangles') this.#add('NORMAL', attributes, 3, direction, corners, job);
    this.#add('COLOR', attributes, 3, brightness, corners, job);
    // Images begin at their lower edge here.
    const turned = (value: number, axis: number) => (axis === 1 ? 1 - finite(value) : finite(value));
    const sets = this.#add('TEXCOORD', attributes, 2, turned, corners, job);
    const symbol = primitive.get('material') ?? '';
    return { symbol, kind: written.kind, attributes, indices: this.accessor('SCALAR', indices), vertices, sets };
  }

  /** Adds what the corners have of a meaning, by its sets, whose numbers it returns. What refers to values that are not there is left out. */
  #add(
    semantic: string,
    attributes: Map<string, Accessor>,
    size: 2 | 3,
    convert: (value: number, axis: number) => number,
    corners: Corners,
    job: PartJob,
  ): number[] {
    let number = 0;
    return inputsOf(semantic, job.inputs).flatMap(({ source: element, offset, set }) => {
      const source = readSource(element, size);
      const indices = indicesOf(corners, offset);
      if (indices.some((index) => index >= source.count)) {
        this.#warn(semantic, job);
        return [];
      }
      const accessor = this.accessor(size === 2 ? 'VEC2' : 'VEC3', gather(source, indices, size, convert));
      attributes.set(semantic === 'NORMAL' ? semantic : `${semantic}_${number}`, accessor);
      number += 1;
      return [set];
    });
  }

  #warnOfMissing(job: PartJob): void {
    for (const input of job.primitive.all('input')) {
      const semantic = input.get('semantic') ?? '';
      const isShown = ['NORMAL', 'COLOR', 'TEXCOORD'].includes(semantic);
      if (isShown && input.find('source', 'source') === undefined) this.#warn(semantic, job);
    }
  }

  #warnOfFreeForm(element: DaeElement): void {
    const title = 'Free-form curves and surfaces left out';
    this.warnings.push({ code: 'free_forms_left_out', title, details: { objects: element.title } });
  }

  #warn(attribute: string, { name, primitive }: PartJob): void {
    const details = { mesh: name, attribute, line: String(primitive.line) };
    const title = 'Attribute with values that are not there left out';
    this.warnings.push({ code: 'attribute_mended', title, details });
  }
}

/** Programs write elements without a list for materials that nothing has. */
function isUsed(primitive: DaeElement): boolean {
  return primitive.children.some(
    ({ name, list }) => name === 'ph' || (name === 'p' && list !== undefined && list.length > 0),
  );
}

/** Those of a meaning that are used, by their sets. */
function inputsOf(semantic: string, inputs: readonly DaeInput[]): DaeInput[] {
  const most = semantic === 'TEXCOORD' ? MOST_SETS : 1;
  return inputs
    .filter((input) => input.semantic === semantic)
    .sort((a, b) => a.set - b.set)
    .slice(0, most);
}

/** What vertices refer to. */
interface Corners {
  readonly indices: ArrayLike<number>;
  readonly width: number;
  /** The written corner of each vertex. */
  readonly firsts: Uint32Array;
}

interface PartJob {
  readonly primitive: DaeElement;
  readonly inputs: readonly DaeInput[];
  readonly positions: DaeSource;
  readonly origin: vec3;
  readonly name: string;
}

/** Of each vertex; one below zero becomes larger than any. */
function indicesOf({ firsts, indices, width }: Corners, offset: number): Uint32Array {
  return firsts.map((corner) => indices[width * corner + offset] ?? 0);
}

function gather(
  source: DaeSource,
  indices: Uint32Array,
  size: number,
  convert: (value: number, axis: number) => number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size * indices.length);
  for (let i = 0; i < indices.length; i += 1) {
    const index = indices[i] ?? 0;
    for (let axis = 0; axis < size; axis += 1) values[size * i + axis] = convert(component(source, index, axis), axis);
  }
  return values;
}

/** Steps of a direction that nobody sees. Programs that compute directions write noise, which would keep equal vertices apart. */
const STEPS = 2 ** 16;

function direction(value: number): number {
  return Math.round(finite(value) * STEPS) / STEPS + 0;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function brightness(value: number): number {
  return value > 0 ? Math.min(1, value) : 0;
}

/** Zero in each direction in which the first position is near it. */
function originOf(positions: DaeSource): vec3 {
  const along = (axis: number) => {
    const value = positions.count > 0 ? component(positions, 0, axis) : 0;
    return Math.abs(value) >= FAR && Math.abs(value) < 2 ** 53 ? Math.round(value) : 0;
  };
  return [along(0), along(1), along(2)];
}
