import { checkLimit } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { buildDocument } from '../geometry/build-document.ts';
import { intensityColors } from '../geometry/intensity-colors.ts';
import { Positions } from '../geometry/positions.ts';
import { brightnessEncoder, UnscaledColors } from '../geometry/vertex-colors.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import { namesColumns, textOffset, XYZ_SYNTAX } from './xyz-format.ts';

/** Bytes of the shortest line, `0 0 0`. */
const SHORTEST_POINT = 6;
/** Bytes that a point takes here at most. */
const POINT_BYTES = 24;
const MOST_COLUMNS = 64;

/** Points with the colours or the intensities that follow their positions. */
export async function importXyz(request: ImportRequest): Promise<ImportedModel> {
  const { file, settings } = request;
  const lines = new LineFile(file, XYZ_SYNTAX, textOffset(await file.read(0, 3)));
  const start = await readStart(lines);
  const points = new Points(start, request);
  const row = new Float64Array(start.columns);
  points.add(start.first, lines);
  while (lines.advance() || (await lines.more())) {
    const count = lines.numbers(row);
    if (count < row.length || lines.hasMore) {
      throw lines.refuse(
        `it has ${count}${lines.hasMore ? ' and more' : ''} numbers, but the first point has ${row.length}.`,
      );
    }
    points.add(row, lines);
  }
  const encode = brightnessEncoder(settings);
  const { positions, colors, warnings } = points.finish(encode);
  const { values, origin } = positions;
  const { document } = buildDocument([{ name: 'points', kind: 'points', positions: values, origin, colors }]);
  return { document, formatVersion: '', generator: '', warnings };
}

interface Start {
  readonly columns: number;
  readonly first: Float64Array;
  /** Of points, where a first line has it. */
  readonly count: number | undefined;
}

/** The names of columns and the number of points, where there are any, and the first point. */
async function readStart(lines: LineFile): Promise<Start> {
  let count: number | undefined;
  while (lines.advance() || (await lines.more())) {
    const text = lines.remainder();
    if (namesColumns(text)) continue;
    if (count === undefined && /^\d+$/.test(text)) {
      count = Number(text);
      continue;
    }
    if (/\d,\d/.test(text) && /\d[ \t;]+[+-]?[\d.]/.test(text)) {
      throw lines.refuse(
        'its numbers have commas or are parted by them, which cannot be told. Write 1.5 for one and a half.',
      );
    }
    lines.rewind();
    const row = new Float64Array(MOST_COLUMNS);
    const columns = lines.numbers(row);
    if (columns < 3) throw lines.refuse(`a point has three numbers, but there are ${columns}.`);
    if (lines.hasMore) throw lines.refuse(`it has more than ${MOST_COLUMNS} numbers.`);
    return { columns, first: row.slice(0, columns), count };
  }
  throw refused('it has no points: there is nothing to render.');
}

class Points {
  readonly #start: Start;
  readonly #request: ImportRequest;
  readonly #positions: Positions;
  /** Number of the column where colours begin, and where the intensity is. */
  readonly #red: number | undefined;
  readonly #intensity: number | undefined;
  readonly #colors: UnscaledColors;
  readonly #intensities: Float32Array<ArrayBuffer>;

  constructor(start: Start, request: ImportRequest) {
    const { columns, count } = start;
    this.#start = start;
    this.#request = request;
    // Leica's files, which begin with the number of points, have an intensity before colours.
    if (columns >= 6) this.#red = columns >= 7 && count !== undefined ? 4 : 3;
    else if (columns === 4) this.#intensity = 3;
    const capacity = Math.min(Math.ceil(request.file.size / SHORTEST_POINT), request.limits.vertices);
    this.#positions = new Positions(capacity);
    this.#colors = new UnscaledColors(this.#red === undefined ? 0 : capacity);
    this.#intensities = new Float32Array(this.#intensity === undefined ? 0 : capacity);
  }

  add(row: Float64Array, lines: LineFile): void {
    const { limits } = this.#request;
    const i = this.#positions.count;
    checkLimit('vertices', i + 1, limits);
    checkLimit('unpackedBytes', (i + 1) * POINT_BYTES, limits);
    const [x = 0, y = 0, z = 0] = [row[0], row[1], row[2]];
    this.#positions.add(x, y, z, () => `line ${lines.line}`);
    const red = this.#red;
    if (red !== undefined) this.#colors.add(row[red] ?? 0, row[red + 1] ?? 0, row[red + 2] ?? 0);
    if (this.#intensity !== undefined) this.#intensities[i] = row[this.#intensity] ?? 0;
  }

  finish(encode: (value: number) => number) {
    const { count } = this.#positions;
    if (this.#start.count !== undefined && this.#start.count > count) {
      const message = `its first line says that it has ${this.#start.count} points, but ${count} follow: the file was cut off.`;
      throw refused(message);
    }
    return { positions: this.#positions, colors: this.#encode(encode), warnings: this.#warnings() };
  }

  #encode(encode: (value: number) => number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#intensity !== undefined) {
      return intensityColors(this.#intensities.subarray(0, this.#positions.count), encode);
    }
    return this.#red === undefined || this.#colors.hasNegative ? undefined : this.#colors.encode(encode);
  }

  /** Numbers below zero are directions or something else. */
  #warnings(): ConversionWarning[] {
    const lost = this.#positions.warnings(true);
    if (this.#start.columns !== 5 && !this.#colors.hasNegative) return lost;
    const details = { columns: `4 to ${this.#start.columns}` };
    return [...lost, { code: 'columns_ignored', title: 'Columns that are no colours left out', details }];
  }
}
