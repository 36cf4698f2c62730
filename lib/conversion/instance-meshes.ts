import { type Document, type Mesh, type Node, Primitive, type Scene } from '@gltf-transform/core';
import { EXTMeshGPUInstancing } from '@gltf-transform/extensions';
import { animatedNodes } from './flatten-scene.ts';

/** Fewer uses than this cost less as nodes. */
const MIN_INSTANCES = 5;

/** Draws meshes that stand in a flattened scene many times in one go: EXT_mesh_gpu_instancing. */
export function instanceMeshes(document: Document): void {
  const extension = document.createExtension(EXTMeshGPUInstancing);
  const animated = animatedNodes(document);
  for (const scene of document.getRoot().listScenes()) {
    for (const [mesh, nodes] of usesOf(scene, animated)) {
      if (nodes.length < MIN_INSTANCES || variesInThickness(mesh, nodes)) continue;
      const node = document.createNode(mesh.getName()).setMesh(mesh);
      scene.addChild(node.setExtension('EXT_mesh_gpu_instancing', instancesOf(document, extension, nodes)));
      for (const instance of nodes) instance.dispose();
    }
  }
  if (extension.listProperties().length === 0) extension.dispose();
  else extension.setRequired(true);
}

function usesOf(scene: Scene, animated: ReadonlySet<Node>): Map<Mesh, Node[]> {
  const uses = new Map<Mesh, Node[]>();
  for (const node of scene.listChildren()) {
    const mesh = node.getMesh();
    if (mesh === null || animated.has(node) || !standsStill(node) || !isOfTriangles(mesh)) continue;
    const nodes = uses.get(mesh) ?? [];
    nodes.push(node);
    uses.set(mesh, nodes);
  }
  return uses;
}

/** Viewers draw instances of triangles alone. */
function isOfTriangles(mesh: Mesh): boolean {
  return mesh.listPrimitives().every((part) => part.getMode() === Primitive.Mode['TRIANGLES']);
}

/** True for a node of one scene that shows a mesh and does nothing else. */
function standsStill(node: Node): boolean {
  const isPlain = node.getSkin() === null && node.getCamera() === null && node.listExtensions().length === 0;
  // Those are the document's own list and the scene: a channel that moves its weights, or a second scene, would be more.
  const isAlone = node.listParents().length === 2;
  // Viewers turn triangles round for a mirrored node, but not for a mirrored instance.
  const isMirrored = node.getScale().reduce((a, b) => a * b, 1) < 0;
  return isPlain && isAlone && !isMirrored && node.listChildren().length === 0 && node.getWeights().length === 0;
}

/** How thick a volume is follows the scale of its node, which instances do not have (KHR_materials_volume). */
function variesInThickness(mesh: Mesh, nodes: readonly Node[]): boolean {
  const hasVolume = mesh
    .listPrimitives()
    .some((part) => part.getMaterial()?.getExtension('KHR_materials_volume') != null);
  return hasVolume && nodes.some((node) => node.getScale().some((factor) => Math.abs(factor - 1) > 1e-4));
}

function instancesOf(document: Document, extension: EXTMeshGPUInstancing, nodes: readonly Node[]) {
  const vectors = (type: 'VEC3' | 'VEC4', of: (node: Node) => readonly number[]) =>
    document
      .createAccessor()
      .setType(type)
      .setArray(Float32Array.from(nodes.flatMap(of)));
  const instances = extension.createInstancedMesh();
  instances.setAttribute(
    'TRANSLATION',
    vectors('VEC3', (node) => node.getTranslation()),
  );
  if (nodes.some((node) => differs(node.getRotation(), [0, 0, 0, 1]))) {
    instances.setAttribute(
      'ROTATION',
      vectors('VEC4', (node) => node.getRotation()),
    );
  }
  if (nodes.some((node) => differs(node.getScale(), [1, 1, 1]))) {
    instances.setAttribute(
      'SCALE',
      vectors('VEC3', (node) => node.getScale()),
    );
  }
  return instances;
}

function differs(a: readonly number[], b: readonly number[]): boolean {
  return a.some((value, i) => value !== b[i]);
}
