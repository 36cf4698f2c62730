import { type Document, type Material, Mesh, Node, Primitive } from '@gltf-transform/core';
import { join } from '@gltf-transform/functions';

/** Vertices of a mesh that is worth a draw call of its own for each use, rather than a copy. */
const WORTH_SHARING = 500;

/** Makes one mesh part of those of a flattened scene that look the same and stand still beside each other. */
export async function joinParts(document: Document): Promise<void> {
  const joinable = joinableNodes(document);
  if (joinable.size === 0) return;
  await document.transform(join({ filter: (node) => joinable.has(node) }));
  for (const mesh of document.getRoot().listMeshes()) ownParts(mesh);
}

/** Meshes of which some parts are joined share the others, which later have another grid in each. */
function ownParts(mesh: Mesh): void {
  const parts = mesh.listPrimitives();
  const shared = new Set(
    parts.filter((part) => part.listParents().filter((parent) => parent instanceof Mesh).length > 1),
  );
  if (shared.size === 0) return;
  // They stay in their order.
  for (const part of parts) mesh.removePrimitive(part);
  for (const part of parts) mesh.addPrimitive(shared.has(part) ? part.clone() : part);
}

/** Nodes with a part like that of another, or like another of their own: joining rewrites whatever it looks at. */
function joinableNodes(document: Document): Set<Node> {
  const keyOf = keys();
  const alike = new Map<string, { count: number; readonly nodes: Node[] }>();
  for (const node of document.getRoot().listNodes()) {
    const mesh = node.getMesh();
    if (mesh === null || !mayBeCopied(mesh)) continue;
    for (const part of mesh.listPrimitives()) {
      const key = keyOf(part);
      const group = alike.get(key) ?? { count: 0, nodes: [] };
      group.count += 1;
      group.nodes.push(node);
      alike.set(key, group);
    }
  }
  return new Set([...alike.values()].flatMap(({ count, nodes }) => (count > 1 ? nodes : [])));
}

function mayBeCopied(mesh: Mesh): boolean {
  const parts = mesh.listPrimitives();
  const vertices = parts.reduce((sum, part) => sum + (part.getAttribute('POSITION')?.getCount() ?? 0), 0);
  const uses = mesh.listParents().filter((parent) => parent instanceof Node).length;
  return (uses === 1 || vertices < WORTH_SHARING) && parts.every(isPlain);
}

/** Joined strips would need an extension that hardly any viewer has; parts with extensions lose them. */
function isPlain(part: Primitive): boolean {
  const { POINTS, LINES, TRIANGLES } = Primitive.Mode;
  return [POINTS, LINES, TRIANGLES].some((mode) => mode === part.getMode()) && part.listExtensions().length === 0;
}

/** What parts must share to be joined. */
function keys(): (part: Primitive) => string {
  const materials = new Map<Material | null, number>();
  return (part) => {
    const material = part.getMaterial();
    if (!materials.has(material)) materials.set(material, materials.size);
    const attributes = part.listSemantics().map((semantic) => {
      const attribute = part.getAttribute(semantic);
      return `${semantic}:${attribute?.getElementSize()}`;
    });
    return [materials.get(material), part.getMode(), part.getIndices() !== null, ...attributes.sort()].join(' ');
  };
}
