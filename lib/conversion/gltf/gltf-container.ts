import { constants } from 'node:buffer';
import { ConversionError } from '../conversion-error.ts';
import type { ModelFile } from '../model-file.ts';

/** The JSON of a glTF 2.0 file and where its binary chunk lies. */
export interface GltfContainer {
  readonly text: string;
  /** The binary chunk of a GLB, in bytes of the file. */
  readonly binary: { readonly offset: number; readonly length: number } | null;
}

/** No text can be longer: geometry belongs in a binary chunk or file. */
const MAX_JSON_BYTES = constants.MAX_STRING_LENGTH;

const GLB_MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BIN_CHUNK = 0x004e4942;
const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** Among as many the binary chunk is looked for, which should come first. */
const MAX_CHUNKS = 16;

/** True for the first bytes of a GLB. */
export function isGlb(head: Uint8Array): boolean {
  return head.length >= 4 && view(head).getUint32(0, true) === GLB_MAGIC;
}

/** True for the first bytes of a text that may be a JSON object. */
export function isJsonObject(head: Uint8Array): boolean {
  return /^\s*\{/.test(new TextDecoder().decode(head));
}

/**
 * Reads the JSON of a GLB or a .gltf file, told apart by content, and nothing of the binary chunk.
 * @throws ConversionError `input_refused` for bytes that are neither, `limit` for more JSON than a text can hold
 */
export async function readGltfContainer(file: ModelFile): Promise<GltfContainer> {
  if (file.size === 0) throw refused('The model file is empty.');
  const head = await file.read(0, HEADER_BYTES + CHUNK_HEADER_BYTES);
  return isGlb(head) ? await readGlb(file, head) : await readText(file);
}

async function readText(file: ModelFile): Promise<GltfContainer> {
  const bytes = await readJsonBytes(file, 0, file.size);
  const text = decode(bytes);
  if (!text.trimStart().startsWith('{')) {
    throw refused(
      'The model file is neither a GLB (it does not begin with "glTF") nor a .gltf (it is no JSON object).',
    );
  }
  return { text, binary: null };
}

async function readGlb(file: ModelFile, head: Uint8Array): Promise<GltfContainer> {
  if (head.length < HEADER_BYTES + CHUNK_HEADER_BYTES)
    throw refused(`The GLB ends after ${file.size} bytes, within its header.`);
  const header = view(head);
  const version = header.getUint32(4, true);
  if (version !== 2) throw refused(`The GLB has container version ${version}; only version 2 can be read.`);
  const declared = header.getUint32(8, true);
  if (declared > file.size)
    throw refused(`The GLB says that it has ${declared} bytes, but has ${file.size}: it was cut off.`);
  if (header.getUint32(16, true) !== JSON_CHUNK) throw refused('The GLB does not begin with its JSON chunk.');
  const jsonLength = header.getUint32(12, true);
  const jsonEnd = HEADER_BYTES + CHUNK_HEADER_BYTES + jsonLength;
  if (jsonEnd > declared)
    throw refused(`The JSON chunk of the GLB says that it has ${jsonLength} bytes, more than there are.`);
  const json = await readJsonBytes(file, HEADER_BYTES + CHUNK_HEADER_BYTES, jsonLength);
  return { text: decode(json), binary: await findBinary(file, jsonEnd, declared) };
}

/** glTF 2.0, 4.4.3: chunks of other types are to be ignored. */
async function findBinary(file: ModelFile, start: number, end: number): Promise<GltfContainer['binary']> {
  let at = start;
  for (let chunk = 0; chunk < MAX_CHUNKS && at + CHUNK_HEADER_BYTES <= end; chunk += 1) {
    const header = view(await file.read(at, CHUNK_HEADER_BYTES));
    const length = header.getUint32(0, true);
    const offset = at + CHUNK_HEADER_BYTES;
    if (header.getUint32(4, true) === BIN_CHUNK) {
      if (offset + length <= end) return { offset, length };
      throw refused(`The binary chunk of the GLB says that it has ${length} bytes, more than there are.`);
    }
    at = offset + length;
  }
  return null;
}

async function readJsonBytes(file: ModelFile, offset: number, length: number): Promise<Uint8Array> {
  if (length > MAX_JSON_BYTES) {
    const message = `The JSON of the model has ${length} bytes; the limit is ${MAX_JSON_BYTES}. Put geometry and textures into files or a GLB.`;
    throw new ConversionError('limit', message);
  }
  return await file.read(offset, length);
}

/** Some programs fill up the chunk with zeros instead of spaces. */
function decode(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refused(message: string): ConversionError {
  return new ConversionError('input_refused', message);
}
