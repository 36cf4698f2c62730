import type { Decoder, Pixels } from './pixels.ts';

const HEADER_BYTES = 18;
/** Kinds of images; each is 8 more where it is run-length encoded. */
const [MAPPED, TRUE_COLOUR, GREY] = [1, 2, 3];

interface Tga {
  readonly kind: number;
  readonly isPacked: boolean;
  readonly width: number;
  readonly height: number;
  /** Of a pixel as stored. */
  readonly bytes: number;
  readonly colours: { readonly at: number; readonly bytes: number; readonly first: number };
  readonly start: number;
  readonly fromTop: boolean;
  readonly fromRight: boolean;
  readonly hasAlpha: boolean;
}

/** True where a file begins like a Truevision TGA, which has no signature. */
export function looksLikeTga(bytes: Uint8Array): boolean {
  return readHeader(bytes) !== undefined;
}

/** A Truevision TGA: of colours, grey or a colour map, plain or run-length encoded. Undefined where it is cut off or of another kind. */
export const decodeTga: Decoder = (bytes, checkPixels) => {
  const header = readHeader(bytes);
  if (header === undefined) return undefined;
  checkPixels(header.width * header.height);
  const stored = header.isPacked ? unpack(bytes, header) : bytes.subarray(header.start);
  const { width, height, kind, colours } = header;
  if (stored.length < width * height * header.bytes) return undefined;
  const isMapped = kind === MAPPED;
  const pixelBytes = isMapped ? colours.bytes : header.bytes;
  const channels = channelsOf(header, pixelBytes);
  const data = new Uint8Array(channels * width * height);
  for (let i = 0; i < width * height; i += 1) {
    const to = channels * placeOf(header, i);
    const from = i * header.bytes;
    if (isMapped) copy(bytes, colours.at + indexAt(stored, from, header) * pixelBytes, pixelBytes, data, to, channels);
    else copy(stored, from, pixelBytes, data, to, channels);
  }
  return { width, height, channels, data };
};

function channelsOf({ kind, hasAlpha }: Tga, pixelBytes: number): Pixels['channels'] {
  if (kind === GREY) return 1;
  return pixelBytes === 4 && hasAlpha ? 4 : 3;
}

/** Where the pixel stored as number `i` belongs, counted from the upper left. */
function placeOf({ width, height, fromRight, fromTop }: Tga, i: number): number {
  const column = i % width;
  const row = (i - column) / width;
  return (fromTop ? row : height - 1 - row) * width + (fromRight ? width - 1 - column : column);
}

function indexAt(stored: Uint8Array, at: number, { bytes, colours }: Tga): number {
  return (stored[at] ?? 0) + (bytes === 2 ? 256 * (stored[at + 1] ?? 0) : 0) - colours.first;
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
  const depths: Readonly<Record<number, readonly number[]>> = {
    [MAPPED]: [8, 16],
    [TRUE_COLOUR]: [15, 16, 24, 32],
    [GREY]: [8, 16],
  };
  const isKnown = (isPacked || file.getUint8(2) === kind) && depths[kind]?.includes(depth) === true;
  if (!isKnown || hasMap > 1 || (kind === MAPPED) !== (hasMap === 1) || width === 0 || height === 0) return undefined;
  const colours = {
    at: HEADER_BYTES + file.getUint8(0),
    bytes: Math.ceil(file.getUint8(7) / 8),
    first: file.getUint16(3, true),
  };
  if (kind === MAPPED && ![2, 3, 4].includes(colours.bytes)) return undefined;
  const start = colours.at + (hasMap === 1 ? colours.bytes * file.getUint16(5, true) : 0);
  return {
    kind,
    isPacked,
    width,
    height,
    bytes: Math.ceil(depth / 8),
    colours,
    start,
    fromTop: (flags & 0x20) !== 0,
    fromRight: (flags & 0x10) !== 0,
    hasAlpha: (flags & 0x0f) > 0,
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
      unpacked.set(bytes.subarray(from, Math.min(from + count * size, from + unpacked.length - to)), to);
      from += count * size;
    } else {
      for (let i = 0; i < count * size && to + i < unpacked.length; i += 1)
        unpacked[to + i] = bytes[from + (i % size)] ?? 0;
      from += size;
    }
    to += count * size;
  }
  return to < unpacked.length ? unpacked.subarray(0, to) : unpacked;
}

/** Blue comes first; two bytes hold five bits of each colour. */
function copy(from: Uint8Array, at: number, size: number, to: Uint8Array, toAt: number, channels: number): void {
  if (channels === 1) {
    to[toAt] = from[at] ?? 0;
  } else if (size === 2) {
    const value = (from[at] ?? 0) | ((from[at + 1] ?? 0) << 8);
    for (let i = 0; i < 3; i += 1) to[toAt + i] = Math.round((((value >> (10 - 5 * i)) & 31) * 255) / 31);
  } else {
    for (let i = 0; i < 3; i += 1) to[toAt + i] = from[at + 2 - i] ?? 0;
    if (channels === 4) to[toAt + 3] = from[at + 3] ?? 0;
  }
}
