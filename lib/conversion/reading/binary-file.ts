import { ChunkedFile } from './chunked-file.ts';
import { refused } from './refused.ts';

/** Binary data, read from front to back: `has` what is wanted, or `need` it, then look at it through `view` and `skip` it. */
export class BinaryFile extends ChunkedFile {
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** The bytes that have been read; what comes next begins at `start`. */
  get view(): DataView {
    return this.#view;
  }

  get start(): number {
    return this.at;
  }

  /** True where the next `length` bytes can be looked at. */
  has(length: number): boolean {
    return this.at + length <= this.bytes.length;
  }

  /**
   * Reads until the next `length` bytes can be looked at.
   * @param what they are, for the message
   * @throws ConversionError `input_refused` where the file ends before
   */
  async need(length: number, what: string): Promise<void> {
    if (length > this.rest) throw this.#cutOff(what);
    await this.readMore(length);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    if (!this.has(length)) throw this.#cutOff(what);
  }

  skip(length: number): void {
    this.at += length;
  }

  #cutOff(what: string): Error {
    return refused(`the file was cut off: it ends after ${this.position + this.rest} bytes, within ${what}.`);
  }
}
