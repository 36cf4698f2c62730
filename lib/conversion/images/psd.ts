import { constants, inflateSync } from 'node:zlib';
import { type Decoder, noPixels, type Pixels, UnreadableImage } from './pixels.ts';
import { type Psd, type PsdMode, readPsdHeader } from './psd-header.ts';

/** A Photoshop file (PSD, PSB): the picture that all of its layers make, with its opacity. */
export const decodePsd: Decoder = (bytes, checkPixels) => {
  const psd = readPsdHeader(bytes);
  checkPixels(psd.width * psd.height);
  const { data, channels, isCutOff } = readChannels(bytes, psd);
  const { width, height } = psd;
  if (psd.mode === 'indexed') return { width, height, channels: 3, data: coloured(data, psd.palette), isCutOff };
  const shown = psd.mode === 'cmyk' ? lit(data, channels) : { data, channels: shownChannels[channels] ?? 1 };
  if (shown.channels === 2 || shown.channels === 4) takeWhiteOut(shown.data, shown.channels);
  return { width, height, ...shown, isCutOff };
};

const colourChannels: Readonly<Record<PsdMode, number>> = { bitmap: 1, grey: 1, indexed: 1, rgb: 3, cmyk: 4 };
const shownChannels: Readonly<Record<number, Pixels['channels']>> = { 1: 1, 2: 2, 3: 3, 4: 4 };

interface Samples {
  /** Pixel by pixel, in 8 bits. */
  readonly data: Uint8Array;
  /** Of colours, and one of opacity where there is one. */
  readonly channels: number;
  readonly isCutOff: boolean;
}

/** The channels that are looked at; others, which hold selections, come after them. */
function readChannels(bytes: Uint8Array, psd: Psd): Samples {
  const { width, height, depth, mode } = psd;
  const colours = colourChannels[mode];
  const hasOpacity = psd.hasOpacity && psd.channels > colours && mode !== 'indexed' && mode !== 'bitmap';
  const channels = colours + (hasOpacity ? 1 : 0);
  const rowAt = rowReader(bytes, psd, channels);
  const data = new Uint8Array(channels * width * height);
  for (let row = 0; row < channels * height; row += 1) {
    const stored = rowAt(row);
    if (stored === undefined) {
      if (row === 0) throw noPixels('PSD');
      return { data, channels, isCutOff: true };
    }
    const to = channels * (row % height) * width + Math.floor(row / height);
    for (let x = 0; x < width; x += 1) data[to + channels * x] = sampleAt(stored, x, depth);
  }
  return { data, channels, isCutOff: false };
}

function sampleAt(row: Uint8Array, x: number, depth: Psd['depth']): number {
  if (depth === 1) return ((row[x >> 3] ?? 0) >> (7 - (x & 7))) & 1 ? 0 : 255;
  return row[depth === 16 ? 2 * x : x] ?? 0;
}

/** Reads the rows of one channel after the other, in their order; undefined for one that is not there. */
type RowReader = (row: number) => Uint8Array | undefined;

function rowReader(bytes: Uint8Array, psd: Psd, channels: number): RowReader {
  const kind = (bytes[psd.start] ?? 0) * 256 + (bytes[psd.start + 1] ?? 0);
  const stored = bytes.subarray(psd.start + 2);
  if (kind === 0) return plainRows(stored, psd);
  if (kind === 1) return packedRows(stored, psd);
  if (kind === 2) return plainRows(inflated(stored, psd, channels), psd);
  if (kind === 3) return predictedRows(plainRows(inflated(stored, psd, channels), psd), psd);
  throw new UnreadableImage(`It is a PSD that is compressed in a way that is not known (${kind}); save it again.`);
}

function rowBytesOf({ width, depth }: Psd): number {
  return Math.ceil((width * depth) / 8);
}

function plainRows(stored: Uint8Array, psd: Psd): RowReader {
  const rowBytes = rowBytesOf(psd);
  return (row) => {
    const bytes = stored.subarray(row * rowBytes, (row + 1) * rowBytes);
    return bytes.length === rowBytes ? bytes : undefined;
  };
}

