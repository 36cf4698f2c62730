import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';

/** What is wrong with a file that should be a GLB. */
export class GlbError extends Error {
  /** Whether fewer or more bytes arrived than the file says it has: another download may bring it whole. */
  readonly isCutOff: boolean;

  constructor(message: string, isCutOff = false) {
    super(message);
    this.isCutOff = isCutOff;
  }
}

/** glTF 2.0, 4.4.3: chunkType. */
const [JSON_CHUNK, BIN_CHUNK] = [0x4e4f534a, 0x004e4942] as const;
const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** A longer description is not parsed here: it would take the machine's memory from what is to be shown. */
const MAX_PARSED_BYTES = 2 ** 26;

const description = z.object({
  asset: z.object({ version: z.string().regex(/^2\./, 'is no version 2') }),
  buffers: z
    .array(z.object({ byteLength: z.number(), uri: z.string().optional(), extensions: z.unknown().optional() }))
    .optional(),
});

/**
 * Checks all of a GLB that can be told without drawing it (glTF 2.0, 4.4): its header, that it is whole, that its JSON parses and is glTF 2.0's, and
 * that its geometry is there.
 * @param bytes the file's size
 * @throws GlbError
 */
export async function checkGlb(path: string, bytes: number): Promise<void> {
  await using file = await open(path, 'r');
  const header = await read(file, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, 4) !== 'glTF') {
    throw new GlbError('the asset is no GLB');
  }
  const [version, length] = [header.readUInt32LE(4), header.readUInt32LE(8)];
  if (version !== 2) throw new GlbError(`the asset is a GLB of version ${version}; version 2 can be shown`);
  if (length !== bytes) throw new GlbError(`the asset was cut off: ${bytes} of ${length} bytes arrived`, true);

  const json = await chunkAt(file, HEADER_BYTES, bytes);
  if (json?.type !== JSON_CHUNK) throw new GlbError('the asset is a GLB that does not begin with its JSON');
  if (json.length > MAX_PARSED_BYTES) return;
  const binary = await chunkAt(file, json.start + json.length, bytes);
  const binaryBytes = binary?.type === BIN_CHUNK ? binary.length : 0;
  const { buffers: [buffer] = [] } = parseDescription(await read(file, json.start, json.length));
  // One with extensions may be meshopt's fallback, which has no bytes.
  if (buffer === undefined || buffer.uri !== undefined || buffer.extensions !== undefined) return;
  if (buffer.byteLength > binaryBytes) {
    throw new GlbError(
      `the asset has ${binaryBytes} of the ${buffer.byteLength} bytes that its JSON says its geometry has`,
    );
  }
}

/** @returns undefined at the file's end */
async function chunkAt(file: FileHandle, offset: number, bytes: number) {
  const header = await read(file, offset, CHUNK_HEADER_BYTES);
  if (header.length < CHUNK_HEADER_BYTES) return undefined;
  const [length, type, start] = [header.readUInt32LE(0), header.readUInt32LE(4), offset + CHUNK_HEADER_BYTES];
  if (start + length > bytes)
    throw new GlbError(`the asset is a GLB with a chunk that ends behind it, at ${start + length}`);
  return { type, start, length };
}

function parseDescription(json: Buffer): z.output<typeof description> {
  try {
    return description.parse(JSON.parse(json.toString()));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll(/\s+/g, ' ') : String(error);
    throw new GlbError(`the asset's JSON is none of glTF 2.0: ${why}`);
  }
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
