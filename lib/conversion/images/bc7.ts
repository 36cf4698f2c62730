import type { BlockDecoder } from './block-compression.ts';

/** How the bits of a block are shared out. Direct3D 11.3, 19.5.8. */
interface Mode {
  readonly subsets: 1 | 2 | 3;
  readonly partitionBits: number;
  readonly rotationBits: number;
  readonly selectionBits: number;
  readonly colourBits: number;
  readonly alphaBits: number;
  /** A lowest bit for each end of a range, or for both ends together, or none. */
  readonly lowestBits: 'each' | 'both' | 'none';
  readonly indexBits: number;
  /** Of a second index, where opacity has its own. */
  readonly secondBits: number;
}

const modes: readonly Mode[] = [
  mode(3, [4, 0, 0], [4, 0, 'each'], [3, 0]),
  mode(2, [6, 0, 0], [6, 0, 'both'], [3, 0]),
  mode(3, [6, 0, 0], [5, 0, 'none'], [2, 0]),
  mode(2, [6, 0, 0], [7, 0, 'each'], [2, 0]),
  mode(1, [0, 2, 1], [5, 6, 'none'], [2, 3]),
  mode(1, [0, 2, 0], [7, 8, 'none'], [2, 2]),
  mode(1, [0, 0, 0], [7, 7, 'each'], [4, 0]),
  mode(2, [6, 0, 0], [5, 5, 'each'], [2, 0]),
];

function mode(
  subsets: Mode['subsets'],
  [partitionBits, rotationBits, selectionBits]: readonly [number, number, number],
  [colourBits, alphaBits, lowestBits]: readonly [number, number, Mode['lowestBits']],
  [indexBits, secondBits]: readonly [number, number],
): Mode {
  return {
    subsets,
    partitionBits,
    rotationBits,
    selectionBits,
    colourBits,
    alphaBits,
    lowestBits,
    indexBits,
    secondBits,
  };
}

/** Which subset each pixel is in: a bit each where there are two, two bits each where there are three. */
const partitions2 = numbers(
  4,
  'cccc8888eeeeecc8c880feecfec8ec80c800ffecfe80e800ffe8ff00fff0f000f710008e710008ce008c731031008cce088c31106666366c' +
    '17e80ff0718e399caaaaf0f05a5a33cc3c3c55aa9696a55a73ce13c8324c3bdc6996c33c99660660027204e44e402720c936936c39c6639c' +
    '93369cc6817ee718ccf00fcc7744ee22',
);
const partitions3 = numbers(
  8,
  'aa6850506a5a50405a5a42005450a0a8a5a50000a0a050505555a0a05a5a5050aa550000aa555500aaaa55009090909094949494a4a4a4a4' +
    'a9a594502a0a4250a59450400a425054a5a5a50055a0a0a0a8a854546a6a4040a4a450001a1a05000050a4a4aaa590901469691469691400' +
    'a08585a0aa82141450a4a4506a5a0200a9a580005090a0a8a8a090502424242400aa5500249249242449922450a50a50500aa550aaaa4444' +
    '66660000a5a0a5a050a050a06928692844aaaa4466666600aa44444454a854a89580958096969600a85454a880959580aa14141496960000' +
    'aaaa1414a05050a0a0a5a5a09600000040804080a9a8a9a8aaaaaa442a4a5254',
);

/** The pixel of each further subset whose index is a bit shorter, as that of the first pixel is. */
const anchors2 = numbers(1, 'fffffffffffffffff282288f28228822ff6828ff28222ff66268ff22fffff22f');
const anchors3 = [
  numbers(1, '33ff83ff88666533338f336a588685ff8f356a8ff3f5ffff3f55585a5a8dfc33'),
  numbers(1, 'f883ff38fffffff8f8f3f8f83f6affa8f3faa89a6f8f3668f3ffffffffff3ff8'),
] as const;

function numbers(digits: number, text: string): Uint32Array {
  return Uint32Array.from({ length: text.length / digits }, (_, i) =>
    Number.parseInt(text.slice(digits * i, digits * (i + 1)), 16),
  );
}

/** How near to the second end of its range an index is, in 64ths, by the bits that it has. */
const weights: Readonly<Record<number, readonly number[]>> = {
  2: [0, 21, 43, 64],
  3: [0, 9, 18, 27, 37, 46, 55, 64],
  4: [0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64],
};

/** BC7: ranges of colours for one to three parts of each block. */
export const decodeBc7: BlockDecoder = (bytes, at, pixels) => {
  const number = Math.clz32(lowestBit(bytes[at] ?? 0));
  const layout = modes[31 - number];
  // Direct3D says so of what is reserved.
  if (layout === undefined) return void pixels.fill(0);
  const bits = new Bits(bytes, at, 32 - number);
  const partition = bits.take(layout.partitionBits);
  const rotation = bits.take(layout.rotationBits);
  const isSwapped = bits.take(layout.selectionBits) === 1;
  readEnds(bits, layout);
  readIndices(bits, layout, partition, indices, layout.indexBits);
  if (layout.secondBits > 0) readIndices(bits, layout, partition, secondIndices, layout.secondBits);
  mix(layout, partition, isSwapped, pixels);
  if (rotation > 0) rotate(pixels, rotation - 1);
};

