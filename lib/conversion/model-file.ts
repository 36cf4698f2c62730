import { type FileHandle, open } from 'node:fs/promises';

/** A file that is read in parts, wherever it lies. */
export interface ModelFile {
  /** Bytes. */
  readonly size: number;
  /** Bytes from `offset` on; fewer than `length` where the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Reads a file of this machine while the work runs. */
export async function withLocalFile<T>(path: string, work: (file: ModelFile) => Promise<T>): Promise<T> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  return await work({ size, read: (offset, length) => readFully(handle, offset, Math.min(length, size - offset)) });
}

/** One read call moves at most this much: the system refuses more than 2 GiB at once. */
const READ_BYTES = 2 ** 30;

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.max(0, length));
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(READ_BYTES, bytes.length - done), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === bytes.length ? bytes : bytes.subarray(0, done);
}
