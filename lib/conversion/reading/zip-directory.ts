import { refused } from './refused.ts';

/** A file within an archive. */
export interface ZipEntry {
  /** With `/` between its parts; never leads out of the archive. */
  readonly name: string;
  /** Bytes when unpacked, as the archive has it; unpacking stops there. */
  readonly size: number;
  readonly packedSize: number;
  readonly method: number;
  readonly flags: number;
  /** CRC-32 of its bytes when unpacked. */
  readonly checksum: number;
  /** Of its local header in the archive. */
  readonly offset: number;
}

const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
/** Stands where 32 bits are too few: a field of the entry has it in 64. */
const ELSEWHERE = 0xffffffff;
const ZIP64_FIELD = 1;

/** True where the bytes begin with an entry. */
export function startsDirectory(directory: Buffer): boolean {
  return directory.length >= ENTRY_BYTES && directory.readUInt32LE(0) === ENTRY_SIGNATURE;
}

/**
 * The files of an archive; folders are left out.
 * @param count of entries, as the archive has it
 * @param prefix bytes that stand before the archive
 * @throws ConversionError `input_refused`
 */
export function parseZipDirectory(directory: Buffer, count: number, prefix: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      throw refused(`the archive's directory is damaged at entry ${i + 1} of ${count}.`);
    }
    const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const name = checkName(directory.subarray(at + ENTRY_BYTES, nameEnd).toString('utf8'));
    const [size, packedSize, offset] = largeValues(
      [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)],
      directory.subarray(nameEnd, extraEnd),
    );
    const entry = {
      name,
      size,
      packedSize,
      method: directory.readUInt16LE(at + 10),
      flags: directory.readUInt16LE(at + 8),
      checksum: directory.readUInt32LE(at + 16),
      offset: offset + prefix,
    };
    if (!name.endsWith('/')) entries.push(entry);
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return entries;
}

type Values = readonly [size: number, packedSize: number, offset: number];

/** The ZIP64 field has only those values that did not fit, in this order. */
function largeValues(values: Values, extra: Buffer): Values {
  if (!values.includes(ELSEWHERE)) return values;
  const field = zip64Field(extra);
  let at = 0;
  const [size = 0, packedSize = 0, offset = 0] = values.map((value) => {
    if (value !== ELSEWHERE || at + 8 > field.length) return value;
    at += 8;
    return Number(field.readBigUInt64LE(at - 8));
  });
  return [size, packedSize, offset];
}

function zip64Field(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === ZIP64_FIELD) return extra.subarray(at + 4, end);
    at = end;
  }
  return Buffer.alloc(0);
}

/** Some programs begin names at a root, which is the archive's. */
function checkName(stored: string): string {
  const name = stored.replaceAll('\\', '/').replace(/^\/+/, '');
  const leaves = /^[a-z]:/i.test(name) || name.split('/').includes('..') || name.includes('\0');
  if (leaves) throw refused(`the archive has a file '${name.slice(0, 100)}' that leads out of it.`);
  return name;
}
