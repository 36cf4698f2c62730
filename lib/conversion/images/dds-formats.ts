import { decodeBc7 } from './bc7.ts';
import {
  type BlockDecoder,
  bc4Decoder,
  bc5Decoder,
  decodeBc1,
  decodeBc2,
  decodeBc3,
  decodeDirections,
  decodeRxgb,
  unmultiplied,
} from './block-compression.ts';
import type { Pixels } from './pixels.ts';

/** How a DDS stores its pixels. */
export type DdsFormat =
  | {
      readonly kind: 'blocks';
      readonly blockBytes: 8 | 16;
      readonly channels: Pixels['channels'];
      readonly decode: BlockDecoder;
    }
  | {
      readonly kind: 'plain';
      readonly pixelBytes: number;
      /** Which bits of a pixel are which channel; 0 for what it does not have. */
      readonly masks: readonly number[];
    };

const bc1 = blocks(8, 4, decodeBc1);
const bc2 = blocks(16, 4, decodeBc2);
const bc3 = blocks(16, 4, decodeBc3);
const bc4 = blocks(8, 1, bc4Decoder(false));
const bc5 = blocks(16, 3, bc5Decoder(false));
const signedBc4 = blocks(8, 1, bc4Decoder(true));
const signedBc5 = blocks(16, 3, bc5Decoder(true));
const bc7 = blocks(16, 4, decodeBc7);

/** By the four characters of its header. */
export const byFourCharacters: Readonly<Record<string, DdsFormat>> = {
  DXT1: bc1,
  DXT2: blocks(16, 4, unmultiplied(decodeBc2)),
  DXT3: bc2,
  DXT4: blocks(16, 4, unmultiplied(decodeBc3)),
  DXT5: bc3,
  ATI1: bc4,
  BC4U: bc4,
  BC4S: signedBc4,
  ATI2: bc5,
  BC5U: bc5,
  BC5S: signedBc5,
  RXGB: blocks(16, 3, decodeRxgb),
};

/** What NVIDIA's tools write in place of a count of bits for DXT5 that holds directions. */
export const DIRECTIONS_IN_DXT5 = 'A2D5';
export const directionsInDxt5: DdsFormat = blocks(16, 3, decodeDirections);

const rgba8 = plain(4, [0xff, 0xff00, 0xff_0000, 0xff00_0000]);
const bgra8 = plain(4, [0xff_0000, 0xff00, 0xff, 0xff00_0000]);
const bgrx8 = plain(4, [0xff_0000, 0xff00, 0xff]);

/** By the number in the header that Direct3D 10 added: DXGI_FORMAT. Of those without a type, colours are as likely as anything. */
export const byDxgiNumber: Readonly<Record<number, DdsFormat>> = {
  24: plain(4, [0x3ff, 0xf_fc00, 0x3ff0_0000, 0xc000_0000]),
  27: rgba8,
  28: rgba8,
  29: rgba8,
  49: plain(2, [0xff, 0xff00, 0]),
  56: plain(2, [0xffff]),
  61: plain(1, [0xff]),
  65: plain(1, [0xff]),
  70: bc1,
  71: bc1,
  72: bc1,
  73: bc2,
  74: bc2,
  75: bc2,
  76: bc3,
  77: bc3,
  78: bc3,
  79: bc4,
  80: bc4,
  81: signedBc4,
  82: bc5,
  83: bc5,
  84: signedBc5,
  85: plain(2, [0xf800, 0x7e0, 0x1f]),
  86: plain(2, [0x7c00, 0x3e0, 0x1f, 0x8000]),
  87: bgra8,
  88: bgrx8,
  90: bgra8,
  91: bgra8,
  92: bgrx8,
  93: bgrx8,
  97: bc7,
  98: bc7,
  99: bc7,
  115: plain(2, [0xf00, 0xf0, 0xf, 0xf000]),
};

/** Numbers of what a picture in eight bits cannot hold, or what is no picture; others are told by their number. */
export const otherDxgiFormats: Readonly<Record<number, string>> = {
  2: 'floats of 32 bits',
  6: 'floats of 32 bits',
  10: 'floats of 16 bits',
  16: 'floats of 32 bits',
  34: 'floats of 16 bits',
  41: 'floats of 32 bits',
  54: 'floats of 16 bits',
  94: 'BC6H',
  95: 'BC6H',
  96: 'BC6H',
};

function blocks(blockBytes: 8 | 16, channels: Pixels['channels'], decode: BlockDecoder): DdsFormat {
  return { kind: 'blocks', blockBytes, channels, decode };
}

export function plain(pixelBytes: number, masks: readonly number[]): DdsFormat {
  return { kind: 'plain', pixelBytes, masks };
}
