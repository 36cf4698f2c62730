import type { ConversionWarning } from '../conversion-outcome.ts';
import { buildDocument } from '../geometry/build-document.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import { offSyntax } from './off-header.ts';
import type { OffModel } from './off-model.ts';
import { readBinaryOff } from './read-binary-off.ts';
import { readTextOff } from './read-text-off.ts';

/** Polygons, and points where there are no faces, with the colours of either. */
export async function importOff(request: ImportRequest): Promise<ImportedModel> {
  const lines = new LineFile(request.file, { comments: '#' });
  if (!lines.advance() && !(await lines.more())) throw refused('it is empty.');
  const found = offSyntax(lines.remainder());
  if (found === undefined) throw lines.refuse("the file does not begin with 'OFF'.");
  const isBinary = /^BINARY\b/.test(found.rest);
  const read: Promise<OffModel> = isBinary
    ? readBinaryOff(found.syntax, lines.position, request)
    : readTextOff(found, lines, request);
  const { part, skippedFaces, warnings } = (await read).finish();
  const { document } = buildDocument([part]);
  return { document, formatVersion: '', generator: '', warnings: [...warnings, ...warnOfSkipped(skippedFaces)] };
}

function warnOfSkipped(skipped: number): ConversionWarning[] {
  if (skipped === 0) return [];
  const title = 'Faces with fewer than three corners left out';
  return [{ code: 'faces_without_area', title, details: { faces: String(skipped) } }];
}
