import type { ModelFile } from '../model-file.ts';
import { BinaryFile } from '../reading/binary-file.ts';
import { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import type { PlyElement, PlyHeader, PlyProperty } from './ply-header.ts';

/** The values of one element, one for each of its properties; of a list, how many it has. */
export interface PlyRow {
  readonly values: Float64Array;
  /** The values of a property that is a list, as many as `values` says. */
  readonly lists: readonly number[][];
  /** Where it stands, for messages. */
  readonly where: () => string;
}

/** The elements of a PLY file in their order, row by row. */
export interface PlyRows {
  /**
   * Hands each row of the next element to `visit`.
   * @throws ConversionError `input_refused` where there are fewer
   */
  read(element: PlyElement, visit: (row: PlyRow) => void): Promise<void>;
}

export function plyRows(file: ModelFile, header: PlyHeader): PlyRows {
  return header.encoding === 'ascii' ? new TextRows(file, header) : new BinaryRows(file, header);
}

class TextRows implements PlyRows {
  readonly #lines: LineFile;

  constructor(file: ModelFile, { bytes, lines, newline }: PlyHeader) {
    this.#lines = new LineFile(file, { newline }, bytes, lines);
  }

  async read(element: PlyElement, visit: (row: PlyRow) => void): Promise<void> {
    const lines = this.#lines;
    if (element.properties.length === 0) return;
    const row = emptyRow(element, () => `line ${lines.line}`);
    for (let i = 0; i < element.count; i += 1) {
      if (!lines.advance() && !(await lines.more())) throw cutOff(element, i, `line ${lines.line}`);
      for (const [at, property] of element.properties.entries()) this.#readProperty(row, at, property, element);
      visit(row);
    }
  }

  #readProperty(row: PlyRow, at: number, property: PlyProperty, element: PlyElement): void {
    const list = row.lists[at];
    // Some programs leave out a list that is empty, with its count.
    const isLeftOut = property.countType !== undefined && !this.#lines.hasMore;
    const value = isLeftOut ? 0 : this.#number(property, element);
    row.values[at] = value;
    if (property.countType === undefined || list === undefined) return;
    if (!Number.isInteger(value) || value < 0) {
      throw this.#lines.refuse(`${value} is no count of the values of '${property.name}'.`);
    }
    list.length = 0;
    for (let i = 0; i < value; i += 1) list.push(this.#number(property, element));
  }

  #number({ name }: PlyProperty, element: PlyElement): number {
    const number = this.#lines.number();
    if (number === undefined) throw this.#lines.refuse(`the ${element.name} ends before its '${name}'.`);
    return number;
  }
}

class BinaryRows implements PlyRows {
  readonly #input: BinaryFile;
  readonly #isLittle: boolean;
  /** Of the row that has been decoded, in bytes. */
  #length = 0;

  constructor(file: ModelFile, { bytes, encoding }: PlyHeader) {
    this.#input = new BinaryFile(file, bytes);
    this.#isLittle = encoding === 'binary_little_endian';
  }

  async read(element: PlyElement, visit: (row: PlyRow) => void): Promise<void> {
    const input = this.#input;
    if (element.properties.length === 0) return;
    const least = element.properties.reduce((sum, { type, countType }) => sum + (countType ?? type).bytes, 0);
    const row = emptyRow(element, () => `byte ${input.position}`);
    for (let i = 0; i < element.count; i += 1) {
      if (!input.has(least)) await this.#need(least, element, i);
      // Lists make rows longer than their least, as only their counts tell.
      for (let bytes = this.#decode(element, row); !input.has(bytes); bytes = this.#decode(element, row)) {
        await this.#need(bytes, element, i);
      }
      visit(row);
      input.skip(this.#length);
    }
  }

  /** Decodes the row that comes next as far as it has been read; says how many bytes it takes at least, exactly where it has them. */
  #decode({ properties }: PlyElement, row: PlyRow): number {
    const { view, start } = this.#input;
    let at = start;
    for (let i = 0; i < properties.length; i += 1) {
      const property = properties[i];
      if (property === undefined) continue;
      const { type, countType } = property;
      const scalar = countType ?? type;
      if (!this.#input.has(at + scalar.bytes - start)) return at + scalar.bytes - start;
      const value = scalar.read(view, at, this.#isLittle);
      row.values[i] = value;
      at += scalar.bytes;
      if (countType === undefined) continue;
      if (value < 0)
        throw refused(`byte ${this.#input.position}: ${value} is no count of the values of '${property.name}'.`);
      const end = at + value * type.bytes;
      if (!this.#input.has(end - start)) return end - start;
      const list = row.lists[i] ?? [];
      list.length = 0;
      for (; at < end; at += type.bytes) list.push(type.read(view, at, this.#isLittle));
    }
    this.#length = at - start;
    return this.#length;
  }

  async #need(bytes: number, element: PlyElement, i: number): Promise<void> {
    await this.#input.need(bytes, `${element.name} ${i + 1} of ${element.count}`);
  }
}

function emptyRow({ properties }: PlyElement, where: () => string): PlyRow {
  return { values: new Float64Array(properties.length), lists: properties.map(() => []), where };
}

function cutOff({ name, count }: PlyElement, read: number, where: string): Error {
  return refused(`the file was cut off: it ends with ${where}, after ${read} of ${count} of '${name}'.`);
}
