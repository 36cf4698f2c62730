export const encodings = ['ascii', 'binary_little_endian', 'binary_big_endian'] as const;
type Encoding = (typeof encodings)[number];

/** Values of a row; a list is an array. */
type Row = readonly (number | readonly number[])[];

export interface Element {
  readonly name: string;
  /** As the header has them. */
  readonly properties: readonly string[];
  readonly rows: readonly Row[];
}

export const xyz = ['float x', 'float y', 'float z'];

export function rgba(type: string): string[] {
  return ['red', 'green', 'blue', 'alpha'].map((name) => `${type} ${name}`);
}

/** A PLY file of elements, each with its rows. */
export function ply(encoding: Encoding, elements: readonly Element[], comments: readonly string[] = []): Buffer {
  const declared = elements.flatMap(({ name, properties, rows }) => [
    `element ${name} ${rows.length}`,
    ...properties.map((property) => `property ${property}`),
  ]);
  const lines = [
    'ply',
    `format ${encoding} 1.0`,
    ...comments.map((text) => `comment ${text}`),
    ...declared,
    'end_header',
  ];
  const body = elements.flatMap((element) => element.rows.map((row) => encodeRow(encoding, element, row)));
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), ...body]);
}

function encodeRow(encoding: Encoding, { properties }: Element, row: Row): Buffer {
  const values = row.map((value) => (typeof value === 'number' ? [value] : [value.length, ...value]));
  if (encoding === 'ascii') return Buffer.from(`${values.flat().join(' ')}\n`);
  return Buffer.concat(
    properties.flatMap((property, i) => {
      const types = property.split(' ').slice(property.startsWith('list') ? 1 : 0);
      return (values[i] ?? []).map((value, at) => encodeScalar(encoding, types[at === 0 ? 0 : 1] ?? '', value, types));
    }),
  );
}

function encodeScalar(encoding: Encoding, type: string, value: number, types: readonly string[]): Buffer {
  const bytes = Buffer.alloc(8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const isLittle = encoding === 'binary_little_endian';
  switch (type) {
    case 'uchar':
      view.setUint8(0, value);
      return bytes.subarray(0, 1);
    case 'short':
    case 'ushort':
      view.setUint16(0, value, isLittle);
      return bytes.subarray(0, 2);
    case 'int':
    case 'uint':
      view.setUint32(0, value, isLittle);
      return bytes.subarray(0, 4);
    case 'float':
      view.setFloat32(0, value, isLittle);
      return bytes.subarray(0, 4);
    case 'double':
      view.setFloat64(0, value, isLittle);
      return bytes;
    default:
      throw new Error(`No type '${type}' (${types.join()}).`);
  }
}
