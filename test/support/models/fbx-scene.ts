import { binaryFbx, type FbxRecord, type FbxValue } from './fbx.ts';

/** An object of a scene and what it is connected to: another, the scene (0), or a property of another. */
export interface FbxObject {
  readonly record: FbxRecord;
  readonly to: readonly (number | readonly [id: number, property: string])[];
}

/** A row of `Properties70`. */
export function property(name: string, type: string, ...values: readonly FbxValue[]): FbxRecord {
  return ['P', [name, type, '', 'A', ...values]];
}

/** Numbers as `Properties70` has them: one is a number, three a vector. */
export function properties(numbers: Readonly<Record<string, number | readonly number[]>>): FbxRecord {
  const rows = Object.entries(numbers).map(([name, value]) =>
    typeof value === 'number' ? property(name, 'Number', value) : property(name, 'Vector3D', ...value),
  );
  return ['Properties70', [], rows];
}

/** An object with a name of its class. */
export function object(
  kind: string,
  id: number,
  name: string,
  type: string,
  children: readonly FbxRecord[],
  to: FbxObject['to'],
): FbxObject {
  return { record: [kind, [id, `${name}\0\u0001${kind}`, type], children], to };
}

/** A layer element of a geometry with values, and indices if there are any. */
export function layer(
  kind: string,
  mapping: string,
  field: string,
  values: readonly number[],
  index?: readonly [field: string, indices: readonly number[]],
): FbxRecord {
  return [
    kind,
    [0],
    [
      ['Version', [101]],
      ['Name', ['']],
      ['MappingInformationType', [mapping]],
      ['ReferenceInformationType', [index === undefined ? 'Direct' : 'IndexToDirect']],
      [field, [field === 'Materials' ? { integers: values } : { doubles: values }]],
      ...(index === undefined ? [] : [[index[0], [{ integers: index[1] }]] satisfies FbxRecord]),
    ],
  ];
}

/** A mesh's geometry; its layers are put into one `Layer`. */
export function geometry(
  id: number,
  vertices: readonly number[],
  polygons: readonly number[],
  layers: readonly FbxRecord[],
  to: FbxObject['to'],
): FbxObject {
  const listed = layers.map(
    ([kind]): FbxRecord => [
      'LayerElement',
      [],
      [
        ['Type', [kind]],
        ['TypedIndex', [0]],
      ],
    ],
  );
  const children: FbxRecord[] = [
    ['Vertices', [{ doubles: vertices }]],
    ['PolygonVertexIndex', [{ integers: polygons }]],
    ...layers,
    ['Layer', [0], [['Version', [100]], ...listed]],
  ];
  return object('Geometry', id, 'shape', 'Mesh', children, to);
}

/** The records of a whole file. */
export function scene(
  objects: readonly FbxObject[],
  settings: readonly FbxRecord[] = [],
  more: readonly FbxRecord[] = [],
): FbxRecord[] {
  const connections = objects.flatMap(({ record, to }) =>
    to.map((target): FbxRecord => {
      const id = record[1][0] ?? 0;
      return typeof target === 'number' ? ['C', ['OO', id, target]] : ['C', ['OP', id, ...target]];
    }),
  );
  return [
    [
      'FBXHeaderExtension',
      [],
      [
        ['FBXHeaderVersion', [1003]],
        ['FBXVersion', [7400]],
        ['Creator', ['made by hand']],
      ],
    ],
    [
      'GlobalSettings',
      [],
      [
        ['Version', [1000]],
        ['Properties70', [], settings],
      ],
    ],
    [
      'Definitions',
      [],
      [
        ['Version', [100]],
        ['Count', [0]],
      ],
    ],
    ['Objects', [], objects.map(({ record }) => record)],
    ['Connections', [], connections],
    ...more,
  ];
}

/** One scene in every encoding that there is. */
export function encodings(records: readonly FbxRecord[]): [encoding: string, model: Uint8Array][] {
  return [
    ['text', textOf(records)],
    ['binary with sizes of 32 bits', binaryFbx(records, 7400)],
    ['binary with sizes of 64 bits', binaryFbx(records, 7700)],
  ];
}

/** Records as an FBX that is text. */
export function textOf(records: readonly FbxRecord[]): Uint8Array {
  return Buffer.from(`; FBX 7.4.0 project file\n${records.map((item) => written(item, '')).join('')}`);
}

function written([name, values, children]: FbxRecord, indent: string): string {
  const [first] = values;
  if (typeof first === 'object' && !(first instanceof Uint8Array)) {
    const [numbers = []] = Object.values(first);
    return `${indent}${name}: *${numbers.length} {\n${indent}\ta: ${numbers.join(',')}\n${indent}} \n`;
  }
  const body = children && ` {\n${children.map((child) => written(child, `${indent}\t`)).join('')}${indent}}`;
  return `${indent}${name}: ${values
    .map(writtenValue)
    .join(', ')
    .replaceAll(/, (?=-?\d)/g, ',')}${body ?? ''}\n`;
}

function writtenValue(value: FbxValue): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') {
    const [object, kind] = value.split('\0\u0001');
    return `"${kind === undefined ? value : `${kind}::${object}`}"`;
  }
  return value instanceof Uint8Array ? `,\n"${Buffer.from(value).toString('base64')}"` : '';
}
