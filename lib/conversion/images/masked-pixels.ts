import type { Pixels } from './pixels.ts';

/** How pixels lie in a file whose channels are bits of a number each. */
export interface MaskedLayout {
  readonly width: number;
  readonly height: number;
  readonly start: number;
  readonly rowBytes: number;
  /** 1 to 4; the lowest byte comes first. */
  readonly pixelBytes: number;
  /** Which bits are which channel: grey, grey and alpha, or red, green, blue and alpha; 0 for one that is not there. */
  readonly masks: readonly number[];
  readonly fromTop: boolean;
}

/** Reads the pixels of a layout, as far as the file has them. */
export function decodeMasked(bytes: Uint8Array, layout: MaskedLayout): Pixels {
  const { width, height, start, rowBytes, pixelBytes, masks, fromTop } = layout;
  const channels = channelsOf(masks);
  const data = new Uint8Array(channels * width * height);
  const parts = masks.slice(0, channels).map(partOf);
  for (let row = 0; row < height; row += 1) {
    const from = start + row * rowBytes;
    const stored = Math.max(0, Math.min(width, Math.floor((bytes.length - from) / pixelBytes)));
    const to = channels * width * (fromTop ? row : height - 1 - row);
    for (let x = 0; x < stored; x += 1) {
      const pixel = numberAt(bytes, from + x * pixelBytes, pixelBytes);
      for (let channel = 0; channel < channels; channel += 1) {
        data[to + channels * x + channel] = parts[channel]?.(pixel) ?? 0;
      }
    }
  }
  return {
    width,
    height,
    channels,
    data,
    isCutOff: start + (height - 1) * rowBytes + width * pixelBytes > bytes.length,
  };
}

function channelsOf(masks: readonly number[]): Pixels['channels'] {
  if (masks.length < 3) return masks.length === 2 ? 2 : 1;
  return (masks[3] ?? 0) === 0 ? 3 : 4;
}

/** Takes a channel out of a pixel; the largest number that its bits hold is 255. */
function partOf(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const scale = 255 / (mask >>> shift);
  return (pixel) => Math.round(((pixel & mask) >>> shift) * scale);
}

function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i -= 1) value = (value << 8) | (bytes[at + i] ?? 0);
  return value;
}
