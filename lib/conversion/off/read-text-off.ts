import type { ImportRequest } from '../importer.ts';
import type { LineFile } from '../reading/line-file.ts';
import { refused } from '../reading/refused.ts';
import type { OffSyntax } from './off-header.ts';
import { type OffCounts, OffModel } from './off-model.ts';

/** Colours have at most four numbers; what follows is not looked at. */
const MOST_COLOR = 4;

/** @param lines at the line of the format's word, behind which `rest` stands */
export async function readTextOff(
  { syntax, rest }: { readonly syntax: OffSyntax; readonly rest: string },
  lines: LineFile,
  request: ImportRequest,
): Promise<OffModel> {
  const counts = await readCounts(syntax, rest, lines);
  checkCounts(counts, lines);
  const model = new OffModel(syntax, counts, request);
  const where = () => `line ${lines.line}`;
  for (let i = 0; i < counts.vertices; i += 1) {
    if (!lines.advance() && !(await lines.more())) throw cutOff(lines, i, counts.vertices, 'vertices');
    readVertex(model, syntax, lines, where);
  }
  for (let i = 0; i < counts.faces; i += 1) {
    if (!lines.advance() && !(await lines.more())) throw cutOff(lines, i, counts.faces, 'faces');
    readFace(model, lines, where);
  }
  return model;
}

/** The counts of vertices, faces and edges, of which the last is often wrong or not there; before them perhaps the dimension. */
async function readCounts(syntax: OffSyntax, rest: string, lines: LineFile): Promise<OffCounts> {
  let words = rest.split(/\s+/).filter((word) => word !== '');
  if (syntax.hasDimension) {
    if (words.length === 0) words = await nextWords(lines);
    const [dimension = '', ...others] = words;
    if (dimension !== '3') throw lines.refuse(`vertices have ${dimension} dimensions: only those with 3 can be shown.`);
    words = others;
  }
  if (words.length === 0) words = await nextWords(lines);
  const [vertices, faces] = words.map(Number);
  if (!isCount(vertices) || !isCount(faces)) {
    throw lines.refuse(`'${words.join(' ').slice(0, 40)}' are no counts of vertices, faces and edges.`);
  }
  return { vertices, faces };
}

async function nextWords(lines: LineFile): Promise<string[]> {
  if (!lines.advance() && !(await lines.more())) throw refused('the file was cut off: it has no counts.');
  return lines.remainder().split(/\s+/);
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}

/** Before room is made for what the header promises. */
function checkCounts({ vertices, faces }: OffCounts, lines: LineFile): void {
  // The shortest lines, `0 0 0` and `0`, of which the last may lack its end.
  const least = 6 * vertices + 2 * faces - 1;
  if (least <= lines.rest) return;
  throw lines.refuse(
    `${vertices} vertices and ${faces} faces take at least ${least} bytes, but ${lines.rest} follow: the file was cut off.`,
  );
}

function readVertex(model: OffModel, syntax: OffSyntax, lines: LineFile, where: () => string): void {
  const numbers = readNumbers(lines, model.leading + MOST_COLOR + model.trailing);
  const [first, last] = [model.leading, numbers.length - model.trailing];
  if (last < first) {
    throw lines.refuse(`a vertex has ${model.leading + model.trailing} numbers, but there are ${numbers.length}.`);
  }
  const color = syntax.hasColors ? numbers.slice(first, last) : [];
  const trailing = syntax.hasColors ? numbers.slice(last) : numbers.slice(first, first + model.trailing);
  model.addVertex(numbers.slice(0, first), color, trailing, where);
}

function readFace(model: OffModel, lines: LineFile, where: () => string): void {
  const count = lines.number();
  if (!isCount(count)) throw lines.refuse(`${count} is no number of corners.`);
  const polygon: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const vertex = lines.number();
    if (vertex === undefined) throw lines.refuse(`a face has ${count} corners, but only ${i} follow.`);
    polygon.push(vertex);
  }
  model.addFace(polygon, readNumbers(lines, MOST_COLOR), where);
}

function readNumbers(lines: LineFile, most: number): number[] {
  const numbers: number[] = [];
  while (numbers.length < most) {
    const number = lines.number();
    if (number === undefined) break;
    numbers.push(number);
  }
  return numbers;
}

function cutOff(lines: LineFile, read: number, count: number, what: string): Error {
  return refused(`the file was cut off: it ends with line ${lines.line}, after ${read} of ${count} ${what}.`);
}
