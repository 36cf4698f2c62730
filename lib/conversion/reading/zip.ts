import { inflateRawSync } from 'node:zlib';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { type ModelFile, readOwned } from '../model-file.ts';
import { refused } from './refused.ts';

/** A file within an archive. */
export interface ZipEntry {
  /** With `/` between its parts; never leads out of the archive. */
  readonly name: string;
  /** Bytes when unpacked, as the archive has it; unpacking stops there. */
  readonly size: number;
  readonly packedSize: number;
  readonly method: number;
  /** Of its local header in the archive. */
  readonly offset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
/** The end of the directory is followed by a comment of at most this length. */
const LONGEST_COMMENT = 0xffff;
const [STORED, DEFLATED] = [0, 8];
/** Stands where 32 bits are too few: a ZIP64. */
const ELSEWHERE = 0xffffffff;

/** True where a file begins like an archive. */
export function looksLikeZip(head: Uint8Array): boolean {
  return head.length > 30 && head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

/** The files of an archive by its directory; folders are left out. Nothing is unpacked. */
export async function readZipDirectory(file: ModelFile): Promise<ZipEntry[]> {
  const tailBytes = Math.min(file.size, END_BYTES + LONGEST_COMMENT);
  const tail = Buffer.from(await file.read(file.size - tailBytes, tailBytes));
  const at = findEnd(tail);
  if (at === undefined) throw refused('the archive was cut off: its directory, which stands at its end, is missing.');
  const count = tail.readUInt16LE(at + 10);
  const size = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  if (offset === ELSEWHERE || size === ELSEWHERE) throw refused('the archive is a ZIP64. Pack it as a plain ZIP.');
  if (offset + size > file.size) throw refused('the archive is damaged: its directory lies beyond its end.');
  return parseDirectory(Buffer.from(await file.read(offset, size)), count);
}

/** @throws ConversionError `limit` where the archive's files are too many or too large when unpacked */
export function checkZipLimits(entries: readonly ZipEntry[], limits: WorkLimits): void {
  checkLimit('inputFiles', entries.length, limits);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  checkLimit('unpackedBytes', bytes, limits);
}

/** Unpacks one file; never more than the directory says it has. */
export async function unpackZipEntry(file: ModelFile, entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  const name = `'${entry.name}' in the archive`;
  const header = Buffer.from(await file.read(entry.offset, 30));
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL_SIGNATURE)
    throw refused(`${name} is not where it should be.`);
  if ((header.readUInt16LE(6) & 1) === 1) throw refused(`${name} is encrypted.`);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = await readOwned(file, start, entry.packedSize);
  if (packed.length < entry.packedSize) throw refused(`the archive was cut off within ${name}.`);
  if (entry.method === STORED) return packed;
  if (entry.method !== DEFLATED)
    throw refused(`${name} is packed by a method (${entry.method}) that is not supported.`);
  try {
    const bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    return new Uint8Array(bytes);
  } catch (error) {
    const isLarger = error instanceof RangeError;
    const why = isLarger ? `it has more than the ${entry.size} bytes that the archive says` : describe(error);
    throw refused(`${name} cannot be unpacked: ${why}.`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) if (tail.readUInt32LE(at) === END_SIGNATURE) return at;
  return undefined;
}

function parseDirectory(directory: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      throw refused(`the archive's directory is damaged at entry ${i + 1} of ${count}.`);
    }
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const stored = directory.subarray(at + 46, nameEnd).toString('utf8');
    const entry = {
      name: checkName(stored),
      size: directory.readUInt32LE(at + 24),
      packedSize: directory.readUInt32LE(at + 20),
      method: directory.readUInt16LE(at + 10),
      offset: directory.readUInt32LE(at + 42),
    };
    if (!entry.name.endsWith('/')) entries.push(entry);
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

function checkName(stored: string): string {
  const name = stored.replaceAll('\\', '/');
  const leaves = name.startsWith('/') || /^[a-z]:/i.test(name) || name.split('/').includes('..') || name.includes('\0');
  if (leaves) throw refused(`the archive has a file '${name.slice(0, 100)}' that leads out of it.`);
  return name;
}
