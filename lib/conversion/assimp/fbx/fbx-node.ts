/** A record of an FBX, as far as it is wanted. */
export interface FbxNode {
  readonly name: string;
  readonly values: readonly FbxValue[];
  readonly children: readonly FbxNode[];
  /** Where the record begins and ends in the file, in bytes; in text, those are lines. */
  readonly start: number;
  readonly end: number;
}

/** Data, as of an embedded image or an array of numbers, is the place where it lies. */
export type FbxValue = string | number | FbxData;

export interface FbxData {
  /** Its length in the file. */
  readonly bytes: number;
  /** Where it begins in the file, in bytes. */
  readonly at: number;
  /** What it is made of; `base64` is text, and so is `text`, of numbers between commas. */
  readonly kind: 'raw' | 'base64' | 'text' | FbxArrayKind;
  /** Of an array in binary. */
  readonly count?: number;
  readonly isPacked?: boolean;
}

/** Letters of the types of arrays in binary: float, double, int32, int64, bytes. */
export type FbxArrayKind = 'f' | 'd' | 'i' | 'l' | 'b' | 'c';

/** Bytes of each of an array's values. */
export const arrayBytes: Readonly<Record<FbxArrayKind, number>> = { f: 4, d: 8, i: 4, l: 8, b: 1, c: 1 };

/** What lies in a file, without what nothing here looks at. */
export interface FbxFile {
  readonly version: number;
  readonly isBinary: boolean;
  /** The records that `isWanted` has; those of objects as if each of them had been at the top. */
  readonly nodes: readonly FbxNode[];
  /** Bytes of all arrays when unpacked. */
  readonly unpackedBytes: number;
}

const wantedAtTop: ReadonlySet<string> = new Set([
  'FBXHeaderExtension',
  'Creator',
  'GlobalSettings',
  'Definitions',
  'Connections',
]);

/** Of these objects, all records are wanted, or those that are listed. */
const wantedObjects: ReadonlyMap<string, ReadonlySet<string> | 'all'> = new Map<string, ReadonlySet<string> | 'all'>([
  ['Material', 'all'],
  ['Texture', 'all'],
  ['Video', 'all'],
  ['GlobalSettings', 'all'],
  ['Model', new Set(['Properties70'])],
  ['Geometry', 'all'],
  ['Deformer', new Set(['DeformPercent', 'FullWeights'])],
  ['LayeredTexture', new Set()],
  ['AnimationStack', new Set(['Properties70'])],
  ['AnimationLayer', new Set()],
  ['AnimationCurveNode', new Set()],
  ['AnimationCurve', 'all'],
]);

/** True for a record whose content is of interest here, by the names of what it lies in and its own. */
export function isWanted(path: readonly string[]): boolean {
  const [top = '', object, part] = path;
  if (wantedAtTop.has(top)) return true;
  if (top !== 'Objects' || object === undefined) return false;
  const parts = wantedObjects.get(object);
  return parts === 'all' || (parts !== undefined && (part === undefined || parts.has(part)));
}

export function childOf(node: FbxNode, name: string): FbxNode | undefined {
  return node.children.find((child) => child.name === name);
}

/** The first value of a child that is a string; empty where there is none. */
export function textOf(node: FbxNode, name: string): string {
  const value = childOf(node, name)?.values[0];
  return typeof value === 'string' ? value : '';
}

/** The first value of a child that is data. */
export function dataOf(node: FbxNode, name: string): FbxData | undefined {
  return childOf(node, name)?.values.find((value) => typeof value === 'object');
}

/** Bytes that the arrays of a record and of those within it take when unpacked; of text, those in the file. */
export function bytesOf({ values, children }: FbxNode): number {
  const own = values.reduce((sum: number, value) => sum + (typeof value === 'object' ? dataBytes(value) : 0), 0);
  return children.reduce((sum, child) => sum + bytesOf(child), own);
}

function dataBytes({ kind, count, bytes }: FbxData): number {
  if (kind === 'raw' || kind === 'base64' || kind === 'text') return bytes;
  return (count ?? 0) * arrayBytes[kind];
}

/** The number that other objects know an object by. */
export function idOf(node: FbxNode): number {
  const [id] = node.values;
  return typeof id === 'number' ? id : -1;
}

/** The name that an object has, without its class: `Material::steel`, and with zero and one between them where it is binary. */
export function objectName(node: FbxNode): string {
  const stored = node.values.find((value) => typeof value === 'string') ?? '';
  const [name = ''] = stored.split('\0\u0001');
  return name.replace(/^\w+::/, '');
}

/** What an object is, beyond its class: `Mesh`, `LodGroup`. */
export function subclassOf(node: FbxNode): string {
  const last = node.values[2];
  return typeof last === 'string' ? last : '';
}

/** Numbers of an object's properties by their name. */
export function numbersOf(node: FbxNode): ReadonlyMap<string, readonly number[]> {
  const numbers = new Map<string, readonly number[]>();
  for (const [name, row] of propertiesOf(node)) {
    const given = row.filter((value) => typeof value === 'number');
    if (given.length > 0) numbers.set(name, given);
  }
  return numbers;
}

/** The text of one of an object's properties; empty where it has none. */
export function propertyText(node: FbxNode, name: string): string {
  const found = propertiesOf(node).find(([known]) => known === name);
  return found?.[1].find((value) => typeof value === 'string') ?? '';
}

/** Names and values: what lies between says of what type they are. */
function propertiesOf(node: FbxNode): [name: string, values: readonly FbxValue[]][] {
  return node.children.flatMap((list) => {
    const labels = { Properties70: 4, Properties60: 3 }[list.name];
    if (labels === undefined) return [];
    return list.children.map(({ values }): [string, readonly FbxValue[]] => [String(values[0]), values.slice(labels)]);
  });
}
