import {
  type Document,
  MathUtils,
  type mat4,
  type Node,
  PropertyType,
  type Scene,
  type Skin,
  type vec3,
  type vec4,
} from '@gltf-transform/core';
import { listNodeScenes, prune } from '@gltf-transform/functions';
import { commonAncestor } from './common-ancestor.ts';
import { identity } from './geometry/transforms.ts';

/** What a flattened scene still shows in the same way below another parent; other extensions of nodes act on their children. */
const movable: ReadonlySet<string> = new Set(['KHR_lights_punctual', 'EXT_mesh_gpu_instancing']);

/**
 * Takes nodes out of their parents, up to the scene, and drops those that hold nothing then. Nodes stay where something moves or hides
 * their parents, and where their place in the scene cannot be said by a translation, a rotation and a scale.
 */
export async function flattenScene(document: Document): Promise<void> {
  const animated = animatedNodes(document);
  const acting = nodesThatAct(document, animated);
  const held = new Set<Node>();
  const scenes = document.getRoot().listScenes();
  const single = scenes.length === 1 ? scenes[0] : undefined;
  for (const scene of scenes) {
    const nodes: Node[] = [];
    // Parents come before their children.
    scene.traverse((node) => nodes.push(node));
    for (const node of nodes) {
      const parent = node.getParentNode();
      if (parent === null) continue;
      if (acting.has(parent) || held.has(parent)) held.add(node);
      else if (!animated.has(node)) moveUp(node, single);
    }
  }
  await document.transform(prune({ propertyTypes: [PropertyType.NODE], keepLeaves: false }));
}

/** @param single the only scene, where there is only one: others have to be looked for */
function moveUp(node: Node, single: Scene | undefined): void {
  const matrix = node.getWorldMatrix();
  if (!isUnsheared(matrix)) return;
  const scenes = single === undefined ? listNodeScenes(node) : [single];
  node.setMatrix(matrix);
  for (const scene of scenes) scene.addChild(node);
}

/** Nodes that an animation moves. */
export function animatedNodes(document: Document): Set<Node> {
  const channels = document
    .getRoot()
    .listAnimations()
    .flatMap((animation) => animation.listChannels());
  return new Set(
    channels.flatMap((channel) => (channel.getTargetPath() === 'weights' ? [] : (channel.getTargetNode() ?? []))),
  );
}

/** Nodes whose descendants follow them at run time. */
function nodesThatAct(document: Document, animated: ReadonlySet<Node>): Set<Node> {
  const root = document.getRoot();
  const joints = root.listSkins().flatMap((skin) => [...skin.listJoints(), ...rootsOf(skin)]);
  const acting = root
    .listNodes()
    .filter((node) => node.listExtensions().some(({ extensionName }) => !movable.has(extensionName)));
  return new Set([...joints, ...animated, ...acting]);
}

/** Joints keep the node that they have in common, and the one that a skin names: glTF 2.0, 3.7.3.1. */
function rootsOf(skin: Skin): Node[] {
  return [commonAncestor(skin.listJoints()), skin.getSkeleton()].filter((node) => node != null);
}

/** Largest deviation of a matrix from what its translation, rotation and scale make, as a part of its largest scale. */
const SHEAR_TOLERANCE = 1e-4;

/** False for what a rotation below an uneven scale makes, and for a scale of zero. */
export function isUnsheared(matrix: mat4): boolean {
  const [translation, rotation, scale]: [vec3, vec4, vec3] = [
    [0, 0, 0],
    [0, 0, 0, 1],
    [1, 1, 1],
  ];
  MathUtils.decompose(matrix, translation, rotation, scale);
  const composed = MathUtils.compose(translation, rotation, scale, identity());
  const size = Math.max(...scale.map(Math.abs));
  return matrix.every((value, i) => Math.abs(value - (composed[i] ?? 0)) <= SHEAR_TOLERANCE * size || i > 11);
}
