import { checkLimit } from '../conversion-limits.ts';
import { buildDocument } from '../geometry/build-document.ts';
import { intensityColors } from '../geometry/intensity-colors.ts';
import { Positions } from '../geometry/positions.ts';
import { brightnessEncoder } from '../geometry/vertex-colors.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { BinaryFile } from '../reading/binary-file.ts';
import { type LasHeader, readLasHeader } from './las-header.ts';
import { unpackLaz } from './laz-points.ts';

/** Bytes that a point takes here: position, intensity, colour as it is and as it will be. */
const POINT_BYTES = 24;
const INTENSITY_AT = 12;

/** Points as they lie in the file, whose z is up by convention, with their colours or, where there are none, their intensities. */
export async function importLas(request: ImportRequest): Promise<ImportedModel> {
  const { file, settings, limits } = request;
  const header = await readLasHeader(file);
  checkLimit('vertices', header.count, limits);
  checkLimit('unpackedBytes', header.count * POINT_BYTES, limits);
  const { positions, colors, intensities } = await (header.isCompressed
    ? readPacked(request, header)
    : readPoints(new BinaryFile(file, header.offset), header));
  const encode = brightnessEncoder(settings);
  const { document } = buildDocument([
    {
      name: 'points',
      kind: 'points',
      positions: positions.values,
      origin: positions.origin,
      colors: encodeColors(colors, encode) ?? intensityColors(intensities, encode),
    },
  ]);
  return { document, formatVersion: header.version, generator: header.generator, warnings: positions.warnings(true) };
}

async function readPacked({ file, limits }: ImportRequest, header: LasHeader) {
  checkLimit('unpackedBytes', file.size + header.count * POINT_BYTES, limits);
  using points = await unpackLaz(file, header);
  return await readPoints(new BinaryFile(points), header);
}

async function readPoints(input: BinaryFile, header: LasHeader) {
  const { count, recordBytes, colorAt, scale, origin } = header;
  const positions = new Positions(count);
  const intensities = new Uint16Array(count);
  const colors = new Uint16Array(colorAt === undefined ? 0 : 3 * count);
  let i = 0;
  const where = () => `point ${i + 1} (byte ${input.position})`;
  for (; i < count; i += 1) {
    if (!input.has(recordBytes)) await input.need(recordBytes, `point ${i + 1} of ${count}`);
    const { view, start } = input;
    const x = view.getInt32(start, true) * scale[0] + origin[0];
    const y = view.getInt32(start + 4, true) * scale[1] + origin[1];
    const z = view.getInt32(start + 8, true) * scale[2] + origin[2];
    positions.add(x, y, z, where);
    intensities[i] = view.getUint16(start + INTENSITY_AT, true);
    if (colorAt !== undefined) {
      colors[3 * i] = view.getUint16(start + colorAt, true);
      colors[3 * i + 1] = view.getUint16(start + colorAt + 2, true);
      colors[3 * i + 2] = view.getUint16(start + colorAt + 4, true);
    }
    input.skip(recordBytes);
  }
  return { positions, colors, intensities };
}

/** Undefined where all are black: programs leave room for colours that they do not have. */
function encodeColors(colors: Uint16Array, encode: (value: number) => number): Uint8Array<ArrayBuffer> | undefined {
  let brightest = 0;
  for (let i = 0; i < colors.length; i += 1) brightest = Math.max(brightest, colors[i] ?? 0);
  if (brightest === 0) return undefined;
  // Many programs write 8 bits, although the format wants them spread over 16.
  const white = brightest <= 255 ? 255 : 65_535;
  const encoded = new Uint8Array((4 * colors.length) / 3);
  for (let from = 0, to = 0; from < colors.length; from += 3, to += 4) {
    encoded[to] = encode((colors[from] ?? 0) / white);
    encoded[to + 1] = encode((colors[from + 1] ?? 0) / white);
    encoded[to + 2] = encode((colors[from + 2] ?? 0) / white);
    encoded[to + 3] = 255;
  }
  return encoded;
}
