import type { Document, Node, Primitive, Skin } from '@gltf-transform/core';
import { keepStrongest, MOST_INFLUENCES, normaliseWeights } from '../geometry/vertex-influences.ts';
import { type AssimpScene, type AssimpBone as Bone, partsInOrder } from './assimp-scene.ts';

/**
 * Replaces the skins of a document that the library wrote by what its own scene says: as glTF, it gives all meshes one skin with the bind pose
 * of the first, keeps the first four influences instead of the strongest, and does not make their sum one.
 */
export function repairSkins(document: Document, { meshes }: AssimpScene): void {
  const joints = new Map<string, Node>();
  for (const skin of document.getRoot().listSkins()) {
    for (const joint of skin.listJoints()) joints.set(joint.getName(), joint);
  }
  const parts = partsInOrder(document);
  const bySkin = new SkinMaker(document, joints);
  const skinned = new Map<Primitive, Skinned>();
  for (const [i, part] of parts.entries()) {
    const { bones: all = [], faces = [] } = meshes[i] ?? {};
    const bones = all.filter(({ name }) => joints.has(name));
    if (part.getAttribute('JOINTS_0') === null && part.getAttribute('WEIGHTS_0') === null) continue;
    const made = bones.length === 0 ? undefined : bindPart(document, part, bones, faces.flat());
    if (made === undefined) unbind(part);
    else skinned.set(part, made);
  }
  bySkin.assign(skinned);
}

interface Skinned {
  readonly bones: readonly Bone[];
}

/** @param corners the scene's vertices, one for each corner of its faces */
function bindPart(
  document: Document,
  part: Primitive,
  bones: readonly Bone[],
  corners: readonly number[],
): Skinned | undefined {
  const count = part.getAttribute('POSITION')?.getCount() ?? 0;
  const indices = new Uint16Array(MOST_INFLUENCES * count);
  const weights = new Float32Array(MOST_INFLUENCES * count);
  const written = writtenVertices(corners, count);
  for (const [index, { weights: influences }] of bones.entries()) {
    for (const [vertex, weight] of influences.filter((influence) => influence[1] > 0)) {
      for (const target of written(vertex)) {
        keepStrongest(indices, weights, MOST_INFLUENCES * target, index, weight);
      }
    }
  }
  normaliseWeights(weights);
  const buffer = part.getAttribute('POSITION')?.getBuffer() ?? null;
  part.setAttribute('JOINTS_0', document.createAccessor().setType('VEC4').setArray(indices).setBuffer(buffer));
  part.setAttribute('WEIGHTS_0', document.createAccessor().setType('VEC4').setArray(weights).setBuffer(buffer));
  return { bones };
}

/** Which vertices a vertex of the scene has become: as glTF, the library gives each corner of a face one of its own. */
function writtenVertices(corners: readonly number[], count: number): (vertex: number) => readonly number[] {
  if (corners.length !== count) return (vertex) => (vertex < count ? [vertex] : []);
  const byVertex = Map.groupBy(corners.keys(), (corner) => corners[corner] ?? 0);
  return (vertex) => byVertex.get(vertex) ?? [];
}

function unbind(part: Primitive): void {
  part.setAttribute('JOINTS_0', null).setAttribute('WEIGHTS_0', null);
}

/** Gives each node a skin for what its mesh shows; parts of one mesh that are bound in other ways get nodes of their own. */
class SkinMaker {
  readonly #document: Document;
  readonly #joints: ReadonlyMap<string, Node>;
  readonly #skins = new Map<string, Skin>();

  constructor(document: Document, joints: ReadonlyMap<string, Node>) {
    this.#document = document;
    this.#joints = joints;
  }

  assign(skinned: ReadonlyMap<Primitive, Skinned>): void {
    const root = this.#document.getRoot();
    const old = root.listSkins();
    for (const node of root.listNodes()) {
      node.setSkin(null);
      const groups = new Map<Skin | undefined, Primitive[]>();
      for (const part of node.getMesh()?.listPrimitives() ?? []) {
        const bones = skinned.get(part)?.bones;
        const skin = bones && this.#skinOf(bones);
        groups.set(skin, [...(groups.get(skin) ?? []), part]);
      }
      this.#show(node, [...groups]);
    }
    for (const skin of old) skin.dispose();
  }

  #show(node: Node, [first, ...others]: readonly [Skin | undefined, Primitive[]][]): void {
    const name = node.getMesh()?.getName() ?? '';
    if (first === undefined) return;
    node.setSkin(first[0] ?? null);
    if (others.length === 0) return;
    for (const [i, [skin, parts]] of [first, ...others].entries()) {
      const mesh = this.#document.createMesh(name);
      for (const part of parts) mesh.addPrimitive(part);
      if (i === 0) node.setMesh(mesh);
      else
        node.addChild(
          this.#document
            .createNode(node.getName())
            .setMesh(mesh)
            .setSkin(skin ?? null),
        );
    }
  }

  #skinOf(bones: readonly Bone[]): Skin {
    const key = JSON.stringify(bones.map(({ name, offsetmatrix }) => [name, offsetmatrix]));
    const known = this.#skins.get(key);
    if (known !== undefined) return known;
    const matrices = new Float32Array(16 * bones.length);
    const skin = this.#document.createSkin('skin');
    for (const [i, { name, offsetmatrix }] of bones.entries()) {
      const joint = this.#joints.get(name);
      if (joint !== undefined) skin.addJoint(joint);
      for (let cell = 0; cell < 16; cell += 1)
        matrices[16 * i + 4 * (cell % 4) + Math.floor(cell / 4)] = offsetmatrix[cell] ?? 0;
    }
    const buffer = this.#document.getRoot().listBuffers()[0] ?? null;
    skin.setInverseBindMatrices(this.#document.createAccessor().setType('MAT4').setArray(matrices).setBuffer(buffer));
    this.#skins.set(key, skin);
    return skin;
  }
}
