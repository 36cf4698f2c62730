import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import { isPlaced, Positions } from '../geometry/positions.ts';
import type { ModelFile } from '../model-file.ts';
import { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import { inUtf8 } from '../reading/text-encoding.ts';
import type { WarningCode } from '../warning-codes.ts';
import { type Corner, ObjPart, type ObjVertices, type PartKind, type PartLook } from './obj-geometry.ts';

export interface ObjModel {
  readonly vertices: ObjVertices;
  /** Red, green and blue of each position; undefined where none has any. */
  readonly colors: Float32Array<ArrayBuffer> | undefined;
  /** By the name of their object or group. */
  readonly objects: ReadonlyMap<string, readonly ObjPart[]>;
  /** What is said of the program that wrote it, in a comment at the top. */
  readonly generator: string;
  /** What was left out of it. */
  readonly warnings: readonly ConversionWarning[];
}

/** Bytes that the shortest line of a position has. */
const SHORTEST_POSITION = 8;

/**
 * Reads an OBJ line by line. Free-form curves and surfaces are left out.
 * @throws ConversionError `input_refused` with the line that is wrong, `limit`
 */
export async function readObj(file: ModelFile, limits: WorkLimits): Promise<ObjModel> {
  const text = await inUtf8(file);
  const reader = new ObjReader(text, limits);
  await reader.read();
  return reader.finish(await generatorOf(text));
}

const elements: Readonly<Record<string, PartKind>> = { f: 'triangles', fo: 'triangles', l: 'lines', p: 'points' };

class ObjReader {
  readonly #lines: LineFile;
  readonly #limits: WorkLimits;
  readonly #vertices: ObjVertices;
  readonly #colors = floats();
  /** Of the colours that have lines of their own. */
  readonly #colorLines = floats();
  readonly #objects = new Map<string, ObjPart[]>();
  readonly #row = new Float64Array(7);
  #object = '';
  #material = '';
  /** Number of the group whose faces are smooth where they meet; 0 for none. */
  #smoothing = 0;
  #parts = new Map<string, ObjPart>();
  #partCount = 0;
  #elements = 0;
  #shown = 0;
  /** Faces and lines with too few corners. */
  #skipped = 0;
  #freeForms = 0;

  constructor(file: ModelFile, limits: WorkLimits) {
    this.#lines = new LineFile(file, { comments: '#' });
    this.#limits = limits;
    const positions = new Positions(Math.ceil(file.size / SHORTEST_POSITION) + 1);
    this.#vertices = { positions, texcoords: floats(), normals: floats() };
  }

  async read(): Promise<void> {
    const lines = this.#lines;
    while (lines.advance() || (await lines.more())) {
      const word = lines.word();
      const kind = elements[word];
      if (kind !== undefined) await this.#addElement(kind, word);
      else this.#readers[word]?.();
    }
  }

  /** What is done with a line by its first word; all others say nothing of looks or shape. */
  readonly #readers: Readonly<Record<string, () => void>> = {
    v: () => this.#addPosition(),
    vt: () => this.#addRow(this.#vertices.texcoords, 2, 1),
    vn: () => this.#addRow(this.#vertices.normals, 3, 3),
    vc: () => this.#addRow(this.#colorLines, 3, 3),
    o: () => this.#startObject(this.#lines.restOfLine()),
    g: () => this.#startObject(this.#lines.restOfLine()),
    s: () => {
      this.#smoothing = Number.parseInt(this.#lines.word(), 10) || 0;
    },
    usemtl: () => {
      this.#material = this.#lines.restOfLine();
    },
    curv: () => this.#passOverFreeForm(),
    surf: () => this.#passOverFreeForm(),
  };

  finish(generator: string): ObjModel {
    const { positions } = this.#vertices;
    if (positions.count === 0) throw refused('it has no vertices: there is nothing to render.');
    if (this.#elements === 0) this.#showPoints();
    const warnings = [
      ...positions.warnings(this.#shown > 0),
      ...warnOf('faces_without_area', 'Faces with too few corners left out', 'faces', this.#skipped),
      ...warnOf('free_forms_left_out', 'Free-form curves and surfaces left out', 'elements', this.#freeForms),
    ];
    return { vertices: this.#vertices, colors: this.#colorsOfAll(), objects: this.#objects, generator, warnings };
  }

  #colorsOfAll(): Float32Array<ArrayBuffer> | undefined {
    if (this.#colors.length > 0) return this.#colors.values;
    if (this.#colorLines.length === 0) return undefined;
    const colors = new Float32Array(3 * this.#vertices.positions.count).fill(1);
    colors.set(this.#colorLines.values.subarray(0, colors.length));
    return colors;
  }

  readonly #where = () => `line ${this.#lines.line}`;

  #addPosition(): void {
    const { positions } = this.#vertices;
    const count = this.#readNumbers();
    if (count < 3) throw this.#lines.refuse(`a vertex has ${count} coordinates instead of 3.`);
    const row = this.#row;
    positions.add(row[0] ?? 0, row[1] ?? 0, row[2] ?? 0, this.#where);
    checkLimit('vertices', positions.count, this.#limits);
    if (count >= 6) this.#addColor(row[3] ?? 1, row[4] ?? 1, row[5] ?? 1);
    else if (this.#colors.length > 0) this.#addColor(1, 1, 1);
  }

  /** Colours are an addition of some programs; vertices before the first that has one are white. */
  #addColor(red: number, green: number, blue: number): void {
    const { count } = this.#vertices.positions;
    while (this.#colors.length < 3 * (count - 1)) this.#colors.push(1);
    for (const value of [red, green, blue]) this.#colors.push(value);
  }

  #addRow(into: GrowingArray<Float32Array<ArrayBuffer>>, size: number, least: number): void {
    const count = this.#readNumbers();
    if (count < least) throw this.#lines.refuse(`${count} numbers instead of ${size}.`);
    for (let i = 0; i < size; i += 1) {
      const value = i < count ? (this.#row[i] ?? 0) : 0;
      into.push(Number.isFinite(value) ? value : 0);
    }
  }

  #readNumbers(): number {
    const row = this.#row;
    for (let i = 0; i < row.length; i += 1) {
      const number = this.#readNumber();
      if (number === undefined) return i;
      row[i] = number;
    }
    return row.length;
  }

  /** Numbers as C's library reads them: as far as they make sense. */
  #readNumber(): number | undefined {
    try {
      return this.#lines.number();
    } catch (error) {
      const number = Number.parseFloat(this.#lines.word());
      if (Number.isNaN(number)) throw error;
      return number;
    }
  }

  async #addElement(kind: PartKind, word: string): Promise<void> {
    const corners = await this.#readCorners();
    if (corners.length === 0) throw this.#lines.refuse(`'${word}' without any vertices.`);
    this.#elements += 1;
    const least = { triangles: 3, lines: 2, points: 1 }[kind];
    if (corners.length < least) {
      this.#skipped += 1;
      return;
    }
    const { hasLost, values } = this.#vertices.positions;
    if (hasLost && !corners.every(([position]) => isPlaced(values, position))) return;
    this.#shown += 1;
    const part = this.#partOf(kind, kind === 'triangles' && corners.every(hasNoNormal) ? this.#smoothing : 0);
    if (kind === 'triangles') part.addPolygon(corners);
    else if (kind === 'lines') part.addLine(corners);
    else part.addPoints(corners);
  }

  /** A backslash at the end of a line continues it. */
  async #readCorners(): Promise<Corner[]> {
    const lines = this.#lines;
    const corners: Corner[] = [];
    for (let word = lines.word(); word !== ''; word = lines.word()) {
      if (word === '\\' && !lines.hasMore) {
        if (!(lines.advance() || (await lines.more()))) break;
      } else corners.push(this.#parseCorner(word));
    }
    return corners;
  }

  #parseCorner(word: string): Corner {
    const [v = '', vt = '', vn = ''] = word.split('/');
    const { positions, texcoords, normals } = this.#vertices;
    const position = this.#indexOf(v, positions.count, 'vertex', 'vertices');
    // What refers to texture coordinates or normals that are not there does without.
    const texcoord = indexWithin(vt, texcoords.length / 2);
    const normal = indexWithin(vn, normals.length / 3);
    return [position, texcoord, normal];
  }

  #indexOf(word: string, count: number, one: string, many: string): number {
    const index = indexWithin(word, count);
    if (index >= 0) return index;
    throw this.#lines.refuse(`'${word}' refers to a ${one} that is not there: there are ${count} ${many} so far.`);
  }

  #partOf(kind: PartKind, smoothing = 0): ObjPart {
    const key = keyOf({ kind, smoothing, material: this.#material });
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const part = new ObjPart({ kind, smoothing, material: this.#material }, this.#vertices, this.#limits);
    this.#parts.set(key, part);
    const parts = this.#objects.get(this.#object);
    if (parts === undefined) this.#objects.set(this.#object, [part]);
    else parts.push(part);
    this.#partCount += 1;
    checkLimit('nodes', this.#partCount, this.#limits);
    return part;
  }

  #startObject(name: string): void {
    if (name === this.#object) return;
    this.#object = name;
    this.#parts = new Map((this.#objects.get(name) ?? []).map((part) => [keyOf(part), part]));
  }

  #passOverFreeForm(): void {
    this.#freeForms += 1;
  }

  /** A file of vertices alone is a point cloud, unless they are what curves are bent by. */
  #showPoints(): void {
    if (this.#freeForms > 0) throw refused(ONLY_FREE_FORMS);
    const part = this.#partOf('points');
    const { count, values } = this.#vertices.positions;
    for (let i = 0; i < count; i += 1) {
      if (!isPlaced(values, i)) continue;
      part.addPoints([[i, -1, -1]]);
      this.#shown += 1;
    }
  }
}

const ONLY_FREE_FORMS =
  'it has only free-form curves and surfaces, which cannot be shown. Export it with polygons instead.';

function keyOf({ kind, smoothing, material }: PartLook): string {
  return `${kind} ${smoothing} ${material}`;
}

function hasNoNormal([, , normal]: Corner): boolean {
  return normal < 0;
}

function warnOf(code: WarningCode, title: string, what: string, count: number): ConversionWarning[] {
  return count === 0 ? [] : [{ code, title, details: { [what]: String(count) } }];
}

/** Counted from 1, or backwards from the last where it is negative; -1 where there is none of that number. */
function indexWithin(word: string, count: number): number {
  const number = Number(word);
  if (word === '' || !Number.isInteger(number)) return -1;
  const index = number < 0 ? count + number : number - 1;
  return index >= 0 && index < count ? index : -1;
}

function floats(): GrowingArray<Float32Array<ArrayBuffer>> {
  return new GrowingArray((length) => new Float32Array(length), 192);
}

async function generatorOf(file: ModelFile): Promise<string> {
  const head = Buffer.from(await file.read(0, 512)).toString('utf8');
  const first = /^\s*#+\s*(.*\S)\s*$/m.exec(head)?.[1] ?? '';
  return /blender|maya|3ds ?max|wings|rhino|meshlab|zbrush|sketchup|exported|created/i.test(first)
    ? first.slice(0, 200)
    : '';
}
