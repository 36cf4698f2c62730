import { type FbxNode, idOf } from './fbx-node.ts';

/** That an object belongs to another, or to a property of it. */
export interface Connection {
  readonly from: number;
  readonly to: number;
  /** Empty where it belongs to the object as such. */
  readonly property: string;
  readonly node: FbxNode;
}

/** The objects of an FBX and how they belong together. */
export class FbxObjects {
  readonly #byId = new Map<number, FbxNode>();
  readonly #into: ReadonlyMap<number, readonly Connection[]>;
  readonly #outOf: ReadonlyMap<number, readonly Connection[]>;

  constructor(nodes: readonly FbxNode[]) {
    for (const node of nodes) if (typeof node.values[0] === 'number') this.#byId.set(idOf(node), node);
    const connections = nodes
      .filter(({ name }) => name === 'Connections')
      .flatMap(({ children }) => children.flatMap(readConnection));
    this.#into = Map.groupBy(connections, ({ to }) => to);
    this.#outOf = Map.groupBy(connections, ({ from }) => from);
  }

  /** Objects of a class that belong to one, in the file's order. */
  partsOf(owner: FbxNode, kind: string): { readonly part: FbxNode; readonly connection: Connection }[] {
    return (this.#into.get(idOf(owner)) ?? []).flatMap((connection) => this.#found(connection.from, kind, connection));
  }

  /** Objects of a class that one belongs to. */
  ownersOf(part: FbxNode, kind: string): { readonly part: FbxNode; readonly connection: Connection }[] {
    return (this.#outOf.get(idOf(part)) ?? []).flatMap((connection) => this.#found(connection.to, kind, connection));
  }

  #found(id: number, kind: string, connection: Connection) {
    const part = this.#byId.get(id);
    return part?.name === kind ? [{ part, connection }] : [];
  }
}

function readConnection(node: FbxNode): Connection[] {
  const [type, from, to, property] = node.values;
  if (typeof from !== 'number' || typeof to !== 'number') return [];
  return [{ from, to, property: type === 'OP' && typeof property === 'string' ? property : '', node }];
}
