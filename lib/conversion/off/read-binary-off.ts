import type { ImportRequest } from '../importer.ts';
import { BinaryFile } from '../reading/binary-file.ts';
import { refused } from '../reading/refused.ts';
import type { OffSyntax } from './off-header.ts';
import { OffModel } from './off-model.ts';

/**
 * Geomview's binary form: whole numbers and floating-point ones of 32 bits, big-endian. OpenMesh writes the order of its machine, and no count of
 * colours.
 */
export async function readBinaryOff(syntax: OffSyntax, offset: number, request: ImportRequest): Promise<OffModel> {
  const input = new BinaryFile(request.file, offset);
  const { leading, numbers } = vertexNumbers(syntax);
  const isLittle = await looksLittleEndian(input, syntax.hasDimension ? 4 : 0, 4 * numbers);
  const read = async (count: number, what: string, as: 'getInt32' | 'getFloat32') => {
    if (!input.has(4 * count)) await input.need(4 * count, what);
    const { view, start } = input;
    const numbers: number[] = [];
    for (let i = 0; i < count; i += 1) numbers.push(view[as](start + 4 * i, isLittle));
    input.skip(4 * count);
    return numbers;
  };
  if (syntax.hasDimension) {
    const [dimension = 0] = await read(1, 'the dimension', 'getInt32');
    if (dimension !== 3) throw refused(`its vertices have ${dimension} dimensions: only those with 3 can be shown.`);
  }
  const [vertices = 0, faces = 0] = await read(3, 'the counts', 'getInt32');
  if (vertices < 0 || faces < 0) throw refused(`its counts are below zero (${vertices} vertices, ${faces} faces).`);
  // A face has two counts at least, of its corners and of its colour's parts.
  const least = 4 * numbers * vertices + (isLittle ? 4 : 8) * faces;
  if (least > input.rest) {
    const message = `its header has ${vertices} vertices and ${faces} faces, which take at least ${least} bytes, but ${input.rest} follow: the file was cut off.`;
    throw refused(message);
  }
  const model = new OffModel(syntax, { vertices, faces }, request);
  const where = () => `byte ${input.position}`;
  for (let i = 0; i < vertices; i += 1) {
    const row = await read(numbers, `vertex ${i + 1} of ${vertices}`, 'getFloat32');
    const last = numbers - model.trailing;
    model.addVertex(row.slice(0, leading), row.slice(leading, last), row.slice(last), where);
  }
  for (let i = 0; i < faces; i += 1) {
    const what = `face ${i + 1} of ${faces}`;
    const polygon = await read(countOf(await read(1, what, 'getInt32'), where), what, 'getInt32');
    const parts = isLittle ? 0 : countOf(await read(1, what, 'getInt32'), where);
    const color = await read(parts, what, 'getFloat32');
    model.addFace(polygon, color, where);
  }
  return model;
}

/** How many numbers a vertex has, and how many of them before its colour. */
function vertexNumbers(syntax: OffSyntax): { leading: number; numbers: number } {
  const leading = (syntax.isHomogeneous ? 4 : 3) + (syntax.hasNormals ? 3 : 0);
  return { leading, numbers: leading + (syntax.hasColors ? 4 : 0) + (syntax.hasTexcoords ? 2 : 0) };
}

/** True where the counts are possible in a file of its size only if they are read so. */
async function looksLittleEndian(input: BinaryFile, at: number, vertexBytes: number): Promise<boolean> {
  await input.need(at + 12, 'the counts');
  const [big, little] = [false, true].map((isLittle) => {
    const [vertices, faces] = [0, 4].map((i) => input.view.getUint32(input.start + at + i, isLittle));
    return (vertices ?? 0) * vertexBytes + 4 * (faces ?? 0) <= input.rest;
  });
  return big === false && little === true;
}

function countOf([count = 0]: readonly number[], where: () => string): number {
  if (count < 0) throw refused(`${where()}: ${count} is no count.`);
  return count;
}
