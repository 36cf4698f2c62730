import { type Document, type Mesh, type Node, Primitive } from '@gltf-transform/core';
import type { InstancedMesh } from '@gltf-transform/extensions';
import type { ConversionInfo } from './conversion-outcome.ts';

export interface ModelStatistics {
  readonly input: ConversionInfo['inputStatistics'];
  /** Without the points of a cloud, which count as faces in `input`. */
  readonly triangles: number;
  readonly partsUsedTwice: number;
}

/** Counts a document as contract 2.8 does: a mesh is a part with one material, counted once however often nodes use it. */
export function countModel(document: Document): ModelStatistics {
  const root = document.getRoot();
  const parts = root.listMeshes().flatMap((mesh) => mesh.listPrimitives());
  const faces = parts.map((part) => countTriangles(part) + countPoints(part));
  const usages = countUsages(root.listNodes());
  const positions = new Set(parts.map((part) => part.getAttribute('POSITION')));
  return {
    input: {
      numMeshes: parts.length,
      numFaces: sum(faces),
      numVertices: sum([...positions].map((position) => position?.getCount() ?? 0)),
      numMaterial: root.listMaterials().length,
      numFacesSmallestMesh: faces.reduce((a, b) => Math.min(a, b), faces[0] ?? 0),
      numFacesBiggestMesh: faces.reduce((a, b) => Math.max(a, b), 0),
      numNodes: root.listNodes().length,
      numMeshUsagesInScene: sum([...usages].map(([mesh, count]) => mesh.listPrimitives().length * count)),
      maxNodeDepth: depthOf(document),
    },
    triangles: sum(parts.map(countTriangles)),
    partsUsedTwice: sum([...usages].filter(([, count]) => count > 1).map(([mesh]) => mesh.listPrimitives().length)),
  };
}

function countTriangles(part: Primitive): number {
  const count = part.getIndices()?.getCount() ?? part.getAttribute('POSITION')?.getCount() ?? 0;
  switch (part.getMode()) {
    case Primitive.Mode['TRIANGLES']:
      return Math.floor(count / 3);
    case Primitive.Mode['TRIANGLE_STRIP']:
    case Primitive.Mode['TRIANGLE_FAN']:
      return Math.max(0, count - 2);
    default:
      return 0;
  }
}

function countPoints(part: Primitive): number {
  if (part.getMode() !== Primitive.Mode['POINTS']) return 0;
  return part.getIndices()?.getCount() ?? part.getAttribute('POSITION')?.getCount() ?? 0;
}

function countUsages(nodes: readonly Node[]): Map<Mesh, number> {
  const usages = new Map<Mesh, number>();
  for (const node of nodes) {
    const mesh = node.getMesh();
    if (mesh !== null) usages.set(mesh, (usages.get(mesh) ?? 0) + instancesOf(node));
  }
  return usages;
}

/** How often a node shows its mesh: EXT_mesh_gpu_instancing. */
function instancesOf(node: Node): number {
  const instances = node.getExtension<InstancedMesh>('EXT_mesh_gpu_instancing');
  return instances?.listAttributes()[0]?.getCount() ?? 1;
}

function depthOf(document: Document): number {
  let depth = 0;
  let level = document
    .getRoot()
    .listScenes()
    .flatMap((scene) => scene.listChildren());
  while (level.length > 0) {
    depth += 1;
    level = level.flatMap((node) => node.listChildren());
  }
  return depth;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
