import { type ModelFile, readWhole } from '../model-file.ts';

/** How a text is encoded, by its first bytes: a byte order mark, or the zeros beside the first characters of an XML. */
export function encodingOf(head: Uint8Array): { encoding: 'utf-8' | 'utf-16le' | 'utf-16be'; mark: number } {
  const [a, b, c] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', mark: 3 };
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', mark: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', mark: 2 };
  if (a !== 0 && a !== undefined && b === 0) return { encoding: 'utf-16le', mark: 0 };
  return { encoding: a === 0 && b !== 0 ? 'utf-16be' : 'utf-8', mark: 0 };
}

/** The first characters of a text, whatever its encoding. */
export function headText(head: Uint8Array): string {
  const { encoding, mark } = encodingOf(head);
  return new TextDecoder(encoding).decode(head.subarray(mark));
}

/** The same text in UTF-8 and without a byte order mark. What is so already is read in parts, as it was. */
export async function inUtf8(file: ModelFile): Promise<ModelFile> {
  const { encoding, mark } = encodingOf(await file.read(0, 4));
  if (encoding === 'utf-8') {
    if (mark === 0) return file;
    return { size: file.size - mark, read: (offset, length) => file.read(offset + mark, length) };
  }
  const bytes = (await readWhole(file)).subarray(mark);
  return fileOf(new TextEncoder().encode(new TextDecoder(encoding).decode(bytes)));
}

/** Bytes that are held already. */
export function fileOf(bytes: Uint8Array): ModelFile {
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}
