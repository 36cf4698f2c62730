/** A record of an FBX, as far as it is wanted. */
export interface FbxNode {
  readonly name: string;
  readonly values: readonly FbxValue[];
  readonly children: readonly FbxNode[];
}

/** Data, as of an embedded image, is its length in bytes. */
export type FbxValue = string | number | { readonly bytes: number };

/** What lies in a file, without its geometry and animations. */
export interface FbxFile {
  readonly version: number;
  readonly isBinary: boolean;
  /** The records that `isWanted` has, as if each of them had been at the top. */
  readonly nodes: readonly FbxNode[];
  /** Bytes of all arrays when unpacked. */
  readonly unpackedBytes: number;
}

const wantedAtTop: ReadonlySet<string> = new Set(['FBXHeaderExtension', 'Creator', 'GlobalSettings', 'Definitions']);
const wantedObjects: ReadonlySet<string> = new Set(['Material', 'Texture', 'Video', 'GlobalSettings']);

/** True for a record whose content is of interest here, by the names of what it lies in and its own. */
export function isWanted(path: readonly string[]): boolean {
  const [top = '', object] = path;
  if (wantedAtTop.has(top)) return true;
  return path.length >= 2 && top === 'Objects' && object !== undefined && wantedObjects.has(object);
}

export function childOf(node: FbxNode, name: string): FbxNode | undefined {
  return node.children.find((child) => child.name === name);
}

/** The first value of a child that is a string; empty where there is none. */
export function textOf(node: FbxNode, name: string): string {
  const value = childOf(node, name)?.values[0];
  return typeof value === 'string' ? value : '';
}

/** The name that an object has, without its class: `Material::steel`, and with zero and one between them where it is binary. */
export function objectName(node: FbxNode): string {
  const stored = node.values.find((value) => typeof value === 'string') ?? '';
  const [name = ''] = stored.split('\0\u0001');
  return name.replace(/^\w+::/, '');
}

/** Numbers of an object's properties by their name. */
export function numbersOf(node: FbxNode): ReadonlyMap<string, readonly number[]> {
  const numbers = new Map<string, readonly number[]>();
  for (const list of node.children) {
    const labels = { Properties70: 4, Properties60: 3 }[list.name];
    if (labels === undefined) continue;
    for (const { values } of list.children) {
      const [name] = values;
      const given = values.slice(labels).filter((value) => typeof value === 'number');
      if (typeof name === 'string' && given.length > 0) numbers.set(name, given);
    }
  }
  return numbers;
}
