import type { ModelFile } from '../model-file.ts';
import { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import { type ScalarType, scalarType } from './scalar-types.ts';

export type PlyEncoding = 'ascii' | 'binary_little_endian' | 'binary_big_endian';

export interface PlyProperty {
  readonly name: string;
  /** Of a value, or of each of a list. */
  readonly type: ScalarType;
  /** Of the number of values; only lists have one. */
  readonly countType: ScalarType | undefined;
}

export interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: PlyProperty[];
}

export interface PlyHeader {
  readonly encoding: PlyEncoding;
  readonly version: string;
  readonly elements: readonly PlyElement[];
  readonly comments: readonly string[];
  /** Where the data begins: bytes from the start of the file, and lines. */
  readonly bytes: number;
  readonly lines: number;
  readonly newline: '\n' | '\r';
}

const MOST_LINES = 10_000;

export function isPly(head: Uint8Array): boolean {
  return /^ply[\r\n\t ]/.test(Buffer.from(head.subarray(0, 4)).toString('latin1'));
}

/** @throws ConversionError `input_refused` for a header that does not say what follows it */
export async function readPlyHeader(file: ModelFile): Promise<PlyHeader> {
  const head = Buffer.from(await file.read(0, 256)).toString('latin1');
  const newline = /^ply[\t ]*\r(?!\n)/.test(head) ? '\r' : '\n';
  const lines = new LineFile(file, { newline });
  const header = new HeaderReader();
  while (lines.advance() || (await lines.more())) {
    if (lines.line > MOST_LINES) throw refused(`its header has no end within ${MOST_LINES} lines.`);
    if (header.read(lines.word(), lines)) {
      return { ...header.finish(), bytes: lines.position, lines: lines.line, newline };
    }
  }
  throw refused(`the file was cut off: it ends with line ${lines.line}, within the header.`);
}

/** The images that a header's comments name, as MeshLab writes them. */
export function textureFiles(comments: readonly string[]): string[] {
  return comments.flatMap((comment) => /^TextureFile\s+(.+)$/i.exec(comment)?.[1] ?? []);
}

class HeaderReader {
  #format: { encoding: PlyEncoding; version: string } | undefined;
  readonly #elements: PlyElement[] = [];
  readonly #comments: string[] = [];

  /** True at the end of the header. */
  read(keyword: string, lines: LineFile): boolean {
    if (keyword === 'format') this.#format = readFormat(lines);
    else if (keyword === 'comment' || keyword === 'obj_info') this.#comments.push(lines.remainder());
    else if (keyword === 'element') this.#elements.push(readElement(lines));
    else if (keyword === 'property') this.#addProperty(lines);
    // Programs forget the word before their comments.
    else if (keyword !== 'end_header') this.#comments.push(`${keyword} ${lines.remainder()}`);
    return keyword === 'end_header';
  }

  finish(): Pick<PlyHeader, 'encoding' | 'version' | 'elements' | 'comments'> {
    if (this.#format === undefined) throw refused('its header has no format.');
    return { ...this.#format, elements: this.#elements, comments: this.#comments };
  }

  #addProperty(lines: LineFile): void {
    const element = this.#elements.at(-1);
    if (element === undefined) throw lines.refuse('a property comes before the first element.');
    element.properties.push(readProperty(lines));
  }
}

function readFormat(lines: LineFile): { encoding: PlyEncoding; version: string } {
  const [encoding, version] = [lines.word(), lines.word()];
  if (encoding !== 'ascii' && encoding !== 'binary_little_endian' && encoding !== 'binary_big_endian') {
    throw lines.refuse(`the format '${encoding}' is none of PLY's (ascii, binary_little_endian, binary_big_endian).`);
  }
  return { encoding, version };
}

function readElement(lines: LineFile): PlyElement {
  const [name, written] = [lines.word(), lines.word()];
  const count = Number(written);
  if (!/^\d+$/.test(written) || !Number.isSafeInteger(count)) {
    throw lines.refuse(`'${written}' is no count of the element '${name}'.`);
  }
  return { name, count, properties: [] };
}

function readProperty(lines: LineFile): PlyProperty {
  const first = lines.word();
  const countType = first === 'list' ? typeNamed(lines.word(), lines) : undefined;
  if (countType?.isFloat === true) throw lines.refuse('a list is counted by whole numbers.');
  const type = typeNamed(first === 'list' ? lines.word() : first, lines);
  return { name: lines.word(), type, countType };
}

function typeNamed(name: string, lines: LineFile): ScalarType {
  const type = scalarType(name);
  if (type === undefined) throw lines.refuse(`'${name}' is no type of a property.`);
  return type;
}