/** The ends of up to three ranges, of four channels each. */
const ends = new Uint8Array(24);
const indices = new Uint8Array(16);
const secondIndices = new Uint8Array(16);

function readEnds(bits: Bits, layout: Mode): void {
  const { colourBits, alphaBits, lowestBits } = layout;
  const count = 2 * layout.subsets;
  const channels = alphaBits > 0 ? 4 : 3;
  for (let channel = 0; channel < channels; channel += 1) {
    const length = channel < 3 ? colourBits : alphaBits;
    for (let end = 0; end < count; end += 1) ends[4 * end + channel] = bits.take(length);
  }
  let lowest = 0;
  for (let end = 0; end < count; end += 1) {
    if (lowestBits === 'each' || (lowestBits === 'both' && end % 2 === 0)) lowest = bits.take(1);
    widenEnd(layout, 4 * end, lowest);
  }
}

/** To eight bits for each channel: the highest ones are repeated. */
function widenEnd({ colourBits, alphaBits, lowestBits }: Mode, at: number, lowest: number): void {
  const more = lowestBits === 'none' ? 0 : 1;
  for (let channel = 0; channel < 4; channel += 1) {
    const length = (channel < 3 ? colourBits : alphaBits) + more;
    const high = (((ends[at + channel] ?? 0) << more) | lowest) << (8 - length);
    ends[at + channel] = high | (high >> length);
  }
  if (alphaBits === 0) ends[at + 3] = 255;
}

function readIndices(bits: Bits, { subsets }: Mode, partition: number, to: Uint8Array, length: number): void {
  for (let i = 0; i < 16; i += 1) to[i] = bits.take(isAnchor(subsets, partition, i) ? length - 1 : length);
}

function isAnchor(subsets: number, partition: number, pixel: number): boolean {
  if (pixel === 0) return true;
  if (subsets === 2) return anchors2[partition] === pixel;
  return subsets === 3 && (anchors3[0][partition] === pixel || anchors3[1][partition] === pixel);
}

function subsetOf(subsets: number, partition: number, pixel: number): number {
  if (subsets === 2) return ((partitions2[partition] ?? 0) >> pixel) & 1;
  return subsets === 3 ? ((partitions3[partition] ?? 0) >> (2 * pixel)) & 3 : 0;
}

function mix(layout: Mode, partition: number, isSwapped: boolean, pixels: Uint8Array): void {
  const [one, other] = isSwapped ? [secondIndices, indices] : [indices, secondIndices];
  const [bits, otherBits] = isSwapped ? [layout.secondBits, layout.indexBits] : [layout.indexBits, layout.secondBits];
  const hasTwo = layout.secondBits > 0;
  for (let i = 0; i < 16; i += 1) {
    const from = 8 * subsetOf(layout.subsets, partition, i);
    const colour = weightOf(one[i], bits);
    const alpha = hasTwo ? weightOf(other[i], otherBits) : colour;
    for (let channel = 0; channel < 4; channel += 1) {
      const weight = channel === 3 ? alpha : colour;
      pixels[4 * i + channel] = between(ends[from + channel] ?? 0, ends[from + 4 + channel] ?? 0, weight);
    }
  }
}

function weightOf(index: number | undefined, bits: number): number {
  return weights[bits]?.[index ?? 0] ?? 0;
}

function between(first: number, second: number, weight: number): number {
  return ((64 - weight) * first + weight * second + 32) >> 6;
}

/** Opacity changes places with a colour. */
function rotate(pixels: Uint8Array, channel: number): void {
  for (let to = 0; to < 64; to += 4) {
    const alpha = pixels[to + 3] ?? 0;
    pixels[to + 3] = pixels[to + channel] ?? 0;
    pixels[to + channel] = alpha;
  }
}

function lowestBit(value: number): number {
  return value & -value;
}

/** Bits from the lowest of the first byte on. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;

  /** @param passed bits from the byte at `start` on */
  constructor(bytes: Uint8Array, start: number, passed: number) {
    this.#bytes = bytes;
    this.#at = 8 * start + passed;
  }

  /** @param length at most 8 */
  take(length: number): number {
    const byte = Math.floor(this.#at / 8);
    const both = (this.#bytes[byte] ?? 0) | ((this.#bytes[byte + 1] ?? 0) << 8);
    const value = (both >> (this.#at % 8)) & ((1 << length) - 1);
    this.#at += length;
    return value;
  }
}
