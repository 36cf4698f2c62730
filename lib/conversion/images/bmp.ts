import type { Decoder } from './pixels.ts';

/** A Windows bitmap without compression, or with bit fields of 32 bits; undefined where it is of another kind or cut off. */
export const decodeBmp: Decoder = (bytes, checkPixels) => {
  const bmp = readHeader(bytes);
  if (bmp === undefined) return undefined;
  checkPixels(bmp.width * bmp.height);
  const { width, height, bits, palette } = bmp;
  const rowBytes = 4 * Math.ceil((width * bits) / 32);
  if (bmp.start + rowBytes * height > bytes.length) return undefined;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y += 1) {
    const row = bmp.start + rowBytes * (bmp.fromTop ? y : height - 1 - y);
    for (let x = 0; x < width; x += 1) {
      const at = bits >= 24 ? row + (x * bits) / 8 : palette + 4 * indexAt(bytes, row, x, bits);
      const to = 3 * (y * width + x);
      for (let i = 0; i < 3; i += 1) data[to + i] = bytes[at + 2 - i] ?? 0;
    }
  }
  return { width, height, channels: 3, data };
};

interface Bmp {
  readonly width: number;
  readonly height: number;
  readonly fromTop: boolean;
  /** Of a pixel. */
  readonly bits: number;
  readonly palette: number;
  readonly start: number;
}

/** Headers older than Windows 3 have other fields. */
const SHORTEST_HEADER = 40;
const [PLAIN, BIT_FIELDS] = [0, 3];

function readHeader(bytes: Uint8Array): Bmp | undefined {
  if (bytes.length < 14 + SHORTEST_HEADER) return undefined;
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = file.getUint32(14, true);
  const width = file.getInt32(18, true);
  const rows = file.getInt32(22, true);
  const bits = file.getUint16(28, true);
  const compression = file.getUint32(30, true);
  const isPlain = compression === PLAIN || (compression === BIT_FIELDS && bits === 32);
  const isKnown = headerBytes >= SHORTEST_HEADER && isPlain && [1, 4, 8, 24, 32].includes(bits);
  if (!isKnown || width <= 0 || rows === 0) return undefined;
  const start = file.getUint32(10, true);
  return { width, height: Math.abs(rows), fromTop: rows < 0, bits, palette: 14 + headerBytes, start };
}

function indexAt(bytes: Uint8Array, row: number, x: number, bits: number): number {
  const byte = bytes[row + Math.floor((x * bits) / 8)] ?? 0;
  const shift = 8 - bits - ((x * bits) % 8);
  return (byte >> shift) & ((1 << bits) - 1);
}
