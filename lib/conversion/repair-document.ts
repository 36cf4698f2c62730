import { type Accessor, AnimationChannel, type Document, type Node, type Scene } from '@gltf-transform/core';
import type { ConversionWarning } from './conversion-outcome.ts';
import { repairMotion } from './repair-motion.ts';
import { addMissingTexcoords } from './repair-texcoords.ts';
import { settleTexcoords } from './texture-coordinates.ts';

/** Mends what exporters leave out or get a little wrong, so that neither the libraries stumble nor the validator complains. */
export function repairDocument(document: Document): ConversionWarning[] {
  addInverseBindMatrices(document);
  dropUnknownChannels(document);
  normaliseDirections(document);
  repairMotion(document);
  settleTexcoords(document);
  return [...addMissingTexcoords(document), ...ensureScene(document)];
}

/** glTF 2.0, 3.7.3.2: without them each is the identity; the quantising library wants them written out. */
function addInverseBindMatrices(document: Document): void {
  for (const skin of document.getRoot().listSkins()) {
    if (skin.getInverseBindMatrices() !== null) continue;
    const matrices = new Float32Array(16 * skin.listJoints().length);
    for (let i = 0; i < matrices.length; i += 1) matrices[i] = (i % 16) % 5 === 0 ? 1 : 0;
    skin.setInverseBindMatrices(document.createAccessor().setType('MAT4').setArray(matrices));
  }
}

/** Channels of extensions that are not kept aim at nothing. */
function dropUnknownChannels(document: Document): void {
  const paths: ReadonlySet<string> = new Set(Object.values(AnimationChannel.TargetPath));
  for (const animation of document.getRoot().listAnimations()) {
    for (const channel of animation.listChannels()) {
      const path = channel.getTargetPath();
      if (channel.getTargetNode() === null || path === null || !paths.has(path)) channel.dispose();
    }
  }
}

function normaliseDirections(document: Document): void {
  const done = new Set<Accessor>();
  for (const mesh of document.getRoot().listMeshes()) {
    for (const primitive of mesh.listPrimitives()) {
      for (const semantic of ['NORMAL', 'TANGENT']) {
        const attribute = primitive.getAttribute(semantic);
        if (attribute === null || done.has(attribute)) continue;
        done.add(attribute);
        normalise(attribute);
      }
    }
  }
}

/** Deviation of a direction's length that the validator still takes for rounding. */
const UNIT_TOLERANCE = 0.0005;

function normalise(attribute: Accessor): void {
  const array = attribute.getArray();
  if (!(array instanceof Float32Array)) return;
  const size = attribute.getElementSize();
  for (let i = 0; i + 2 < array.length; i += size) {
    const [x = 0, y = 0, z = 0] = [array[i], array[i + 1], array[i + 2]];
    const length = Math.sqrt(x * x + y * y + z * z);
    if (Math.abs(length - 1) > UNIT_TOLERANCE || Number.isNaN(length)) {
      // A direction without a length says nothing; any is as good.
      const usable = length > 0 && Number.isFinite(length);
      array.set(usable ? [x / length, y / length, z / length] : [0, 1, 0], i);
    }
    // The fourth component of a tangent is a sign: glTF 2.0, 3.7.2.1.
    if (size === 4) array[i + 3] = (array[i + 3] ?? 1) < 0 ? -1 : 1;
  }
}

function ensureScene(document: Document): ConversionWarning[] {
  const root = document.getRoot();
  const [first] = root.listScenes();
  if (first !== undefined) {
    if (root.getDefaultScene() === null) root.setDefaultScene(first);
    return [];
  }
  const scene: Scene = document.createScene();
  for (const node of root.listNodes()) if (isRoot(node)) scene.addChild(node);
  root.setDefaultScene(scene);
  return [{ code: 'scene_added', title: 'Model without a scene: all of its nodes are shown', details: {} }];
}

/** Scenes that show nothing are left out, which glTF does not have (glTF 2.0, 5.27): of several, and where others are left. */
export function dropEmptyScenes(document: Document): void {
  const shown = document.getRoot().getDefaultScene();
  for (const scene of document.getRoot().listScenes()) {
    if (scene !== shown && scene.listChildren().length === 0) scene.dispose();
  }
}

function isRoot(node: Node): boolean {
  return node.getParentNode() === null;
}
