import { inflateSync } from 'node:zlib';
import { GrowingArray } from '../../geometry/growing-array.ts';
import { refused } from '../../reading/refused.ts';
import { arrayBytes, type FbxArrayKind, type FbxData } from './fbx-node.ts';

/** As much of a text as is taken apart at once. */
const PIECE_BYTES = 2 ** 20;

/**
 * The numbers of an array.
 * @throws ConversionError `input_refused` for one that cannot be unpacked
 */
export function readNumbers(file: Uint8Array, data: FbxData | undefined): Float64Array<ArrayBuffer> {
  if (data === undefined || data.kind === 'raw' || data.kind === 'base64') return new Float64Array(0);
  return data.kind === 'text' ? readText(file, data) : readBinary(file, data, data.kind);
}

/** As `readNumbers`, for numbers that are whole. */
export function readIndices(file: Uint8Array, data: FbxData | undefined): Int32Array<ArrayBuffer> {
  return Int32Array.from(readNumbers(file, data));
}

/** An embedded image; empty where there is none. */
export function readBytes(file: Uint8Array, data: FbxData | undefined): Uint8Array<ArrayBuffer> {
  if (data === undefined) return new Uint8Array(0);
  const bytes = file.subarray(data.at, data.at + data.bytes);
  if (data.kind !== 'base64') return bytes.slice();
  const parts =
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString('latin1')
      .match(/"[^"]*/g) ?? [];
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part.slice(1), 'base64'))));
}

function readText(file: Uint8Array, { at, bytes }: FbxData): Float64Array<ArrayBuffer> {
  const numbers = new GrowingArray((length) => new Float64Array(length), 64);
  const text = Buffer.from(file.buffer, file.byteOffset + at, bytes);
  const brace = text.indexOf('}');
  const end = brace < 0 ? text.length : brace;
  for (let from = 0; from < end; ) {
    const comma = end - from > PIECE_BYTES ? text.lastIndexOf(',', from + PIECE_BYTES) : end;
    const to = comma > from ? comma : end;
    const piece = text.toString('latin1', from, to);
    if (piece.trim() !== '') for (const number of piece.split(',')) numbers.push(Number(number));
    from = to + 1;
  }
  return numbers.values;
}

function readBinary(file: Uint8Array, data: FbxData, kind: FbxArrayKind): Float64Array<ArrayBuffer> {
  const { count = 0 } = data;
  const bytes = unpack(file, data, count * arrayBytes[kind]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i += 1) numbers[i] = readNumber(view, kind, i * arrayBytes[kind]);
  return numbers;
}

function unpack(file: Uint8Array, { at, bytes, isPacked }: FbxData, wanted: number): Uint8Array {
  const stored = file.subarray(at, at + bytes);
  if (!isPacked) return stored;
  try {
    const unpacked = inflateSync(stored, { maxOutputLength: Math.max(1, wanted) });
    if (unpacked.length === wanted) return unpacked;
  } catch {
    // Refused below, as what is too short.
  }
  throw refused(`the FBX is damaged: the array at byte ${at} cannot be unpacked.`);
}

function readNumber(view: DataView, kind: FbxArrayKind, at: number): number {
  if (kind === 'd') return view.getFloat64(at, true);
  if (kind === 'f') return view.getFloat32(at, true);
  if (kind === 'i') return view.getInt32(at, true);
  return kind === 'l' ? Number(view.getBigInt64(at, true)) : view.getUint8(at);
}
