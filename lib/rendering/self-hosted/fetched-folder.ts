import { join } from 'node:path';
import {
  ConversionError,
  type ConversionLimits,
  checkLimit,
  localFile,
  type ModelFile,
  type ModelFolder,
} from '#lib/conversion';
import { type BlobFile, type BlobFolder, type Blobs, StorageError } from '#lib/storage';

interface FetchedFile {
  readonly path: string;
  readonly sha256: string;
}

/** What tells a format: it is read where it lies, so that what is no model is not downloaded. In bytes. */
const HEAD_BYTES = 4096;
const DOWNLOADS_AT_ONCE = 4;
/** What a file system answers to a name that it cannot have; a blob may have it. */
const UNUSABLE_NAMES: ReadonlySet<unknown> = new Set(['ENAMETOOLONG', 'ENOTDIR', 'EISDIR', 'EEXIST']);

/**
 * A folder of blobs of which each file is downloaded when it is first read, and read from this machine's disk from then on: whoever looks
 * for a model's references and converts it afterwards reads every file over the network once. Disposing of it waits for what is under way.
 */
export class FetchedFolder implements ModelFolder, AsyncDisposable {
  readonly #blobs: Blobs;
  readonly #folder: BlobFolder;
  readonly #directory: string;
  readonly #limits: ConversionLimits;
  readonly #files = new Map<string, Promise<FetchedFile>>();
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #bytes = 0;

  constructor(blobs: Blobs, folder: BlobFolder, directory: string, limits: ConversionLimits, signal: AbortSignal) {
    this.#blobs = blobs;
    this.#folder = folder;
    this.#directory = directory;
    this.#limits = limits;
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
  }

  async find(path: string): Promise<ModelFile | undefined> {
    const blob = await this.#folder.find(path);
    if (blob === undefined) return undefined;
    const read = async (offset: number, length: number) => {
      if (offset + length <= HEAD_BYTES && !this.#files.has(path)) return await blob.read(offset, length);
      await this.#fetch(path, blob);
      return (await localFile(join(this.#directory, path)))?.read(offset, length) ?? new Uint8Array(0);
    };
    return { size: blob.size, read };
  }

  /**
   * Downloads what is not here yet, a few files at a time.
   * @returns every one of the files, in the order of their paths' giving
   * @throws ConversionError `missing_files` for one that is gone by now, `limit`, `input_refused`
   */
  async fetchAll(paths: readonly string[]): Promise<FetchedFile[]> {
    const fetched = new Map<string, FetchedFile>();
    const queue = paths.values();
    const work = async () => {
      for (const path of queue) {
        this.#signal.throwIfAborted();
        fetched.set(path, await this.#fetch(path, await this.#folder.find(path)));
      }
    };
    await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, work));
    return paths.flatMap((path) => fetched.get(path) ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await Promise.allSettled(this.#files.values());
  }

  #fetch(path: string, blob: BlobFile | undefined): Promise<FetchedFile> {
    const fetching = this.#files.get(path) ?? this.#download(path, blob?.size ?? 0);
    this.#files.set(path, fetching);
    return fetching;
  }

  async #download(path: string, size: number): Promise<FetchedFile> {
    this.#bytes += size;
    checkLimit('inputBytes', this.#bytes, this.#limits);
    // One that has grown since it was listed may take what is left.
    const most = this.#limits.inputBytes - this.#bytes + size;
    try {
      const to = join(this.#directory, path);
      const { sha256 } = await this.#blobs.download(this.#folder.nameOf(path), to, most, this.#signal);
      return { path, sha256 };
    } catch (error) {
      throw refusalOf(path, error);
    }
  }
}

function refusalOf(path: string, error: unknown): unknown {
  if (error instanceof StorageError && error.code === 'too_large') {
    return new ConversionError('limit', error.message, { cause: error, limit: 'inputBytes' });
  }
  if (error instanceof StorageError) {
    const message = `The file ${path} of the model went away while it was read: ${error.message}`;
    return new ConversionError('missing_files', message, { cause: error });
  }
  if (error instanceof Error && 'code' in error && UNUSABLE_NAMES.has(error.code)) {
    const message = `The file ${path} of the model cannot be kept under that name (${error.message}). Name it otherwise.`;
    return new ConversionError('input_refused', message, { cause: error });
  }
  return error;
}
