import type { ModelFile } from '../model-file.ts';
import { refused } from './refused.ts';

const WINDOW_BYTES = 2 ** 18;

/** Any place of a file, of which a part is held: for what is read here and there, mostly forwards. */
export class FileWindow {
  readonly size: number;
  readonly #file: ModelFile;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(file: ModelFile) {
    this.#file = file;
    this.size = file.size;
  }

  /**
   * Bytes from an offset on.
   * @param what they are, for the message
   * @throws ConversionError `input_refused` where the file ends before
   */
  async at(offset: number, length: number, what: string): Promise<DataView> {
    if (offset < this.#start || offset + length > this.#start + this.#bytes.length) await this.#move(offset, length);
    const from = offset - this.#start;
    if (from + length > this.#bytes.length) {
      throw refused(`the file was cut off: it ends after ${this.size} bytes, within ${what}.`);
    }
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + from, length);
  }

  /** As `at`, as text in UTF-8. */
  async text(offset: number, length: number): Promise<string> {
    const view = await this.at(offset, length, 'a text');
    return Buffer.from(view.buffer, view.byteOffset, length).toString('utf8');
  }

  async #move(offset: number, length: number): Promise<void> {
    this.#bytes = await this.#file.read(offset, Math.max(length, WINDOW_BYTES));
    this.#start = offset;
  }
}
