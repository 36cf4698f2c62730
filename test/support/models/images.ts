/** Images of formats that no library here writes, made from their specifications. */

interface DdsOptions {
  readonly width?: number;
  readonly height?: number;
  /** The four characters of its format, or a number of DXGI's, or masks for so many bits a pixel. */
  readonly format:
    | string
    | number
    | { readonly flags: number; readonly bits: number; readonly masks: readonly number[] };
  /** The second word of capabilities: cube maps and volumes. */
  readonly caps?: number;
  /** Of the newer header: dimension, flags, number of images. */
  readonly newer?: readonly [dimension: number, flags: number, count: number];
  readonly data: Uint8Array;
}

/** A DirectDraw surface of 4 x 4 pixels, unless told otherwise. */
export function dds({ width = 4, height = 4, format, caps = 0, newer = [3, 0, 1], data }: DdsOptions): Buffer {
  const header = Buffer.alloc(128);
  header.write('DDS ');
  header.writeUInt32LE(124, 4);
  header.writeUInt32LE(height, 12);
  header.writeUInt32LE(width, 16);
  header.writeUInt32LE(32, 76);
  header.writeUInt32LE(caps, 112);
  if (typeof format === 'object') {
    header.writeUInt32LE(format.flags, 80);
    header.writeUInt32LE(format.bits, 88);
    for (const [i, mask] of format.masks.entries()) header.writeUInt32LE(mask, 92 + 4 * i);
    return Buffer.concat([header, data]);
  }
  header.writeUInt32LE(4, 80);
  header.write(typeof format === 'string' ? format : 'DX10', 84);
  const extra = Buffer.alloc(typeof format === 'number' ? 20 : 0);
  if (typeof format === 'number')
    for (const [i, value] of [format, ...newer].entries()) extra.writeUInt32LE(value, 4 * i);
  return Buffer.concat([header, extra, data]);
}

interface PsdOptions {
  readonly width?: number;
  readonly height?: number;
  readonly depth?: 1 | 8 | 16 | 32;
  /** 0 bitmap, 1 grey, 2 indexed, 3 RGB, 4 CMYK, 9 Lab. */
  readonly mode?: number;
  readonly channels: number;
  /** 0 plain, 1 runs, 2 zip, 3 zip of differences. */
  readonly compression?: number;
  readonly palette?: Uint8Array;
  /** Image resources. */
  readonly resources?: Uint8Array;
  /** How many layers there are, below zero where the picture has opacity; or what stands in their place. */
  readonly layers?: number | Uint8Array;
  readonly isLarge?: boolean;
  /** As it is compressed. */
  readonly data: Uint8Array;
}

/** A Photoshop file of 2 x 2 pixels in RGB, unless told otherwise. */
export function psd(options: PsdOptions): Buffer {
  const { width = 2, height = 2, depth = 8, mode = 3, channels, compression = 0, isLarge = false } = options;
  const header = Buffer.alloc(26);
  header.write('8BPS');
  header.writeUInt16BE(isLarge ? 2 : 1, 4);
  header.writeUInt16BE(channels, 12);
  header.writeUInt32BE(height, 14);
  header.writeUInt32BE(width, 18);
  header.writeUInt16BE(depth, 22);
  header.writeUInt16BE(mode, 24);
  const kind = Buffer.alloc(2);
  kind.writeUInt16BE(compression);
  return Buffer.concat([
    header,
    psdSection(options.palette ?? Buffer.alloc(0)),
    psdSection(options.resources ?? Buffer.alloc(0)),
    psdSection(layerInfo(options.layers ?? 0, isLarge), isLarge),
    kind,
    options.data,
  ]);
}

/** A part of a Photoshop file, after its length. */
export function psdSection(data: Uint8Array, isLarge = false): Buffer {
  const length = Buffer.alloc(isLarge ? 8 : 4);
  length.writeUInt32BE(data.length, length.length - 4);
  return Buffer.concat([length, data]);
}

function layerInfo(layers: number | Uint8Array, isLarge: boolean): Uint8Array {
  if (typeof layers !== 'number') return layers;
  if (layers === 0) return Buffer.alloc(0);
  const count = Buffer.alloc(4);
  count.writeInt16BE(layers);
  return psdSection(count, isLarge);
}

interface TgaOptions {
  readonly width?: number;
  readonly height?: number;
  /** 1 mapped, 2 colours, 3 grey; 8 more in runs. */
  readonly kind: number;
  /** Of a pixel. */
  readonly bits: number;
  /** 0x20 from the top, 0x10 from the right; the number of bits of opacity. */
  readonly flags?: number;
  readonly map?: { readonly first: number; readonly bits: number; readonly colours: readonly number[] };
  readonly data: readonly number[];
}

/** A Truevision TGA of 2 x 2 pixels, from below unless told otherwise. */
export function tga({ width = 2, height = 2, kind, bits, flags = 0, map, data }: TgaOptions): Buffer {
  const header = Buffer.alloc(18);
  header.writeUInt8(map === undefined ? 0 : 1, 1);
  header.writeUInt8(kind, 2);
  header.writeUInt16LE(map?.first ?? 0, 3);
  header.writeUInt16LE(map === undefined ? 0 : (8 * map.colours.length) / (8 * Math.ceil(map.bits / 8)), 5);
  header.writeUInt8(map?.bits ?? 0, 7);
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  header.writeUInt8(bits, 16);
  header.writeUInt8(flags, 17);
  return Buffer.concat([header, Buffer.from(map?.colours ?? []), Buffer.from(data)]);
}

interface BmpOptions {
  readonly width?: number;
  /** Below zero from the top. */
  readonly height?: number;
  /** Of a pixel. */
  readonly bits: number;
  /** 0 none, 1 runs of bytes, 2 runs of halves, 3 bit fields. */
  readonly compression?: number;
  /** 12 is OS/2's. */
  readonly headerBytes?: number;
  readonly masks?: readonly number[];
  /** Blue, green, red and, but for OS/2, a byte of nothing. */
  readonly palette?: readonly number[];
  readonly data: readonly number[];
}

/** A bitmap of 2 x 2 pixels, from below unless told otherwise. */
export function bmp(options: BmpOptions): Buffer {
  const { width = 2, height = 2, bits, compression = 0, headerBytes = 40, masks = [], palette = [], data } = options;
  const header = Buffer.alloc(14 + headerBytes + (headerBytes === 40 ? 4 * masks.length : 0));
  header.write('BM');
  header.writeUInt32LE(header.length + palette.length, 10);
  header.writeUInt32LE(headerBytes, 14);
  if (headerBytes === 12) {
    for (const [i, value] of [width, height, 1, bits].entries()) header.writeUInt16LE(value, 18 + 2 * i);
  } else {
    header.writeInt32LE(width, 18);
    header.writeInt32LE(height, 22);
    header.writeUInt16LE(bits, 28);
    header.writeUInt32LE(compression, 30);
    for (const [i, mask] of masks.entries()) header.writeUInt32LE(mask, 54 + 4 * i);
  }
  return Buffer.concat([header, Buffer.from(palette), Buffer.from(data)]);
}
