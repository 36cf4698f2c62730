import { buildDocument } from '../geometry/build-document.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { readBinaryStl } from './read-binary-stl.ts';
import { readTextStl } from './read-text-stl.ts';
import { looksBinary } from './stl-binary.ts';
import { hasTriangles } from './stl-parts.ts';

const HEAD_BYTES = 4096;

/**
 * Triangles without normals of their own: a file's normals repeat what the order of the corners says, often rounded or zero, so that the
 * converter makes them anew.
 */
export async function importStl(request: ImportRequest): Promise<ImportedModel> {
  const head = await request.file.read(0, HEAD_BYTES);
  const isBinary = looksBinary(head, request.file.size);
  const { parts, warnings } = await (isBinary ? readBinaryStl(request) : readTextStl(request));
  const shown = parts.filter(({ positions }) => hasTriangles(positions));
  return { document: buildDocument(shown).document, formatVersion: '', generator: '', warnings };
}
