import type { ModelFormat } from '../model-formats.ts';

/** What stands between numbers, and what begins a comment. */
export const XYZ_SYNTAX = { separators: ',;', comments: '#/!%' };

/** Lines that must be points before a file is taken for one of points. */
const TELLING_ROWS = 3;

/** Points as text, a line for each. Any numbers match, so that all other formats must have been asked before. */
export const xyzFormat: ModelFormat = {
  id: 'xyz',
  name: 'XYZ Importer',
  extensions: ['.xyz'],
  matches: looksLikePoints,
  references: async () => [],
};

/** True for a line that names columns, as spreadsheets have it. */
export function namesColumns(line: string): boolean {
  return /^["']?x["']?[\s,;]+["']?y["']?[\s,;]+["']?z\b/i.test(line);
}

/** Bytes of the mark that some editors put before a text. */
export function textOffset(head: Uint8Array): number {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
}

function looksLikePoints(head: Uint8Array, size: number): boolean {
  const text = Buffer.from(head.subarray(textOffset(head))).toString('latin1');
  if (text.includes('\0')) return false;
  const lines = text.split(/\r\n|\n|\r/);
  if (head.length < size) lines.pop();
  const rows = lines.map((line) => line.replace(/[#/!%].*$/, '').trim()).filter((line) => line !== '');
  const [first = ''] = rows;
  if (namesColumns(first) || /^\d+$/.test(first)) rows.shift();
  const columns = rows.slice(0, TELLING_ROWS).map(countNumbers);
  const [most = 0] = columns;
  return most >= 3 && columns.every((count) => count === most) && !areTriangles(rows);
}

/** Nine numbers with some below zero in each three are the corners of triangles: of points, three would be a colour. */
function areTriangles(rows: readonly string[]): boolean {
  const numbers = rows.map((row) => row.split(/[\s,;]+/).map(Number));
  const hasNegative = (from: number) => numbers.some((row) => row.slice(from, from + 3).some((value) => value < 0));
  return numbers[0]?.length === 9 && hasNegative(3) && hasNegative(6);
}

/** None where something else is in the line. */
function countNumbers(line: string): number {
  const words = line.split(/[\s,;]+/).filter((word) => word !== '');
  const areNumbers = words.every((word) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?(nan|inf(inity)?)$/i.test(word));
  return areNumbers ? words.length : 0;
}
