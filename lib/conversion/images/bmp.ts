import { decodeMasked } from './masked-pixels.ts';
import { type Decoder, noPixels, type Pixels, UnreadableImage } from './pixels.ts';

/** A bitmap of Windows or OS/2: of 1 to 32 bits a pixel, plain, in runs or with bit fields. */
export const decodeBmp: Decoder = (bytes, checkPixels) => {
  const bmp = readHeader(bytes);
  checkPixels(bmp.width * bmp.height);
  if (bmp.start >= bytes.length) throw noPixels('BMP');
  const { bits, masks } = bmp;
  const rowBytes = 4 * Math.ceil((bmp.width * bits) / 32);
  if (bits > 8) return decodeMasked(bytes, { ...bmp, rowBytes, pixelBytes: bits / 8, masks });
  const { indices, isCutOff } = bmp.compression === PLAIN ? readIndices(bytes, bmp, rowBytes) : unpackRuns(bytes, bmp);
  return coloured(bytes, bmp, indices, isCutOff);
};

interface Bmp {
  readonly width: number;
  readonly height: number;
  readonly fromTop: boolean;
  /** Of a pixel. */
  readonly bits: number;
  readonly compression: number;
  /** Which bits are red, green, blue and opacity, where pixels are no indices. */
  readonly masks: readonly number[];
  readonly palette: { readonly at: number; readonly entryBytes: 3 | 4 };
  readonly start: number;
}

/** Headers by their length: OS/2's first, the shortest of its second, and Windows 3's, which all later ones begin like. */
const [OLD, OS2, WINDOWS, LONG_OS2] = [12, 16, 40, 64];
const [PLAIN, RUNS_OF_8, RUNS_OF_4, BIT_FIELDS, BIT_FIELDS_WITH_ALPHA] = [0, 1, 2, 3, 6];
const depths: Readonly<Record<number, readonly number[]>> = {
  [PLAIN]: [1, 2, 4, 8, 16, 24, 32],
  [RUNS_OF_8]: [8],
  [RUNS_OF_4]: [4],
  [BIT_FIELDS]: [16, 32],
  [BIT_FIELDS_WITH_ALPHA]: [16, 32],
};

function readHeader(bytes: Uint8Array): Bmp {
  if (bytes.length < 14 + OLD) throw noPixels('BMP');
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = file.getUint32(14, true);
  if (bytes.length < 14 + Math.min(headerBytes, WINDOWS)) throw noPixels('BMP');
  const isOld = headerBytes === OLD;
  if (!isOld && headerBytes < OS2) throw other('with a header that is not known');
  const [width = 0, rows = 0] = [18, isOld ? 20 : 22].map((at) =>
    isOld ? file.getUint16(at, true) : file.getInt32(at, true),
  );
  const bits = file.getUint16(isOld ? 24 : 28, true);
  const compression = headerBytes < WINDOWS ? PLAIN : file.getUint32(30, true);
  if (width <= 0 || rows === 0) throw new UnreadableImage('It is a BMP without pixels.');
  // OS/2 has other compressions under the same numbers.
  const isKnown = headerBytes !== LONG_OS2 || compression < BIT_FIELDS;
  if (!isKnown || depths[compression]?.includes(bits) !== true) {
    throw other(`of ${bits} bits a pixel, compressed in a way (${compression}) that is not known`);
  }
  return {
    width,
    height: Math.abs(rows),
    fromTop: rows < 0,
    bits,
    compression,
    masks: compression < BIT_FIELDS ? usualMasks(bits) : storedMasks(file, headerBytes, compression),
    palette: { at: 14 + headerBytes, entryBytes: isOld ? 3 : 4 },
    start: file.getUint32(10, true),
  };
}

function usualMasks(bits: number): number[] {
  return bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff_0000, 0xff00, 0xff];
}

/** They follow Windows 3's header, or are the end of a longer one. */
function storedMasks(file: DataView, headerBytes: number, compression: number): number[] {
  const hasAlpha = headerBytes >= WINDOWS + 16 || compression === BIT_FIELDS_WITH_ALPHA;
  const places = [0, 4, 8, ...(hasAlpha ? [12] : [])].map((at) => 14 + WINDOWS + at);
  return places.map((at) => (at + 4 <= file.byteLength ? file.getUint32(at, true) : 0));
}

interface Indices {
  /** From the top. */
  readonly indices: Uint8Array;
  readonly isCutOff: boolean;
}

function readIndices(bytes: Uint8Array, { width, height, bits, start, fromTop }: Bmp, rowBytes: number): Indices {
  const indices = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const from = start + rowBytes * row;
    const to = width * (fromTop ? row : height - 1 - row);
    for (let x = 0; x < width; x += 1) {
      const byte = bytes[from + Math.floor((x * bits) / 8)] ?? 0;
      indices[to + x] = (byte >> (8 - bits - ((x * bits) % 8))) & ((1 << bits) - 1);
    }
  }
  return { indices, isCutOff: start + rowBytes * height > bytes.length };
}

/** Runs of one index or of two that change places, single indices, and commands that move on. What is passed over has the first colour. */
function unpackRuns(bytes: Uint8Array, { width, height, bits, start, fromTop }: Bmp): Indices {
  const indices = new Uint8Array(width * height);
  let [at, x, row] = [start, 0, 0];
  const put = (from: number, count: number, isRun: boolean) => {
    const to = width * (fromTop ? row : height - 1 - row);
    for (let i = 0; i < count && x < width; i += 1, x += 1) indices[to + x] = indexAt(bytes, from, i, bits, isRun);
  };
  while (at + 1 < bytes.length && row < height) {
    const [count = 0, command = 0] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) put(at - 1, count, true);
    else if (command === END_OF_ROW) [x, row] = [0, row + 1];
    else if (command === END) return { indices, isCutOff: false };
    else if (command === MOVE) {
      [x, row] = [x + (bytes[at] ?? 0), row + (bytes[at + 1] ?? 0)];
      at += 2;
    } else {
      put(at, command, false);
      // Padded to an even number of bytes.
      at += 2 * Math.ceil((command * bits) / 16);
    }
  }
  return { indices, isCutOff: row < height };
}

const [END_OF_ROW, END, MOVE] = [0, 1, 2];

function indexAt(bytes: Uint8Array, from: number, i: number, bits: number, isRun: boolean): number {
  if (bits === 8) return bytes[isRun ? from : from + i] ?? 0;
  const byte = bytes[isRun ? from : from + (i >> 1)] ?? 0;
  return i % 2 === 0 ? byte >> 4 : byte & 15;
}

function coloured(bytes: Uint8Array, { width, height, palette }: Bmp, indices: Uint8Array, isCutOff: boolean): Pixels {
  const data = new Uint8Array(3 * indices.length);
  for (let i = 0; i < indices.length; i += 1) {
    const at = palette.at + palette.entryBytes * (indices[i] ?? 0);
    for (let channel = 0; channel < 3; channel += 1) data[3 * i + channel] = bytes[at + 2 - channel] ?? 0;
  }
  return { width, height, channels: 3, data, isCutOff };
}

function other(what: string): UnreadableImage {
  return new UnreadableImage(`It is a BMP ${what}; save it as PNG.`);
}
