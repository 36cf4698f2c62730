import { decodeMasked } from './masked-pixels.ts';
import { type Decoder, noPixels, type Pixels, UnreadableImage } from './pixels.ts';

const HEADER_BYTES = 18;
/** Kinds of images; each is 8 more where it is run-length encoded. */
const [MAPPED, TRUE_COLOUR, GREY] = [1, 2, 3];
const depths: Readonly<Record<number, readonly number[]>> = {
  [MAPPED]: [8, 16],
  [TRUE_COLOUR]: [15, 16, 24, 32],
  [GREY]: [8, 16],
};
const mapDepths: readonly number[] = [15, 16, 24, 32];

interface Tga {
  readonly kind: number;
  readonly isPacked: boolean;
  readonly width: number;
  readonly height: number;
  /** Of a pixel as stored. */
  readonly bytes: number;
  readonly map: { readonly at: number; readonly bytes: number; readonly first: number; readonly count: number };
  readonly start: number;
  readonly fromTop: boolean;
  readonly fromRight: boolean;
  /** Bits of a pixel that are opacity, as the header has it; many programs forget them. */
  readonly alphaBits: number;
}

/** True where a file begins like a Truevision TGA, which has no signature. */
export function looksLikeTga(bytes: Uint8Array): boolean {
  return readHeader(bytes) !== undefined;
}

/** A Truevision TGA: of colours, grey or a colour map, plain or run-length encoded. */
export const decodeTga: Decoder = (bytes, checkPixels) => {
  const header = readHeader(bytes);
  if (header === undefined) throw new UnreadableImage('It is no TGA.');
  const { width, height, start, fromTop } = header;
  checkPixels(width * height);
  const stored = header.isPacked ? unpack(bytes, header) : bytes.subarray(start);
  if (stored.length < header.bytes) throw noPixels('TGA');
  const isMapped = header.kind === MAPPED;
  const pixelBytes = isMapped ? header.map.bytes : header.bytes;
  const pixels = decodeMasked(isMapped ? mapped(bytes, stored, header) : stored, {
    width,
    height,
    start: 0,
    rowBytes: width * pixelBytes,
    pixelBytes,
    masks: masksOf(header, pixelBytes),
    fromTop,
  });
  return header.fromRight ? mirrored(pixels) : pixels;
};

function masksOf({ kind, alphaBits }: Tga, pixelBytes: number): number[] {
  if (kind === GREY) return pixelBytes === 2 ? [0xff, 0xff00] : [0xff];
  if (pixelBytes === 2) return [0x7c00, 0x3e0, 0x1f, alphaBits === 1 ? 0x8000 : 0];
  return [0xff_0000, 0xff00, 0xff, pixelBytes === 4 ? 0xff00_0000 : 0];
}

/** The colours that indices stand for, as they are stored. */
function mapped(bytes: Uint8Array, stored: Uint8Array, header: Tga): Uint8Array {
  const { map } = header;
  const count = Math.min(header.width * header.height, Math.floor(stored.length / header.bytes));
  const colours = new Uint8Array(count * map.bytes);
  for (let i = 0; i < count; i += 1) {
    const from = i * header.bytes;
    const index = (stored[from] ?? 0) + (header.bytes === 2 ? 256 * (stored[from + 1] ?? 0) : 0) - map.first;
    if (index < 0 || index >= map.count) continue;
    for (let byte = 0; byte < map.bytes; byte += 1) {
      colours[i * map.bytes + byte] = bytes[map.at + index * map.bytes + byte] ?? 0;
    }
  }
  return colours;
}

function readHeader(bytes: Uint8Array): Tga | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = file.getUint8(2) & 7;
  const isPacked = file.getUint8(2) === (kind | 8);
  const hasMap = file.getUint8(1);
  const depth = file.getUint8(16);
  const flags = file.getUint8(17);
  const width = file.getUint16(12, true);
  const height = file.getUint16(14, true);
  const isKnown = (isPacked || file.getUint8(2) === kind) && depths[kind]?.includes(depth) === true;
  if (!isKnown || hasMap > 1 || (kind === MAPPED && hasMap === 0) || width === 0 || height === 0) return undefined;
  if (hasMap === 1 && !mapDepths.includes(file.getUint8(7))) return undefined;
  const map = {
    at: HEADER_BYTES + file.getUint8(0),
    bytes: Math.ceil(file.getUint8(7) / 8),
    first: file.getUint16(3, true),
    count: file.getUint16(5, true),
  };
  return {
    kind,
    isPacked,
    width,
    height,
    bytes: Math.ceil(depth / 8),
    map,
    start: map.at + (hasMap === 1 ? map.bytes * map.count : 0),
    fromTop: (flags & 0x20) !== 0,
    fromRight: (flags & 0x10) !== 0,
    alphaBits: flags & 0x0f,
  };
}

/** Undoes runs; what is missing at the end is left out. */
function unpack(bytes: Uint8Array, { start, width, height, bytes: size }: Tga): Uint8Array {
  const unpacked = new Uint8Array(width * height * size);
  let from = start;
  let to = 0;
  while (to < unpacked.length && from < bytes.length) {
    const packet = bytes[from] ?? 0;
    const count = (packet & 127) + 1;
    from += 1;
    if (packet < 128) {
      const stored = bytes.subarray(from, Math.min(from + count * size, from + unpacked.length - to));
      unpacked.set(stored, to);
      from += count * size;
      to += stored.length;
    } else {
      for (let i = 0; i < count * size && to + i < unpacked.length; i += 1)
        unpacked[to + i] = bytes[from + (i % size)] ?? 0;
      from += size;
      to += count * size;
    }
  }
  return to < unpacked.length ? unpacked.subarray(0, to) : unpacked;
}

function mirrored(pixels: Pixels): Pixels {
  const { width, height, channels } = pixels;
  const data = new Uint8Array(pixels.data.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = channels * (y * width + x);
      data.set(pixels.data.subarray(from, from + channels), channels * (y * width + width - 1 - x));
    }
  }
  return { ...pixels, data };
}
