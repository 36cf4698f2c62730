import { ConversionError } from '../conversion-error.ts';
import type { ModelFile } from '../model-file.ts';
import { refused } from '../reading/refused.ts';
import type { LasHeader } from './las-header.ts';

/** The library's WebAssembly has 2 GiB, in which it holds the whole file and some tables. */
const LARGEST_FILE = 1.75 * 2 ** 30;
/** As much of a file as is copied at once, in bytes. */
const CHUNK_BYTES = 2 ** 24;
/** LAS 1.4 R15, 2.6: those with waveforms are not unpacked by the library. */
const WAVEFORM_FORMATS = [4, 5, 9, 10];
const INSTEAD = 'Decompress it to LAS, for instance with PDAL or LAStools, and convert that.';

/** One for the process: each would listen to its events. Undefined after an error, which may leave it in any state. */
let loading: ReturnType<typeof load> | undefined;

async function load() {
  const { createLazPerf } = await import('laz-perf');
  return await createLazPerf();
}

/**
 * The points of a LAZ as a LAS has them, to be read from front to back. Whole ones are read, so that a piece may be shorter than what is asked
 * for.
 * @throws ConversionError `input_refused` for what cannot be unpacked, `memory` for a file that is too large for it
 */
export async function unpackLaz(file: ModelFile, header: LasHeader): Promise<ModelFile & Disposable> {
  if (WAVEFORM_FORMATS.includes(header.format)) {
    throw refused(`it is compressed (LAZ) with points of format ${header.format}, which have waveforms. ${INSTEAD}`);
  }
  if (file.size > LARGEST_FILE) throw tooLarge(file.size);
  await checkChunks(file, header);
  loading ??= load();
  const own = loading;
  const library = await own;
  const [data, record] = [library._malloc(file.size), library._malloc(header.recordBytes)];
  if (data === 0 || record === 0) {
    // What it did give would be kept for good.
    loading = undefined;
    throw tooLarge(file.size);
  }
  const reader = new library.LASZip();
  for (let at = 0; at < file.size; ) {
    const chunk = await file.read(at, Math.min(CHUNK_BYTES, file.size - at));
    if (chunk.length === 0) throw refused(`the file was cut off while it was read, after ${at} bytes.`);
    library.HEAPU8.set(chunk, data + at);
    at += chunk.length;
  }
  attempt('its header or its table of chunks is wrong', () => reader.open(data, file.size));
  let next = 0;
  return {
    size: header.count * header.recordBytes,
    read: async (_, length) => {
      const count = Math.min(Math.floor(length / header.recordBytes), header.count - next);
      const records = new Uint8Array(count * header.recordBytes);
      for (let i = 0; i < count; i += 1, next += 1) {
        attempt(`point ${next + 1} of ${header.count} cannot be unpacked`, () => reader.getPoint(record));
        records.set(library.HEAPU8.subarray(record, record + header.recordBytes), i * header.recordBytes);
      }
      return records;
    },
    [Symbol.dispose]: () => {
      if (loading !== own) return;
      reader.delete();
      library._free(data);
      library._free(record);
    },
  };
}

/** The library believes the table of chunks, of which each begins with a whole point. */
async function checkChunks(file: ModelFile, { offset, recordBytes }: LasHeader): Promise<void> {
  const tableAt = Number(viewOf(await file.read(offset, 8)).getBigInt64(0, true));
  if (tableAt === -1)
    throw refused(`it is compressed (LAZ) by a program that could not say where its chunks are. ${INSTEAD}`);
  if (tableAt < offset + 8 || tableAt + 8 > file.size) {
    throw refused(`its table of chunks would be at byte ${tableAt} of ${file.size}: the file was cut off.`);
  }
  const chunks = viewOf(await file.read(tableAt, 8)).getUint32(4, true);
  if (chunks * recordBytes <= file.size) return;
  throw refused(`its table of chunks (byte ${tableAt}) has ${chunks}, which take more bytes than the file has.`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What the library throws is a number, or says nothing of the file. */
function attempt(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    loading = undefined;
    const { message } = refused(`it is compressed (LAZ), and ${what}. ${INSTEAD}`);
    throw new ConversionError('input_refused', message, { cause: error });
  }
}

function tooLarge(bytes: number): ConversionError {
  const message = `The model is a LAZ of ${bytes} bytes; the most that can be unpacked are ${LARGEST_FILE}. ${INSTEAD}`;
  return new ConversionError('memory', message, { limit: 'memoryBytes' });
}
