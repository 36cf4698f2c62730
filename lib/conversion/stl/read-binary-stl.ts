import { checkLimit } from '../conversion-limits.ts';
import { Positions } from '../geometry/positions.ts';
import { brightnessEncoder } from '../geometry/vertex-colors.ts';
import type { ImportRequest } from '../importer.ts';
import { BinaryFile } from '../reading/binary-file.ts';
import { refused } from '../reading/refused.ts';
import { COUNT_AT, TRIANGLE_BYTES, TRIANGLES_AT } from './stl-binary.ts';
import { hasTriangles, type StlParts } from './stl-parts.ts';

/** Bytes that a vertex takes here. */
const VERTEX_BYTES = 16;

/** Reads a binary STL file with the colours that Materialise Magics or VisCAM put into its attributes. */
export async function readBinaryStl({ file, settings, limits }: ImportRequest): Promise<StlParts> {
  const input = new BinaryFile(file);
  await input.need(TRIANGLES_AT, 'the header');
  const header = Buffer.from(input.view.buffer, input.view.byteOffset, COUNT_AT);
  const count = input.view.getUint32(COUNT_AT, true);
  input.skip(TRIANGLES_AT);
  checkCount(count, input.rest);
  checkLimit('vertices', 3 * count, limits);
  checkLimit('unpackedBytes', 3 * count * VERTEX_BYTES, limits);
  const positions = new Positions(3 * count);
  const attributes = new Uint16Array(count);
  let triangle = 0;
  const where = () => `triangle ${triangle + 1} (byte ${input.position})`;
  for (; triangle < count; triangle += 1) {
    if (!input.has(TRIANGLE_BYTES)) await input.need(TRIANGLE_BYTES, `triangle ${triangle + 1} of ${count}`);
    const { view, start } = input;
    for (let at = start + 12; at < start + 48; at += 12) {
      positions.add(view.getFloat32(at, true), view.getFloat32(at + 4, true), view.getFloat32(at + 8, true), where);
    }
    attributes[triangle] = view.getUint16(start + 48, true);
    input.skip(TRIANGLE_BYTES);
  }
  const colors = decodeColors(header, attributes, brightnessEncoder(settings));
  const part = {
    name: 'mesh',
    kind: 'triangles',
    positions: positions.values,
    origin: positions.origin,
    colors,
  } as const;
  return { parts: [part], warnings: positions.warnings(hasTriangles(part.positions)) };
}

function checkCount(count: number, bytes: number): void {
  if (count === 0) throw refused('its header (byte 80) says that it has no triangles: there is nothing to render.');
  if (count * TRIANGLE_BYTES <= bytes) return;
  const message = `its header (byte 80) says that it has ${count} triangles, which are ${count * TRIANGLE_BYTES} bytes, but only ${bytes} follow: the file was cut off.`;
  throw refused(message);
}

type Encode = (value: number) => number;

const HAS_BIT = 0x8000;
/** White with the bit, as programs without colours fill the attribute. */
const FILLED = 0xffff;

/**
 * Colours of 5 bits a channel. Materialise Magics writes `COLOR=` and the colour of the whole into the header; bit 15 of a triangle means that
 * it has no other, and red comes in the lowest bits. With VisCAM and SolidView the bit means that it has one, and blue comes there.
 */
function decodeColors(header: Buffer, attributes: Uint16Array, encode: Encode): Uint8Array<ArrayBuffer> | undefined {
  const whole = colorOfWhole(header, encode);
  if (whole === undefined && !attributes.some(isViscamColor)) return undefined;
  const colors = new Uint8Array(12 * attributes.length);
  for (const [triangle, attribute] of attributes.entries()) {
    const [low = 0, middle = 0, high = 0] = [0, 5, 10].map((shift) => encode(((attribute >> shift) & 31) / 31));
    const hasBit = (attribute & HAS_BIT) !== 0;
    const materialise = hasBit ? whole : [low, middle, high, 255];
    const viscam = hasBit ? [high, middle, low, 255] : [255, 255, 255, 255];
    const color = (whole && materialise) ?? viscam;
    for (let corner = 0; corner < 3; corner += 1) colors.set(color, 12 * triangle + 4 * corner);
  }
  return colors;
}

/**
 * Meshmixer fills all attributes. Autodesk's programs write the bit alone, by which they mean the colour of the whole, even where the header has
 * none: a triangle in black has no other way to say so, but a model of nothing else is hardly meant.
 */
function isViscamColor(attribute: number): boolean {
  return (attribute & HAS_BIT) !== 0 && attribute !== FILLED && attribute !== HAS_BIT;
}

function colorOfWhole(header: Buffer, encode: Encode): readonly number[] | undefined {
  const found = header.indexOf('COLOR=');
  if (found < 0 || found + 10 > header.length) return undefined;
  const [red = 0, green = 0, blue = 0, alpha = 255] = header.subarray(found + 6, found + 10);
  // Nobody means to write what cannot be seen.
  return [encode(red / 255), encode(green / 255), encode(blue / 255), alpha === 0 ? 255 : alpha];
}
