/** Reads one block of 4 x 4 pixels: 16 times red, green, blue and alpha, row by row. */
export type BlockDecoder = (bytes: Uint8Array, at: number, pixels: Uint8Array) => void;

/** BC1: four colours for each block, of which the last may be none at all. Direct3D 11.3, 19.5. */
export const decodeBc1: BlockDecoder = (bytes, at, pixels) => {
  const hasHole = uint16(bytes, at) <= uint16(bytes, at + 2);
  decodeColours(bytes, at, pixels, hasHole);
};

/** BC2: opacity of four bits for each pixel. */
export const decodeBc2: BlockDecoder = (bytes, at, pixels) => {
  decodeColours(bytes, at + 8, pixels, false);
  for (let i = 0; i < 16; i += 1) pixels[4 * i + 3] = 17 * (((bytes[at + (i >> 1)] ?? 0) >> (4 * (i & 1))) & 15);
};

/** BC3: opacity of eight levels for each block. */
export const decodeBc3: BlockDecoder = (bytes, at, pixels) => {
  decodeColours(bytes, at + 8, pixels, false);
  decodeChannel(bytes, at, pixels, 3, false);
};

/** BC4: grey. */
export function bc4Decoder(isSigned: boolean): BlockDecoder {
  return (bytes, at, pixels) => {
    decodeChannel(bytes, at, pixels, 0, isSigned);
    for (let to = 0; to < 64; to += 4) {
      const grey = pixels[to] ?? 0;
      pixels.fill(grey, to + 1, to + 3);
      pixels[to + 3] = 255;
    }
  };
}

/** BC5: the first two parts of directions, of which the third follows. */
export function bc5Decoder(isSigned: boolean): BlockDecoder {
  return (bytes, at, pixels) => {
    decodeChannel(bytes, at, pixels, 0, isSigned);
    decodeChannel(bytes, at + 8, pixels, 1, isSigned);
    for (let to = 0; to < 64; to += 4) {
      pixels[to + 2] = heightOf(pixels[to] ?? 0, pixels[to + 1] ?? 0);
      pixels[to + 3] = 255;
    }
  };
}

/** BC3 as games use it for directions: the first part lies where opacity would, which loses less. */
export const decodeDirections: BlockDecoder = (bytes, at, pixels) => {
  decodeBc3(bytes, at, pixels);
  for (let to = 0; to < 64; to += 4) {
    pixels[to] = pixels[to + 3] ?? 0;
    pixels[to + 2] = heightOf(pixels[to] ?? 0, pixels[to + 1] ?? 0);
    pixels[to + 3] = 255;
  }
};

/** BC3 with red where opacity would be. */
export const decodeRxgb: BlockDecoder = (bytes, at, pixels) => {
  decodeBc3(bytes, at, pixels);
  for (let to = 0; to < 64; to += 4) {
    pixels[to] = pixels[to + 3] ?? 0;
    pixels[to + 3] = 255;
  }
};

/** Colours that were multiplied with their opacity before they were compressed, as they were. */
export function unmultiplied(decode: BlockDecoder): BlockDecoder {
  return (bytes, at, pixels) => {
    decode(bytes, at, pixels);
    for (let to = 0; to < 64; to += 4) {
      const alpha = pixels[to + 3] ?? 0;
      if (alpha === 0) continue;
      for (let i = to; i < to + 3; i += 1) pixels[i] = Math.min(255, Math.round(((pixels[i] ?? 0) * 255) / alpha));
    }
  };
}

const colours = new Uint8Array(16);

function decodeColours(bytes: Uint8Array, at: number, pixels: Uint8Array, hasHole: boolean): void {
  expand565(uint16(bytes, at), 0);
  expand565(uint16(bytes, at + 2), 4);
  for (let i = 0; i < 3; i += 1) {
    const [first, second] = [colours[i] ?? 0, colours[4 + i] ?? 0];
    colours[8 + i] = hasHole ? (first + second) / 2 : Math.round((2 * first + second) / 3);
    colours[12 + i] = hasHole ? 0 : Math.round((first + 2 * second) / 3);
  }
  colours[11] = 255;
  colours[15] = hasHole ? 0 : 255;
  for (let i = 0; i < 16; i += 1) {
    const from = 4 * (((bytes[at + 4 + (i >> 2)] ?? 0) >> (2 * (i & 3))) & 3);
    for (let channel = 0; channel < 4; channel += 1) pixels[4 * i + channel] = colours[from + channel] ?? 0;
  }
}

function expand565(value: number, to: number): void {
  const [red, green, blue] = [value >> 11, (value >> 5) & 63, value & 31];
  colours[to] = (red << 3) | (red >> 2);
  colours[to + 1] = (green << 2) | (green >> 4);
  colours[to + 2] = (blue << 3) | (blue >> 2);
  colours[to + 3] = 255;
}

const levels = new Uint8Array(8);

/** Two levels, and six between them or four with the least and the most there is; three bits for each pixel choose one. */
function decodeChannel(bytes: Uint8Array, at: number, pixels: Uint8Array, channel: number, isSigned: boolean): void {
  const [first, second] = [levelOf(bytes[at] ?? 0, isSigned), levelOf(bytes[at + 1] ?? 0, isSigned)];
  const steps = first > second ? 7 : 5;
  levels[0] = Math.round(first);
  levels[1] = Math.round(second);
  for (let i = 1; i < steps; i += 1) levels[1 + i] = Math.round(((steps - i) * first + i * second) / steps);
  if (steps === 5) levels.set([0, 255], 6);
  // The bits of eight pixels are whole bytes.
  for (let half = 0; half < 2; half += 1) {
    const from = at + 2 + 3 * half;
    const bits = (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8) | ((bytes[from + 2] ?? 0) << 16);
    for (let i = 0; i < 8; i += 1) pixels[4 * (8 * half + i) + channel] = levels[(bits >> (3 * i)) & 7] ?? 0;
  }
}

/** From 0 to 255, where a signed one goes from -127 to 127. */
function levelOf(byte: number, isSigned: boolean): number {
  if (!isSigned) return byte;
  const value = byte > 127 ? byte - 256 : byte;
  return ((Math.max(-127, value) + 127) * 255) / 254;
}

/** The third part of a direction of length 1 that leads out of the surface. */
function heightOf(red: number, green: number): number {
  const [x, y] = [red / 127.5 - 1, green / 127.5 - 1];
  return Math.round(127.5 * (1 + Math.sqrt(Math.max(0, 1 - x * x - y * y))));
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
