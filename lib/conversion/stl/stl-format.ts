import type { ModelFormat } from '../model-formats.ts';
import { looksBinary } from './stl-binary.ts';

/** Stereolithography, as text and binary. */
export const stlFormat: ModelFormat = {
  id: 'stl',
  name: 'Stereolithography (STL) Importer',
  extensions: ['.stl'],
  matches: (head, size) => looksBinary(head, size) || looksLikeText(head),
  references: async () => [],
};

function looksLikeText(head: Uint8Array): boolean {
  const text = Buffer.from(head).toString('latin1');
  return /^\s*solid\b/i.test(text) && /\b(facet|endsolid)\b/i.test(text) && !text.includes('\0');
}
