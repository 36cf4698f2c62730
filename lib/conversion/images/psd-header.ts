import { noPixels, UnreadableImage } from './pixels.ts';

/** What a Photoshop file tells before the picture that all of its layers make. */
export interface Psd {
  readonly width: number;
  readonly height: number;
  /** Of a sample. */
  readonly depth: 1 | 8 | 16;
  /** Stored one after the other. */
  readonly channels: number;
  readonly mode: PsdMode;
  /** 256 red ones, then green and blue; empty where colours are no indices. */
  readonly palette: Uint8Array;
  /** Whether the channel after the colours is the opacity of the whole picture, and not a selection that somebody kept. */
  readonly hasOpacity: boolean;
  /** Of the large kind (PSB), lengths have more bits. */
  readonly isLarge: boolean;
  /** Where the picture begins: how it is compressed. */
  readonly start: number;
}

export type PsdMode = 'bitmap' | 'grey' | 'indexed' | 'rgb' | 'cmyk';

const modes: Readonly<Record<number, PsdMode>> = {
  0: 'bitmap',
  1: 'grey',
  2: 'indexed',
  3: 'rgb',
  4: 'cmyk',
  // Two inks are shown as the grey that they are made of.
  8: 'grey',
};
const otherModes: Readonly<Record<number, string>> = { 7: 'many inks (multichannel)', 9: 'Lab colours' };

const HEADER_BYTES = 26;
/** Version info among the image resources: whether there is a picture of all layers. */
const VERSION_INFO = 1057;

/** @throws UnreadableImage for what is no Photoshop file, is cut off before its picture, or has a picture of another kind */
export function readPsdHeader(bytes: Uint8Array): Psd {
  if (bytes.length < HEADER_BYTES + 12) throw noPixels('PSD');
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLarge = file.getUint16(4) === 2;
  const [height, width] = [file.getUint32(14), file.getUint32(18)];
  if (width === 0 || height === 0) throw new UnreadableImage('It is a PSD without pixels.');
  const { mode, depth, channels } = readKind(file);
  const colours = section(file, HEADER_BYTES, 4);
  const resources = section(file, colours.end, 4);
  const layers = section(file, resources.end, isLarge ? 8 : 4);
  if (layers.end + 2 > bytes.length) throw noPixels('PSD');
  if (!hasPicture(file, resources)) {
    throw new UnreadableImage("It is a PSD without the picture of its layers; save it with 'Maximize Compatibility'.");
  }
  const palette = mode === 'indexed' ? bytes.subarray(colours.start, colours.end) : new Uint8Array(0);
  return {
    width,
    height,
    depth,
    channels,
    mode,
    palette,
    hasOpacity: hasOpacity(file, layers, isLarge),
    isLarge,
    start: layers.end,
  };
}

function readKind(file: DataView): Pick<Psd, 'mode' | 'depth' | 'channels'> {
  const mode = modes[file.getUint16(24)];
  const depth = file.getUint16(22);
  const channels = file.getUint16(12);
  if (mode === undefined) {
    throw new UnreadableImage(`It is a PSD of ${otherModes[file.getUint16(24)] ?? 'an unknown kind'}; save it as RGB.`);
  }
  const wanted = { bitmap: 1, grey: 1, indexed: 1, rgb: 3, cmyk: 4 }[mode];
  if (channels < wanted) throw new UnreadableImage('It is a PSD that lacks some of its colours; save it again.');
  if (mode === 'bitmap' && depth === 1) return { mode, depth, channels };
  if (mode === 'bitmap' || (depth !== 8 && depth !== 16)) {
    throw new UnreadableImage(`It is a PSD of ${depth} bits a channel; save it with 8 or 16.`);
  }
  return { mode, depth, channels };
}

interface Section {
  readonly start: number;
  readonly end: number;
}

/** A part of the file that begins with its length. */
function section(file: DataView, at: number, lengthBytes: 4 | 8): Section {
  const start = at + lengthBytes;
  if (start > file.byteLength) throw noPixels('PSD');
  return { start, end: start + lengthAt(file, at, lengthBytes) };
}

function lengthAt(file: DataView, at: number, lengthBytes: 4 | 8): number {
  return lengthBytes === 4 ? file.getUint32(at) : file.getUint32(at) * 2 ** 32 + file.getUint32(at + 4);
}

function hasPicture(file: DataView, { start, end }: Section): boolean {
  let at = start;
  while (at + 12 <= end && file.getUint32(at) === SIGNATURE) {
    const id = file.getUint16(at + 4);
    // A name of even length, its own length included.
    const size = at + 6 + 2 * Math.floor(file.getUint8(at + 6) / 2) + 2;
    if (size + 4 > end) return true;
    const length = file.getUint32(size);
    if (id === VERSION_INFO && length >= 5 && size + 9 <= end) return file.getUint8(size + 8) !== 0;
    at = size + 4 + length + (length % 2);
  }
  return true;
}

const [SIGNATURE, LARGE_SIGNATURE] = [0x3842_494d, 0x3842_3634];
/** What says the same for layers of more than 8 bits, which lie elsewhere. */
const OPACITY_KEYS: ReadonlySet<string> = new Set(['Mtrn', 'Mt16', 'Mt32']);
/** Blocks whose lengths have more bits in a large file. */
const LARGE_KEYS: ReadonlySet<string> = new Set(
  'LMsk Lr16 Lr32 Layr Mt16 Mt32 Mtrn Alph FMsk lnk2 FEid FXid PxSD'.split(' '),
);

function hasOpacity(file: DataView, { start, end }: Section, isLarge: boolean): boolean {
  const lengthBytes = isLarge ? 8 : 4;
  if (start + lengthBytes + 2 > end) return false;
  const layers = section(file, start, lengthBytes);
  // A count of layers below zero says so.
  if (layers.end > layers.start && file.getInt16(layers.start) < 0) return true;
  if (layers.end + 4 > end) return false;
  return hasOpacityBlock(file, { start: section(file, layers.end, 4).end, end }, isLarge);
}

function hasOpacityBlock(file: DataView, { start, end }: Section, isLarge: boolean): boolean {
  let at = start;
  while (at + 16 <= end) {
    if (file.getUint32(at) !== SIGNATURE && file.getUint32(at) !== LARGE_SIGNATURE) return false;
    const key = String.fromCharCode(...[4, 5, 6, 7].map((i) => file.getUint8(at + i)));
    if (OPACITY_KEYS.has(key)) return true;
    const block = section(file, at + 8, isLarge && LARGE_KEYS.has(key) ? 8 : 4);
    // Padded to four bytes.
    at = block.start + 4 * Math.ceil((block.end - block.start) / 4);
  }
  return false;
}
