import { AnimationChannel, type Document, type Node } from '@gltf-transform/core';

/**
 * Gives meshes nodes of their own below those that hold or do something else: a grid of whole numbers is put in place by the node of its
 * mesh, which must not move children, cameras and lights, nor be overwritten by an animation.
 */
export function setMeshesApart(document: Document): void {
  for (const node of document.getRoot().listNodes()) if (holdsMore(node)) setApart(document, node);
}

function holdsMore(node: Node): boolean {
  // Skins and instances are put in place by matrices of their own.
  const isPlaced = node.getSkin() === null && node.getExtension('EXT_mesh_gpu_instancing') === null;
  if (node.getMesh() === null || !isPlaced) return false;
  const isMoved = channelsOf(node).some((channel) => channel.getTargetPath() !== 'weights');
  const hasMore = node.getCamera() !== null || node.listExtensions().length > 0 || node.listChildren().length > 0;
  return isMoved || hasMore;
}

function setApart(document: Document, node: Node): void {
  const own = document.createNode().setMesh(node.getMesh()).setWeights(node.getWeights());
  node.setMesh(null).setWeights([]).addChild(own);
  for (const channel of channelsOf(node)) if (channel.getTargetPath() === 'weights') channel.setTargetNode(own);
}

function channelsOf(node: Node): AnimationChannel[] {
  return node.listParents().filter((parent) => parent instanceof AnimationChannel);
}
