import { type Accessor, type Document, Node, type Skin } from '@gltf-transform/core';
import { listNodeScenes } from '@gltf-transform/functions';
import { commonAncestor } from '../common-ancestor.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';

/**
 * Mends what exporters get wrong of skins and viewers do not mind: glTF 2.0, 3.7.3 and 3.8.3.
 * @returns a warning for each skin without matrices that say where its joints were when it was bound
 */
export function mendSkins(document: Document): ConversionWarning[] {
  const root = document.getRoot();
  for (const skin of root.listSkins()) if (skin.listJoints().length === 0) skin.dispose();
  const warnings = root.listSkins().flatMap((skin) => mendMatrices(document, skin));
  for (const node of root.listNodes()) if (node.getSkin() !== null && !isSkinned(node)) node.setSkin(null);
  for (const skin of root.listSkins()) {
    showJoints(skin);
    if (commonAncestor(skin.listJoints()) === undefined) addCommonRoot(document, skin);
    const skeleton = skin.getSkeleton();
    if (skeleton !== null && commonAncestor([skeleton, ...skin.listJoints()]) !== skeleton) skin.setSkeleton(null);
  }
  return warnings;
}

/** Its joints move the vertices of a node's mesh that say which. */
function isSkinned(node: Node): boolean {
  const parts = node.getMesh()?.listPrimitives() ?? [];
  return parts.some((part) => part.getAttribute('JOINTS_0') !== null);
}

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** One for each joint, of which the last row is 0, 0, 0, 1: exporters round it. What is no matrix moves nothing. */
function mendMatrices(document: Document, skin: Skin): ConversionWarning[] {
  const matrices = skin.getInverseBindMatrices();
  if (matrices === null) return [];
  const joints = skin.listJoints().length;
  const mended = new Float32Array(16 * joints);
  let missing = 0;
  for (let i = 0; i < joints; i += 1) {
    const matrix = mendedMatrix(matrices, i);
    if (matrix === undefined) missing += 1;
    mended.set(matrix ?? IDENTITY, 16 * i);
  }
  skin.setInverseBindMatrices(document.createAccessor(matrices.getName()).setType('MAT4').setArray(mended));
  const details = { skin: skin.getName(), count: String(missing) };
  return missing === 0 ? [] : [{ code: 'joints_unbound', title: 'Joints without a matrix that binds them', details }];
}

function mendedMatrix(matrices: Accessor, index: number): number[] | undefined {
  if (matrices.getType() !== 'MAT4' || index >= matrices.getCount()) return undefined;
  const matrix: number[] = matrices.getElement(index, []);
  const w = matrix[15] || 1;
  const mended = matrix.map((value, i) => (i % 4 === 3 ? (IDENTITY[i] ?? 0) : value / w));
  return matrix.every(Number.isFinite) && mended.every((value) => Number.isFinite(Math.fround(value)))
    ? mended
    : undefined;
}

/** Joints belong to the scenes that show what they move. */
function showJoints(skin: Skin): void {
  const users = skin.listParents().filter((parent) => parent instanceof Node);
  const shown = users.flatMap((node) => listNodeScenes(node));
  for (const scene of new Set(shown)) {
    for (const top of topsOf(skin)) if (!scene.listChildren().includes(top)) scene.addChild(top);
  }
}

function addCommonRoot(document: Document, skin: Skin): void {
  const tops = topsOf(skin);
  const scenes = new Set(tops.flatMap((top) => listNodeScenes(top)));
  const root = document.createNode('joints');
  for (const top of tops) root.addChild(top);
  for (const scene of scenes) scene.addChild(root);
}

function topsOf(skin: Skin): Node[] {
  return [...new Set(skin.listJoints().map(topOf))];
}

function topOf(node: Node): Node {
  let top = node;
  for (let parent = top.getParentNode(); parent !== null; parent = top.getParentNode()) top = parent;
  return top;
}