/** Runs (PackBits), after the lengths of all rows. */
function packedRows(stored: Uint8Array, psd: Psd): RowReader {
  const lengthBytes = psd.isLarge ? 4 : 2;
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const unpacked = new Uint8Array(rowBytesOf(psd));
  let at = lengthBytes * psd.channels * psd.height;
  return (row) => {
    if (at >= stored.length) return undefined;
    const length = psd.isLarge ? view.getUint32(4 * row) : view.getUint16(2 * row);
    unpack(stored.subarray(at, at + length), unpacked);
    at += length;
    return unpacked;
  };
}

function unpack(packed: Uint8Array, to: Uint8Array): void {
  to.fill(0);
  let from = 0;
  let done = 0;
  while (from < packed.length && done < to.length) {
    const head = packed[from] ?? 0;
    from += 1;
    // It stands for nothing.
    if (head === 128) continue;
    const isRun = head > 128;
    const count = isRun ? 257 - head : head + 1;
    if (isRun) to.fill(packed[from] ?? 0, done, done + count);
    else to.set(packed.subarray(from, from + Math.min(count, to.length - done)), done);
    from += isRun ? 1 : count;
    done += count;
  }
}

/** Selections are packed together with the picture, which they may not make any larger. */
const MOST_SELECTIONS = 4;

function inflated(stored: Uint8Array, psd: Psd, channels: number): Uint8Array {
  const most = rowBytesOf(psd) * psd.height * Math.min(psd.channels, channels + MOST_SELECTIONS);
  try {
    return inflateSync(stored, { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    throw new UnreadableImage('It is a PSD that cannot be unpacked; save it again.');
  }
}

/** Each sample is stored as its difference from the one on its left. */
function predictedRows(rows: RowReader, { depth }: Psd): RowReader {
  return (row) => {
    const stored = rows(row);
    if (stored === undefined) return undefined;
    const bytes = stored.slice();
    if (depth === 16) {
      for (let i = 3; i < bytes.length; i += 2) {
        const sum = sampleOf16(bytes, i - 3) + sampleOf16(bytes, i - 1);
        bytes[i - 1] = sum >> 8;
        bytes[i] = sum;
      }
    } else for (let i = 1; i < bytes.length; i += 1) bytes[i] = (bytes[i] ?? 0) + (bytes[i - 1] ?? 0);
    return bytes;
  };
}

function sampleOf16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

function coloured(indices: Uint8Array, palette: Uint8Array): Uint8Array {
  const data = new Uint8Array(3 * indices.length);
  for (const [i, index] of indices.entries()) {
    for (let channel = 0; channel < 3; channel += 1) data[3 * i + channel] = palette[256 * channel + index] ?? 0;
  }
  return data;
}

/** Inks, of which 255 is none, as light; without colour profiles. */
function lit(inks: Uint8Array, inkChannels: number): { channels: 3 | 4; data: Uint8Array } {
  const channels = inkChannels === 5 ? 4 : 3;
  const pixels = inks.length / inkChannels;
  const data = new Uint8Array(channels * pixels);
  for (let i = 0; i < pixels; i += 1) {
    const from = inkChannels * i;
    const black = inks[from + 3] ?? 0;
    for (let channel = 0; channel < 3; channel += 1) {
      data[channels * i + channel] = Math.round(((inks[from + channel] ?? 0) * black) / 255);
    }
    if (channels === 4) data[channels * i + 3] = inks[from + 4] ?? 0;
  }
  return { channels, data };
}

/** Photoshop stores the picture as it looks on white paper. */
function takeWhiteOut(data: Uint8Array, channels: 2 | 4): void {
  for (let i = 0; i < data.length; i += channels) {
    const alpha = data[i + channels - 1] ?? 0;
    if (alpha === 0) continue;
    for (let at = i; at < i + channels - 1; at += 1) {
      data[at] = Math.max(0, Math.round(255 - ((255 - (data[at] ?? 0)) * 255) / alpha));
    }
  }
}
