/** What an FBX of these tests is made of. */
export interface FbxParts {
  /** Properties of the material, as `Properties70` writes them. */
  readonly material?: string;
  /** What holds for materials that say nothing else, as `Properties70` writes it. */
  readonly template?: string;
  /** Unit and axes. */
  readonly settings?: string;
  /** A texture's stored paths. */
  readonly texture?: { readonly relative: string; readonly absolute: string };
  /** Whether there are texture coordinates; true where it is not said. */
  readonly texcoords?: boolean;
}

/** A box of 2 × 4 × 6 units with one material, as text. */
export function textFbx({
  material = '',
  template = '',
  settings = '',
  texture,
  texcoords = true,
}: FbxParts = {}): Uint8Array {
  const image =
    texture === undefined
      ? ''
      : `Texture: 4, "Texture::image", "" {
    FileName: "${texture.absolute}"
    RelativeFilename: "${texture.relative}"
  }`;
  const connection = texture === undefined ? '' : 'C: "OP",4,3, "DiffuseColor"';
  return Buffer.from(`; FBX 7.4.0 project file
FBXHeaderExtension:  {
  FBXHeaderVersion: 1003
  FBXVersion: 7400
  Creator: "made by hand"
}
GlobalSettings:  {
  Version: 1000
  Properties70:  {
    ${settings}
  }
}
Definitions:  {
  Version: 100
  ObjectType: "Material" {
    Count: 1
    PropertyTemplate: "FbxSurfacePhong" {
      Properties70:  {
        ${template}
      }
    }
  }
}
Objects:  {
  Geometry: 1, "Geometry::box", "Mesh" {
    Vertices: *24 {
      a: -1,-2,-3,1,-2,-3,1,2,-3,-1,2,-3,-1,-2,3,1,-2,3,1,2,3,-1,2,3
    }
    PolygonVertexIndex: *24 {
      a: 0,3,2,-2,4,5,6,-8,0,1,5,-5,1,2,6,-6,2,3,7,-7,3,0,4,-8
    }
    LayerElementMaterial: 0 {
      MappingInformationType: "AllSame"
      ReferenceInformationType: "IndexToDirect"
      Materials: *1 {
        a: 0
      }
    }
    ${
      texcoords
        ? `LayerElementUV: 0 {
      Version: 101
      Name: "map"
      MappingInformationType: "ByPolygonVertex"
      ReferenceInformationType: "IndexToDirect"
      UV: *8 {
        a: 0,0,1,0,1,1,0,1
      }
      UVIndex: *24 {
        a: 0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3
      }
    }`
        : ''
    }
    Layer: 0 {
      Version: 100
      LayerElement:  {
        Type: "LayerElementUV"
        TypedIndex: 0
      }
      LayerElement:  {
        Type: "LayerElementMaterial"
        TypedIndex: 0
      }
    }
  }
  Model: 2, "Model::box", "Mesh" {
    Version: 232
    Properties70:  {
    }
  }
  Material: 3, "Material::paint", "" {
    Version: 102
    ShadingModel: "phong"
    Properties70:  {
      ${material}
    }
  }
  ${image}
}
Connections:  {
  C: "OO",2,0
  C: "OO",1,2
  C: "OO",3,2
  ${connection}
}
`);
}

export type FbxValue =
  | number
  | string
  | Uint8Array
  | { readonly doubles: readonly number[] }
  | { readonly longs: readonly number[] }
  | { readonly integers: readonly number[] };
export type FbxRecord = readonly [name: string, values: readonly FbxValue[], children?: readonly FbxRecord[]];

/** Records as a binary FBX of a version; from 7500 on its sizes have 64 bits. */
export function binaryFbx(records: readonly FbxRecord[], version: number): Uint8Array {
  const header = Buffer.alloc(27);
  header.write('Kaydara FBX Binary  \0\x1a\0', 'latin1');
  header.writeUInt32LE(version, 23);
  const isWide = version >= 7500;
  return Buffer.concat([header, ...list(records, header.length, isWide), Buffer.alloc(160)]);
}

