import { type FileHandle, open, stat } from 'node:fs/promises';

/** A file that is read in parts, wherever it lies. */
export interface ModelFile {
  /** Bytes. */
  readonly size: number;
  /** Bytes from `offset` on; fewer than `length` where the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A whole file, for libraries that share what they are given: a view of a pooled buffer would drag its neighbours along. */
export async function readWhole(file: ModelFile): Promise<Uint8Array<ArrayBuffer>> {
  return await readOwned(file, 0, file.size);
}

/** As `readWhole`, a part of a file. */
export async function readOwned(file: ModelFile, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.read(offset, length);
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? new Uint8Array(buffer) : bytes.slice();
}

/** A file of this machine, opened anew for each read; undefined where there is none. */
export async function localFile(path: string): Promise<ModelFile | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const { size } = found;
  return {
    size,
    read: async (offset, length) => {
      await using handle = await open(path);
      return await readFully(handle, offset, Math.min(length, size - offset));
    },
  };
}

/** One read call moves at most this much: the system refuses more than 2 GiB at once. */
const READ_BYTES = 2 ** 30;

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Math.max(0, length));
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(READ_BYTES, bytes.length - done), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === bytes.length ? bytes : bytes.subarray(0, done);
}
