import { posix } from 'node:path';
import type { Blobs } from './blobs.ts';

/** In a folder of more blobs than that, those that were not listed are asked for one by one. */
const MOST_LISTED = 20_000;

/** A blob that is read in parts. */
export interface BlobFile {
  /** Bytes. */
  readonly size: number;
  /** Another after each write; undefined in a folder of too many blobs. */
  readonly eTag?: string | undefined;
  /** Bytes from `offset` on; fewer than `length` where the blob ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The files below one folder of a container, as they were at the first question: that lists them all, which costs no more than one does. */
export class BlobFolder {
  readonly #blobs: Blobs;
  readonly #container: string;
  readonly #folder: string;
  readonly #signal: AbortSignal | undefined;
  readonly #mostListed: number;
  #listed: ReturnType<Blobs['list']> | undefined;

  /** @param folder a path in the container, without a slash at its end; empty or `.` for all of it */
  constructor(blobs: Blobs, container: string, folder: string, signal?: AbortSignal, mostListed = MOST_LISTED) {
    this.#blobs = blobs;
    this.#container = container;
    this.#folder = folder === '.' ? '' : folder;
    this.#signal = signal;
    this.#mostListed = mostListed;
  }

  /** The blob of a path below the folder, `/` between its parts. */
  nameOf(path: string): { readonly container: string; readonly name: string } {
    return { container: this.#container, name: posix.join(this.#folder, path) };
  }

  /** A file by its path below the folder; undefined where it is not there, or not below the folder. */
  async find(path: string): Promise<BlobFile | undefined> {
    const blob = this.nameOf(path);
    const prefix = this.#folder === '' ? '' : `${this.#folder}/`;
    if (!blob.name.startsWith(prefix) || blob.name.startsWith('../')) return undefined;
    this.#listed ??= this.#blobs.list({ container: this.#container, prefix }, this.#mostListed, this.#signal);
    const { blobs, isComplete } = await this.#listed;
    const listed = blobs.get(blob.name);
    const size = listed?.size ?? (isComplete ? undefined : await this.#blobs.size(blob));
    if (size === undefined) return undefined;
    return { size, eTag: listed?.eTag, read: (offset, length) => this.#blobs.read(blob, offset, length, this.#signal) };
  }
}
