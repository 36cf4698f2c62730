/** An image, row by row from its top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Of 8 bits each: grey, or red, green, blue and perhaps alpha. */
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}
