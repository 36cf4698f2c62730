import { checkLimit } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { MeshPart } from '../geometry/build-document.ts';
import { Positions } from '../geometry/positions.ts';
import type { ImportRequest } from '../importer.ts';
import { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import { hasTriangles, type StlParts } from './stl-parts.ts';

/** Bytes of the shortest corner, `vertex 0 0 0`. */
const SHORTEST_VERTEX = 12;
/** Bytes that a vertex takes here. */
const VERTEX_BYTES = 12;
const LONGEST_NAME = 200;

interface Solid {
  readonly name: string;
  /** Number of its first vertex. */
  readonly first: number;
}

/** Reads a text STL file: a part for each of its solids. */
export async function readTextStl(request: ImportRequest): Promise<StlParts> {
  const reader = new StlReader(request);
  const lines = new LineFile(request.file);
  while (lines.advance() || (await lines.more())) {
    while (lines.hasMore) reader.read(lines.word().toLowerCase(), lines);
  }
  return reader.finish(lines);
}

/** What stands between a facet's words. */
type Place = 'file' | 'solid' | 'facet';

class StlReader {
  readonly #request: ImportRequest;
  readonly #solids: Solid[] = [];
  #place: Place = 'file';
  /** Of all solids. */
  readonly #positions: Positions;
  #corners = 0;
  /** Words that are none of the format's, and the first of them. */
  #strangeWords = 0;
  #firstStrange = '';

  constructor(request: ImportRequest) {
    this.#request = request;
    this.#positions = new Positions(Math.min(Math.ceil(request.file.size / SHORTEST_VERTEX), request.limits.vertices));
  }

  /** Words may stand on any line; those that only frame others are not asked for. */
  read(word: string, lines: LineFile): void {
    switch (word) {
      case 'solid':
        this.#move('file', 'solid', word, lines);
        this.#begin(lines.remainder());
        return;
      case 'facet':
        this.#move('solid', 'facet', word, lines);
        this.#corners = 0;
        skipNormal(lines);
        return;
      case 'vertex':
        this.#addVertex(lines);
        return;
      case 'endfacet':
        this.#move('facet', 'solid', word, lines);
        if (this.#corners !== 3) throw lines.refuse(`a facet ends that has ${this.#corners} vertices, not 3.`);
        return;
      case 'endsolid':
        this.#move('solid', 'file', word, lines);
        lines.remainder();
        return;
      case 'outer':
      case 'loop':
      case 'endloop':
        return;
      default:
        this.#passOver(word, lines);
    }
  }

  finish(lines: LineFile): StlParts {
    if (this.#place === 'facet') {
      throw refused(`the file was cut off: it ends with line ${lines.line}, within a facet.`);
    }
    const { values, origin, count } = this.#positions;
    if (count === 0) throw refused('none of its solids has a facet: there is nothing to render.');
    const parts = this.#solids.map<MeshPart>(({ name, first }, i) => {
      const positions = values.subarray(3 * first, 3 * (this.#solids[i + 1]?.first ?? count));
      return { name, kind: 'triangles', positions, origin };
    });
    return { parts, warnings: [...this.#positions.warnings(hasTriangles(values)), ...this.#warnings(lines)] };
  }

  #warnings(lines: LineFile): ConversionWarning[] {
    const warnings: ConversionWarning[] = [];
    if (this.#place === 'solid') {
      const details = { line: String(lines.line) };
      warnings.push({
        code: 'end_missing',
        title: 'Last solid without an end: the file may have been cut off',
        details,
      });
    }
    if (this.#strangeWords > 0) {
      const details = { words: String(this.#strangeWords), first: this.#firstStrange };
      warnings.push({ code: 'words_ignored', title: 'Words that are none of an STL file passed over', details });
    }
    return warnings;
  }

  #move(from: Place, to: Place, word: string, lines: LineFile): void {
    if (this.#place !== from) throw lines.refuse(`'${word}' stands within a ${this.#place}.`);
    this.#place = to;
  }

  #begin(name: string): void {
    this.#solids.push({ name: name.slice(0, LONGEST_NAME) || 'mesh', first: this.#positions.count });
    checkLimit('nodes', this.#solids.length, this.#request.limits);
  }

  #addVertex(lines: LineFile): void {
    if (this.#place !== 'facet') throw lines.refuse(`a vertex stands within a ${this.#place}.`);
    const [x, y, z] = [lines.number(), lines.number(), lines.number()];
    if (x === undefined || y === undefined || z === undefined) throw lines.refuse('a vertex has three numbers.');
    this.#corners += 1;
    checkLimit('vertices', this.#positions.count + 1, this.#request.limits);
    checkLimit('unpackedBytes', (this.#positions.count + 1) * VERTEX_BYTES, this.#request.limits);
    this.#positions.add(x, y, z, () => `line ${lines.line}`);
  }

  /** Programs write names and numbers of their own behind the format's words. */
  #passOver(word: string, lines: LineFile): void {
    if (this.#strangeWords === 0) this.#firstStrange = `line ${lines.line}: '${word}'`.replace(/\p{Cc}/gu, '?');
    this.#strangeWords += 1;
  }
}

/** Whatever it is: it is not used. */
function skipNormal(lines: LineFile): void {
  if (lines.word().toLowerCase() !== 'normal') throw lines.refuse("'facet' is not followed by 'normal'.");
  for (let i = 0; i < 3; i += 1) lines.word();
}
