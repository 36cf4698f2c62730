import type { ModelFile } from '../model-file.ts';

/** Bytes that are read at once. */
const CHUNK_BYTES = 2 ** 20;

/** A file that is read from front to back and held in parts. */
export class ChunkedFile {
  /** What has been read and not yet been passed begins at `at`. */
  protected bytes: Uint8Array = new Uint8Array(0);
  protected at = 0;
  readonly #file: ModelFile;
  /** Where the next chunk begins in the file. */
  #next: number;

  /** @param offset where to begin in the file */
  constructor(file: ModelFile, offset = 0) {
    this.#file = file;
    this.#next = offset;
  }

  /** Bytes from the start of the file. */
  get position(): number {
    return this.#next - this.bytes.length + this.at;
  }

  /** Bytes from `position` to the end of the file. */
  get rest(): number {
    return this.#file.size - this.position;
  }

  protected get isLast(): boolean {
    return this.#next >= this.#file.size;
  }

  /** Reads more, at least `length` bytes where the file has them. Twice as much as is held, so that long pieces are not copied often. */
  protected async readMore(length = 0): Promise<void> {
    const held = this.bytes.subarray(this.at);
    const chunk = await this.#file.read(this.#next, Math.max(CHUNK_BYTES, held.length, length));
    // A file that shrinks while it is read has ended.
    this.#next = chunk.length === 0 ? this.#file.size : this.#next + chunk.length;
    if (held.length === 0) this.bytes = chunk;
    else {
      this.bytes = new Uint8Array(held.length + chunk.length);
      this.bytes.set(held);
      this.bytes.set(chunk, held.length);
    }
    this.at = 0;
  }
}
