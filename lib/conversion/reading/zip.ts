import { crc32, inflateRawSync } from 'node:zlib';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { type ModelFile, readOwned } from '../model-file.ts';
import { refused } from './refused.ts';
import { parseZipDirectory, startsDirectory, type ZipEntry } from './zip-directory.ts';

const END_SIGNATURE = 0x06054b50;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
/** The end of the directory is followed by a comment of at most this length. */
const LONGEST_COMMENT = 0xffff;
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 1;
/** Stand in a directory's end where 32 or 16 bits are too few: a ZIP64. */
const [ELSEWHERE, COUNT_ELSEWHERE] = [0xffffffff, 0xffff];
/** Larger directories are nobody's. */
const MOST_DIRECTORY_BYTES = 2 ** 25;

/** Other ways to pack a file, by their number, for those who have to pack it anew. */
const methods: Readonly<Record<number, string>> = {
  1: 'Shrink',
  6: 'Implode',
  9: 'Deflate64',
  12: 'BZIP2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'XZ',
  98: 'PPMd',
  99: 'AES encryption',
};

/** What archives begin with: a file, or their directory where they have none; a mark of four bytes may stand before (one that was to be split). */
const beginnings = ['PK\x03\x04', 'PK00PK\x03\x04', 'PK\x07\x08PK\x03\x04', 'PK\x05\x06\0\0'];

/** True where a file begins like an archive. */
export function looksLikeZip(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 8)).toString('latin1');
  return head.length >= END_BYTES && beginnings.some((beginning) => text.startsWith(beginning));
}

/**
 * The files of an archive by its directory, ZIP64 or not; folders are left out. Nothing is unpacked.
 * @throws ConversionError `input_refused`
 */
export async function readZipDirectory(file: ModelFile): Promise<ZipEntry[]> {
  const tailBytes = Math.min(file.size, ZIP64_LOCATOR_BYTES + END_BYTES + LONGEST_COMMENT);
  const tail = Buffer.from(await file.read(file.size - tailBytes, tailBytes));
  const at = findEnd(tail);
  if (at === undefined) throw refused('the archive was cut off: its directory, which stands at its end, is missing.');
  const end = file.size - tail.length + at;
  const { count, size, offset, endsAt } = (await readZip64End(file, tail, at)) ?? {
    count: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
    endsAt: end,
  };
  if (size > endsAt || offset > endsAt - size)
    throw refused('the archive is damaged: its directory lies beyond its end.');
  if (size > MOST_DIRECTORY_BYTES)
    throw refused(`the archive's directory has ${size} bytes, more than any that is real.`);
  const directory = Buffer.from(await file.read(offset, size));
  if (count === 0 || startsDirectory(directory)) return parseZipDirectory(directory, count, 0);
  // What was put before an archive moves all of it.
  const prefix = endsAt - size - offset;
  return parseZipDirectory(Buffer.from(await file.read(offset + prefix, size)), count, prefix);
}

/** @throws ConversionError `limit` where the archive's files are too many or too large when unpacked */
export function checkZipLimits(entries: readonly ZipEntry[], limits: WorkLimits): void {
  checkLimit('inputFiles', entries.length, limits);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  checkLimit('unpackedBytes', bytes, limits);
}

/**
 * Unpacks one file; never more than the directory says it has.
 * @throws ConversionError `input_refused`
 */
export async function unpackZipEntry(file: ModelFile, entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  const name = `'${entry.name}' in the archive`;
  const header = Buffer.from(await file.read(entry.offset, 30));
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL_SIGNATURE)
    throw refused(`${name} is not where it should be.`);
  if (((header.readUInt16LE(6) | entry.flags) & ENCRYPTED) === ENCRYPTED)
    throw refused(`${name} is encrypted. Pack it without a password.`);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = await readOwned(file, start, entry.packedSize);
  if (packed.length < entry.packedSize) throw refused(`the archive was cut off within ${name}.`);
  const bytes = unpack(packed, entry, name);
  if (crc32(bytes) !== entry.checksum) throw refused(`${name} is damaged: its checksum is another.`);
  return bytes;
}

function unpack(packed: Uint8Array<ArrayBuffer>, { method, size }: ZipEntry, name: string): Uint8Array<ArrayBuffer> {
  if (method === STORED) return packed;
  if (method !== DEFLATED) {
    const known = methods[method] ?? 'unknown';
    throw refused(`${name} is packed by a method (${method}, ${known}) that is not supported. Pack it with Deflate.`);
  }
  try {
    return new Uint8Array(inflateRawSync(packed, { maxOutputLength: Math.max(1, size) }));
  } catch (error) {
    const isLarger = error instanceof RangeError;
    const why = isLarger ? `it has more than the ${size} bytes that the archive says` : describe(error);
    throw refused(`${name} cannot be unpacked: ${why}.`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The last mark of an end, and first of all one whose comment ends with the file. */
function findEnd(tail: Buffer): number | undefined {
  let last: number | undefined;
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    if (at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
    last ??= at;
  }
  return last;
}

interface DirectoryPlace {
  readonly count: number;
  /** Bytes. */
  readonly size: number;
  readonly offset: number;
  /** Where in the file the directory ends. */
  readonly endsAt: number;
}

/** Where a ZIP64 says it, in a record of its own that a locator before the end points to. */
async function readZip64End(file: ModelFile, tail: Buffer, at: number): Promise<DirectoryPlace | undefined> {
  const isElsewhere =
    tail.readUInt32LE(at + 16) === ELSEWHERE ||
    tail.readUInt32LE(at + 12) === ELSEWHERE ||
    tail.readUInt16LE(at + 10) === COUNT_ELSEWHERE;
  const locator = at - ZIP64_LOCATOR_BYTES;
  if (!isElsewhere || locator < 0 || tail.readUInt32LE(locator) !== ZIP64_LOCATOR_SIGNATURE) return undefined;
  const locatorAt = file.size - tail.length + locator;
  const said = Number(tail.readBigUInt64LE(locator + 8));
  // Behind what was put before the archive, the record still stands right before its locator.
  for (const endsAt of [said, locatorAt - ZIP64_END_BYTES]) {
    if (endsAt < 0 || endsAt > locatorAt - ZIP64_END_BYTES) continue;
    const record = Buffer.from(await file.read(endsAt, ZIP64_END_BYTES));
    if (record.length < ZIP64_END_BYTES || record.readUInt32LE(0) !== ZIP64_END_SIGNATURE) continue;
    const [count, size, offset] = [32, 40, 48].map((field) => Number(record.readBigUInt64LE(field)));
    return { count: count ?? 0, size: size ?? 0, offset: offset ?? 0, endsAt };
  }
  throw refused('the archive is damaged: the end of its directory (ZIP64) is missing.');
}
