import type { ModelFile } from '../model-file.ts';
import { refused } from '../reading/refused.ts';

export interface LasHeader {
  readonly version: string;
  /** The program that wrote the file. */
  readonly generator: string;
  /** Of point data records. */
  readonly format: number;
  /** True for LAZ. */
  readonly isCompressed: boolean;
  readonly count: number;
  /** Of the first point, in bytes from the start of the file. */
  readonly offset: number;
  /** Bytes from one point to the next. */
  readonly recordBytes: number;
  /** Of the red of a point, in bytes from its start; undefined in formats without colours. */
  readonly colorAt: number | undefined;
  readonly scale: readonly [number, number, number];
  readonly origin: readonly [number, number, number];
}

/** LAS 1.4 R15, 2.6: bytes of each point data record format at least. */
const RECORD_BYTES = [20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67];
/** Where each has its colours. */
const COLOR_AT = [undefined, undefined, 20, 28, undefined, 28, undefined, 30, 30, undefined, 30];
const HEADER_BYTES = 375;
const SMALLEST_HEADER = 227;
/** Bits of the format's number that LASzip sets. */
const COMPRESSED = 0xc0;

/** Steps and places beyond are no lengths. */
const FAR = 1e20;

export function isLas(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, 4)).toString('latin1') === 'LASF';
}

/** @throws ConversionError `input_refused` for a header that does not go with its file */
export async function readLasHeader(file: ModelFile): Promise<LasHeader> {
  const bytes = await file.read(0, HEADER_BYTES);
  if (bytes.length < SMALLEST_HEADER)
    throw refused(`the file was cut off: it ends after ${bytes.length} bytes, within the header.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = `${view.getUint8(24)}.${view.getUint8(25)}`;
  const isCompressed = (view.getUint8(104) & COMPRESSED) !== 0;
  const format = view.getUint8(104) & ~COMPRESSED;
  if (!/^1\.[0-4]$/.test(version)) throw refused(`it is of LAS ${version}; 1.0 to 1.4 can be read.`);
  const leastBytes = RECORD_BYTES[format];
  if (leastBytes === undefined) throw refused(`its points are of format ${format} (byte 104); 0 to 10 can be read.`);
  const recordBytes = view.getUint16(105, true);
  if (recordBytes < leastBytes) {
    throw refused(
      `its points have ${recordBytes} bytes (byte 105); those of format ${format} have at least ${leastBytes}.`,
    );
  }
  const offset = view.getUint32(96, true);
  const count = countOf(view, version);
  if (count === 0) throw refused('its header says that it has no points: there is nothing to render.');
  // Compressed ones may take next to nothing; where their chunks are takes 8 bytes.
  const leastSize = isCompressed ? 8 : count * recordBytes;
  if (offset < SMALLEST_HEADER || leastSize > file.size - offset) {
    const points = `${count} points of ${recordBytes} bytes from byte ${offset} on`;
    const has = Math.max(0, file.size - offset);
    throw refused(`its header has ${points}, but ${has} bytes follow: the file was cut off.`);
  }
  const number = (at: number) => view.getFloat64(at, true);
  const triple = (at: number): LasHeader['scale'] => [number(at), number(at + 8), number(at + 16)];
  const [scale, origin] = [triple(131), triple(155)];
  if (
    !scale.every((value) => Math.abs(value) < FAR && value !== 0) ||
    !origin.every((value) => Math.abs(value) < FAR)
  ) {
    throw refused(
      `its scale (${scale.join(', ')}) and offset (${origin.join(', ')}) place no point (bytes 131 to 178).`,
    );
  }
  return {
    version,
    generator: textAt(bytes, 58, 32),
    format,
    isCompressed,
    count,
    offset,
    recordBytes,
    colorAt: COLOR_AT[format],
    scale,
    origin,
  };
}

/** Version 1.4 has it in 64 bits, and in 32 bits for older programs. */
function countOf(view: DataView, version: string): number {
  const legacy = view.getUint32(107, true);
  if (version !== '1.4' || view.byteLength < HEADER_BYTES || view.getUint16(94, true) < HEADER_BYTES) return legacy;
  return Number(view.getBigUint64(247, true)) || legacy;
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  const [text = ''] = Buffer.from(bytes.subarray(at, at + length))
    .toString('latin1')
    .split('\0');
  return text.trim();
}
