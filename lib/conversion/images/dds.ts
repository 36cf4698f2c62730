import {
  byDxgiNumber,
  byFourCharacters,
  type DdsFormat,
  DIRECTIONS_IN_DXT5,
  directionsInDxt5,
  otherDxgiFormats,
  plain,
} from './dds-formats.ts';
import { decodeMasked } from './masked-pixels.ts';
import { type Decoder, noPixels, type Pixels, UnreadableImage } from './pixels.ts';

/** A DirectDraw surface: its largest level, compressed (BC1 to BC5, BC7) or plain. */
export const decodeDds: Decoder = (bytes, checkPixels) => {
  const dds = readHeader(bytes);
  checkPixels(dds.width * dds.height);
  const { format } = dds;
  return format.kind === 'blocks' ? decodeBlocks(bytes, dds, format) : decodePlain(bytes, dds, format);
};

interface Dds {
  readonly width: number;
  readonly height: number;
  readonly format: DdsFormat;
  readonly start: number;
}

type Blocks = Extract<DdsFormat, { kind: 'blocks' }>;
type Plain = Extract<DdsFormat, { kind: 'plain' }>;

const HEADER_BYTES = 128;
const DX10_HEADER_BYTES = 20;
/** Flags of what a header says of its pixels. */
const [HAS_ALPHA, IS_ALPHA, FOUR_CHARACTERS, COLOURS, LUMINANCE] = [0x1, 0x2, 0x4, 0x40, 0x2_0000];
/** Flags of what it says of the whole. */
const [CUBE_MAP, VOLUME] = [0x200, 0x20_0000];

function readHeader(bytes: Uint8Array): Dds {
  if (bytes.length <= HEADER_BYTES) throw noPixels('DDS');
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const height = file.getUint32(12, true);
  const width = file.getUint32(16, true);
  const caps = file.getUint32(112, true);
  if (width === 0 || height === 0) throw new UnreadableImage('It is a DDS without pixels.');
  if ((caps & CUBE_MAP) !== 0) throw other('cube map of six images');
  if ((caps & VOLUME) !== 0) throw other('volume of many layers');
  const fourCharacters = textAt(bytes, 84);
  if ((file.getUint32(80, true) & FOUR_CHARACTERS) === 0) {
    return { width, height, format: plainFormat(file), start: HEADER_BYTES };
  }
  if (fourCharacters !== 'DX10') {
    return { width, height, format: compressedFormat(bytes, fourCharacters), start: HEADER_BYTES };
  }
  if (bytes.length <= HEADER_BYTES + DX10_HEADER_BYTES) throw noPixels('DDS');
  return { width, height, format: newerFormat(file), start: HEADER_BYTES + DX10_HEADER_BYTES };
}

function compressedFormat(bytes: Uint8Array, fourCharacters: string): DdsFormat {
  if (fourCharacters === 'DXT5' && textAt(bytes, 88) === DIRECTIONS_IN_DXT5) return directionsInDxt5;
  const format = byFourCharacters[fourCharacters];
  if (format !== undefined) return format;
  const isWord = /^[\w ]{4}$/.test(fourCharacters);
  throw other(isWord ? `of the kind ${fourCharacters}` : `of the kind ${fourCharacters.charCodeAt(0)} of Direct3D 9`);
}

function newerFormat(file: DataView): DdsFormat {
  const [number, dimension, flags, count] = [0, 4, 8, 12].map((at) => file.getUint32(HEADER_BYTES + at, true));
  if (((flags ?? 0) & 4) !== 0) throw other('cube map of six images');
  if (dimension === 4) throw other('volume of many layers');
  if ((count ?? 1) > 1) throw other('array of many images');
  const format = byDxgiNumber[number ?? 0];
  if (format === undefined) throw other(`of ${otherDxgiFormats[number ?? 0] ?? `the DXGI format ${number}`}`);
  return format;
}

function plainFormat(file: DataView): DdsFormat {
  const flags = file.getUint32(80, true);
  const bits = file.getUint32(88, true);
  const [red = 0, green = 0, blue = 0, alpha = 0] = [92, 96, 100, 104].map((at) => file.getUint32(at, true));
  if (![8, 16, 24, 32].includes(bits)) throw other(`of ${bits} bits a pixel`);
  const opacity = (flags & (HAS_ALPHA | IS_ALPHA)) === 0 ? 0 : alpha;
  if ((flags & COLOURS) !== 0 && (red | green | blue) !== 0) return plain(bits / 8, [red, green, blue, opacity]);
  if ((flags & LUMINANCE) !== 0 && red !== 0) return plain(bits / 8, opacity === 0 ? [red] : [red, opacity]);
  if ((flags & IS_ALPHA) !== 0 && alpha !== 0) return plain(bits / 8, [alpha]);
  throw other('of a kind that is neither colours nor grey');
}

function decodeBlocks(bytes: Uint8Array, { width, height, start }: Dds, format: Blocks): Pixels {
  const { blockBytes, channels, decode } = format;
  const [across, down] = [Math.ceil(width / 4), Math.ceil(height / 4)];
  const stored = Math.min(across * down, Math.floor((bytes.length - start) / blockBytes));
  if (stored < 1) throw noPixels('DDS');
  const data = new Uint8Array(channels * width * height);
  const block = new Uint8Array(64);
  for (let i = 0; i < stored; i += 1) {
    decode(bytes, start + i * blockBytes, block);
    const left = 4 * (i % across);
    const top = 4 * Math.floor(i / across);
    for (let y = top; y < Math.min(top + 4, height); y += 1) {
      for (let x = left; x < Math.min(left + 4, width); x += 1) {
        const from = 16 * (y - top) + 4 * (x - left);
        const to = channels * (y * width + x);
        for (let channel = 0; channel < channels; channel += 1) data[to + channel] = block[from + channel] ?? 0;
      }
    }
  }
  return { width, height, channels, data, isCutOff: stored < across * down };
}

function decodePlain(bytes: Uint8Array, dds: Dds, { pixelBytes, masks }: Plain): Pixels {
  if (dds.start + pixelBytes > bytes.length) throw noPixels('DDS');
  return decodeMasked(bytes, { ...dds, rowBytes: dds.width * pixelBytes, pixelBytes, masks, fromTop: true });
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function other(what: string): UnreadableImage {
  return new UnreadableImage(`It is a DDS ${what}, which is not read; save it as PNG.`);
}
