import { HEADER_BYTES, WIDE_VERSION } from './fbx-binary.ts';
import type { FbxFile, FbxNode } from './fbx-node.ts';

/** A record that is to be written: a new one, or an object that is there once more, with its changes and a number of its own. */
type Addition = NewRecord | { readonly copyOf: FbxNode; readonly id: number };

/** Numbers of objects are bigints, and times longs. */
export interface NewRecord {
  readonly name: string;
  readonly values: readonly NewValue[];
  readonly children?: readonly NewRecord[];
}

type NewValue = string | number | bigint | Float64Array | Int32Array | BigInt64Array;

interface Edit {
  readonly end: number;
  readonly before: Addition[];
  isDropped: boolean;
}

/** Changes of single records of an FBX, which leave all others as they are. */
export class FbxEdits {
  readonly #edits = new Map<number, Edit>();

  get isEmpty(): boolean {
    return this.#edits.size === 0;
  }

  /** True for a record that is changed already. */
  has({ start }: FbxNode): boolean {
    return this.#edits.has(start);
  }

  insertBefore(node: FbxNode, record: Addition): void {
    this.#at(node).before.push(record);
  }

  drop(node: FbxNode): void {
    this.#at(node).isDropped = true;
  }

  replace(node: FbxNode, record: NewRecord): void {
    this.insertBefore(node, record);
    this.drop(node);
  }

  /** The file with its changes. */
  apply(file: Uint8Array, { isBinary, version }: FbxFile): Uint8Array {
    if (this.isEmpty) return file;
    return isBinary ? new BinaryCopy(file, version, this.#edits).write() : writeText(file, this.#edits);
  }

  #at({ start, end }: FbxNode): Edit {
    const edit = this.#edits.get(start) ?? { end, before: [], isDropped: false };
    this.#edits.set(start, edit);
    return edit;
  }
}

function writeText(file: Uint8Array, edits: ReadonlyMap<number, Edit>): Uint8Array {
  const sorted = [...edits].sort(([a], [b]) => a - b);
  const range = (from: number, to: number): Uint8Array => {
    const parts: Uint8Array[] = [];
    let at = from;
    for (const [start, { end, before, isDropped }] of sorted.filter(([start]) => start >= from && start < to)) {
      parts.push(file.subarray(at, start), ...before.map(added));
      at = isDropped ? end : start;
    }
    return Buffer.concat([...parts, file.subarray(at, to)]);
  };
  const added = (record: Addition): Uint8Array => {
    if (!('copyOf' in record)) return Buffer.from(recordText(record));
    const { start, end } = record.copyOf;
    const lineEnd = file.indexOf('\n'.charCodeAt(0), start) + 1;
    const line = Buffer.from(file.subarray(start, lineEnd)).toString('latin1');
    const renamed = line.replace(/-?\d+/, String(record.id));
    return Buffer.concat([Buffer.from(renamed, 'latin1'), range(lineEnd, end), Buffer.from('\n')]);
  };
  return range(0, file.length);
}

function recordText({ name, values, children }: NewRecord): string {
  const [first] = values;
  if (typeof first === 'object') return `${name}: *${first.length} {\na: ${first.join(',')}\n}\n`;
  const list = values.map((value) => (typeof value === 'string' ? `"${value}"` : String(value))).join(', ');
  return children === undefined ? `${name}: ${list}\n` : `${name}: ${list} {\n${children.map(recordText).join('')}}\n`;
}

/** Every record says where it ends in the file, so that all behind a change are written anew. */
class BinaryCopy {
  readonly #file: Buffer;
  readonly #edits: ReadonlyMap<number, Edit>;
  readonly #isWide: boolean;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(file: Uint8Array, version: number, edits: ReadonlyMap<number, Edit>) {
    this.#file = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
    this.#edits = edits;
    this.#isWide = version >= WIDE_VERSION;
  }

  write(): Uint8Array {
    this.#put(this.#file.subarray(0, HEADER_BYTES));
    const end = this.#copyList(HEADER_BYTES, this.#file.length);
    this.#put(this.#file.subarray(end));
    return Buffer.concat(this.#parts);
  }

  /** Copies records up to the empty one that ends their list, and tells where that is. */
  #copyList(start: number, end: number): number {
    let at = start;
    while (at + this.#headBytes(0) <= end) {
      const recordEnd = this.#field(at, 0);
      if (recordEnd <= at) return at;
      const edit = this.#edits.get(at);
      for (const record of edit?.before ?? []) {
        if ('copyOf' in record) this.#copy(record.copyOf.start, record.copyOf.end, record.id);
        else this.#write(record);
      }
      if (edit?.isDropped !== true) this.#copy(at, recordEnd);
      at = recordEnd;
    }
    return at;
  }

  /** @param id instead of the first value, the number of an object */
  #copy(start: number, end: number, id?: number): void {
    const nameBytes = this.#file[start + this.#headBytes(0) - 1] ?? 0;
    const valuesEnd = start + this.#headBytes(nameBytes) + this.#field(start, 2);
    const head = Buffer.from(this.#file.subarray(start, start + this.#headBytes(nameBytes)));
    this.#put(head);
    const values = Buffer.from(this.#file.subarray(start + head.length, valuesEnd));
    if (id !== undefined && values.length >= 9) values.writeBigInt64LE(BigInt(id), 1);
    this.#put(values);
    if (valuesEnd < end) this.#put(this.#file.subarray(this.#copyList(valuesEnd, end), end));
    this.#setField(head, 0, this.#length);
  }

  #write({ name, values, children }: NewRecord): void {
    const head = Buffer.alloc(this.#headBytes(name.length));
    const encoded = Buffer.concat(values.map(encode));
    this.#setField(head, 1, values.length);
    this.#setField(head, 2, encoded.length);
    head.write(name, head.length - name.length, 'latin1');
    head[head.length - name.length - 1] = name.length;
    this.#put(head);
    this.#put(encoded);
    for (const child of children ?? []) this.#write(child);
    if (children !== undefined) this.#put(Buffer.alloc(this.#headBytes(0)));
    this.#setField(head, 0, this.#length);
  }

  #put(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  #headBytes(nameBytes: number): number {
    return (this.#isWide ? 25 : 13) + nameBytes;
  }

  #field(at: number, i: number): number {
    return this.#isWide ? Number(this.#file.readBigUInt64LE(at + 8 * i)) : this.#file.readUInt32LE(at + 4 * i);
  }

  #setField(head: Buffer, i: number, value: number): void {
    if (this.#isWide) head.writeBigUInt64LE(BigInt(value), 8 * i);
    else head.writeUInt32LE(value, 4 * i);
  }
}

function encode(value: NewValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([Buffer.from('S'), unsigned(text.length), text]);
  }
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(9, 'L');
    bytes.writeBigInt64LE(value, 1);
    return bytes;
  }
  if (typeof value === 'number') return Buffer.concat([Buffer.from('I'), unsigned(value)]);
  const type = value instanceof Float64Array ? 'd' : value instanceof Int32Array ? 'i' : 'l';
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.concat([Buffer.from(type), unsigned(value.length), unsigned(0), unsigned(bytes.length), bytes]);
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
