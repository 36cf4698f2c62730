import type { ModelFile } from '../../model-file.ts';
import { FileWindow } from '../../reading/file-window.ts';
import { refused } from '../../reading/refused.ts';
import { arrayBytes, type FbxArrayKind, type FbxFile, type FbxNode, type FbxValue, isWanted } from './fbx-node.ts';

export const HEADER_BYTES = 27;
/** From this version on, sizes have 64 bits. */
export const WIDE_VERSION = 7500;
const LONGEST_TEXT = 2 ** 16;
const DEEPEST = 64;

/** Bytes of each value by its type. */
const valueBytes: Readonly<Record<string, number>> = { Y: 2, C: 1, B: 1, I: 4, F: 4, D: 8, L: 8 };

/**
 * Walks through a binary FBX from record to record; of arrays, only the sizes are looked at.
 * @throws ConversionError `input_refused` for a file that was cut off or contradicts itself
 */
export async function readBinaryFbx(file: ModelFile): Promise<FbxFile> {
  const window = new FileWindow(file);
  const header = await window.at(0, HEADER_BYTES, 'its header');
  const version = header.getUint32(23, true);
  const walker = new Walker(window, version);
  const nodes = await walker.walk();
  return { version, isBinary: true, nodes, unpackedBytes: walker.unpackedBytes };
}

interface Open {
  readonly name: string;
  readonly end: number;
  readonly children: FbxNode[] | undefined;
}

interface Head {
  readonly start: number;
  readonly name: string;
  /** How many there are, and where they end. */
  readonly values: number;
  readonly valuesEnd: number;
  readonly end: number;
}

class Walker {
  unpackedBytes = 0;
  readonly #window: FileWindow;
  readonly #isWide: boolean;
  #at = HEADER_BYTES;

  constructor(window: FileWindow, version: number) {
    this.#window = window;
    this.#isWide = version >= WIDE_VERSION;
  }

  async walk(): Promise<FbxNode[]> {
    const nodes: FbxNode[] = [];
    const open: Open[] = [];
    for (;;) {
      while (open.length > 0 && this.#at >= (open.at(-1)?.end ?? 0)) open.pop();
      const parent = open.at(-1);
      const record = await this.#readHead(parent);
      if (record !== undefined) open.push(await this.#readRecord(record, open, nodes));
      else if (parent === undefined) return nodes;
      else this.#at = parent.end;
      if (open.length > DEEPEST) throw this.#damaged(`its records are nested more than ${DEEPEST} deep`);
    }
  }

  async #readRecord(record: Head, open: readonly Open[], nodes: FbxNode[]): Promise<Open> {
    const { name, start, end } = record;
    const wanted = isWanted([...open.map((parent) => parent.name), name]);
    const values = await this.#readValues(record.values, record.valuesEnd, wanted);
    if (!wanted) return { name, end, children: undefined };
    const children: FbxNode[] = [];
    (open.at(-1)?.children ?? nodes).push({ name, values, children, start, end });
    return { name, end, children };
  }

  /** Undefined where a list of records ends. */
  async #readHead(parent: Open | undefined): Promise<Head | undefined> {
    const start = this.#at;
    const fieldBytes = this.#isWide ? 8 : 4;
    const headBytes = 3 * fieldBytes + 1;
    // Some programs write no end of the last list.
    if (parent === undefined && start >= this.#window.size && start > HEADER_BYTES) return undefined;
    const head = await this.#window.at(start, headBytes, 'a record');
    const field = (i: number) => (this.#isWide ? Number(head.getBigUint64(8 * i, true)) : head.getUint32(4 * i, true));
    const [end, values, length] = [field(0), field(1), field(2)];
    const nameBytes = head.getUint8(headBytes - 1);
    this.#at = start + headBytes;
    if (end === 0) return undefined;
    const valuesEnd = this.#at + nameBytes + length;
    if (end > this.#window.size) throw this.#cutOff(start, end);
    if (valuesEnd > end || end > (parent?.end ?? end))
      throw this.#damaged(`the record at byte ${start} is longer than what it lies in`);
    const name = await this.#window.text(this.#at, nameBytes);
    this.#at += nameBytes;
    return { start, name, values, valuesEnd, end };
  }

  async #readValues(count: number, end: number, wanted: boolean): Promise<FbxValue[]> {
    const values: FbxValue[] = [];
    for (let i = 0; i < count && this.#at < end; i += 1) {
      const type = await this.#window.text(this.#at, 1);
      this.#at += 1;
      const value = await this.#readValue(type, end, wanted);
      if (wanted) values.push(value);
    }
    this.#at = end;
    return values;
  }

  async #readValue(type: string, end: number, wanted: boolean): Promise<FbxValue> {
    const start = this.#at;
    const size = valueBytes[type];
    if (size !== undefined) {
      this.#at += size;
      return wanted ? readNumber(type, await this.#window.at(start, size, 'a value')) : 0;
    }
    if (isArrayKind(type)) {
      const itemBytes = arrayBytes[type];
      const head = await this.#window.at(start, 12, 'an array');
      const count = head.getUint32(0, true);
      const isPacked = head.getUint32(4, true) === 1;
      const packed = isPacked ? head.getUint32(8, true) : count * itemBytes;
      this.#at += 12 + packed;
      if (this.#at > end)
        throw this.#damaged(`the array at byte ${start} has ${count} values, more than its record holds`);
      this.unpackedBytes += count * itemBytes;
      return { bytes: packed, at: start + 12, kind: type, count, isPacked };
    }
    if (type !== 'S' && type !== 'R') throw this.#damaged(`the value at byte ${start - 1} has an unknown type`);
    const length = (await this.#window.at(start, 4, 'a text')).getUint32(0, true);
    this.#at += 4 + length;
    if (this.#at > end) throw this.#damaged(`the text at byte ${start} is longer than its record`);
    if (type === 'R' || !wanted) return { bytes: length, at: start + 4, kind: 'raw' };
    return await this.#window.text(start + 4, Math.min(length, LONGEST_TEXT));
  }

  #cutOff(start: number, end: number): Error {
    return refused(
      `the FBX was cut off or is damaged: the record at byte ${start} should end at byte ${end}, but the file has ${this.#window.size}.`,
    );
  }

  #damaged(what: string): Error {
    return refused(`the FBX is damaged: ${what}.`);
  }
}

function isArrayKind(type: string): type is FbxArrayKind {
  return Object.hasOwn(arrayBytes, type);
}

function readNumber(type: string, view: DataView): number {
  if (type === 'Y') return view.getInt16(0, true);
  if (type === 'I') return view.getInt32(0, true);
  if (type === 'F') return view.getFloat32(0, true);
  if (type === 'D') return view.getFloat64(0, true);
  return type === 'L' ? Number(view.getBigInt64(0, true)) : view.getUint8(0);
}
