/** An image, row by row from its top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Of 8 bits each: grey, or red, green, blue and perhaps alpha. */
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

/**
 * Reads an image; undefined where it is none of this format, or cut off.
 * @param checkPixels is told of the number of pixels before any of them is read, and may throw
 */
export type Decoder = (bytes: Uint8Array, checkPixels: (count: number) => void) => Pixels | undefined;