/** The box's records: the same as the text's. */
export function boxRecords(): FbxRecord[] {
  const vertices = [-1, -2, -3, 1, -2, -3, 1, 2, -3, -1, 2, -3, -1, -2, 3, 1, -2, 3, 1, 2, 3, -1, 2, 3];
  const polygons = [0, 3, 2, -2, 4, 5, 6, -8, 0, 1, 5, -5, 1, 2, 6, -6, 2, 3, 7, -7, 3, 0, 4, -8];
  return [
    [
      'FBXHeaderExtension',
      [],
      [
        ['FBXVersion', [7400]],
        ['Creator', ['made by hand']],
      ],
    ],
    ['Definitions', [], [['Count', [0]]]],
    [
      'Objects',
      [],
      [
        [
          'Geometry',
          [1, 'box\0\u0001Geometry', 'Mesh'],
          [
            ['Vertices', [{ doubles: vertices }]],
            ['PolygonVertexIndex', [{ integers: polygons }]],
          ],
        ],
        ['Model', [2, 'box\0\u0001Model', 'Mesh'], [['Version', [232]]]],
      ],
    ],
    [
      'Connections',
      [],
      [
        ['C', ['OO', 2, 0]],
        ['C', ['OO', 1, 2]],
      ],
    ],
  ];
}

function list(records: readonly FbxRecord[], start: number, isWide: boolean): Buffer[] {
  const parts: Buffer[] = [];
  let at = start;
  for (const item of records) {
    const bytes = record(item, at, isWide);
    parts.push(bytes);
    at += bytes.length;
  }
  return [...parts, Buffer.alloc(isWide ? 25 : 13)];
}

function record([name, values, children]: FbxRecord, start: number, isWide: boolean): Buffer {
  const field = isWide ? 8 : 4;
  const encoded = Buffer.concat(values.map((value) => encode(value, name, values[1])));
  const headBytes = 3 * field + 1 + name.length;
  const inner = children === undefined ? [] : list(children, start + headBytes + encoded.length, isWide);
  const body = Buffer.concat([encoded, ...inner]);
  const head = Buffer.alloc(headBytes);
  const write = (value: number, i: number) =>
    isWide ? head.writeBigUInt64LE(BigInt(value), 8 * i) : head.writeUInt32LE(value, 4 * i);
  write(start + headBytes + body.length, 0);
  write(values.length, 1);
  write(encoded.length, 2);
  head.writeUInt8(name.length, 3 * field);
  head.write(name, 3 * field + 1, 'latin1');
  return Buffer.concat([head, body]);
}

const objects: ReadonlySet<string> = new Set(
  'C Geometry Model Material Texture Video Deformer NodeAttribute Pose AnimationStack AnimationLayer AnimationCurveNode AnimationCurve Node'.split(
    ' ',
  ),
);

function encode(value: FbxValue, name: string, type: FbxValue | undefined): Buffer {
  if (typeof value === 'string') return Buffer.concat([Buffer.from('S'), sized(Buffer.from(value, 'latin1'))]);
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from('R'), sized(Buffer.from(value))]);
  if (typeof value === 'number') return encodeNumber(value, name, String(type));
  const array = arrayOf(value);
  const head = Buffer.alloc(13);
  head.write(array instanceof Float64Array ? 'd' : array instanceof Int32Array ? 'i' : 'l');
  head.writeUInt32LE(array.length, 1);
  head.writeUInt32LE(array.byteLength, 9);
  return Buffer.concat([head, Buffer.from(array.buffer)]);
}

/** Objects have numbers of 64 bits, and so have times; versions and counts of 32. Properties are as exact as their types say. */
function encodeNumber(value: number, name: string, type: string): Buffer {
  if (name === 'DeformPercent' || (name === 'P' && !/^(int|bool|enum|Integer|KTime)$/i.test(type))) {
    const bytes = Buffer.alloc(9);
    bytes.write('D');
    bytes.writeDoubleLE(value, 1);
    return bytes;
  }
  const isLong = objects.has(name) || type === 'KTime';
  const bytes = Buffer.alloc(isLong ? 9 : 5);
  bytes.write(isLong ? 'L' : 'I');
  if (isLong) bytes.writeBigInt64LE(BigInt(value), 1);
  else bytes.writeInt32LE(value, 1);
  return bytes;
}

function arrayOf(value: Exclude<FbxValue, string | number | Uint8Array>) {
  if ('longs' in value) return BigInt64Array.from(value.longs, BigInt);
  return 'doubles' in value ? Float64Array.from(value.doubles) : Int32Array.from(value.integers);
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
