/** An image, row by row from its top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Of 8 bits each: grey, grey and alpha, or red, green, blue and perhaps alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array;
  /** Whether the file ends before its last pixel; those that are not there are zero. */
  readonly isCutOff: boolean;
}

/**
 * Reads an image.
 * @param checkPixels is told of the number of pixels before any of them is read, and may throw
 * @throws UnreadableImage with the reason where it cannot be read
 */
export type Decoder = (bytes: Uint8Array, checkPixels: (count: number) => void) => Pixels;

/** Why an image is left out. */
export class UnreadableImage extends Error {
  override readonly name = 'UnreadableImage';
}

/** What a file is told that ends before its first pixel. */
export function noPixels(kind: string): UnreadableImage {
  return new UnreadableImage(`It is a ${kind} that ends before its pixels do; save it again.`);
}
