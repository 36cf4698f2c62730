import type { Document, Mesh, mat4, Node, Primitive, Skin, vec3 } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { identity, multiply } from '../geometry/transforms.ts';
import { keepStrongest, MOST_INFLUENCES, normaliseWeights } from '../geometry/vertex-influences.ts';
import type { WarningCode } from '../warning-codes.ts';
import type { DaeElement } from './dae-element.ts';
import type { DaeGeometries, DaeGeometry, DaePart } from './dae-geometry.ts';
import { component, inputSource, readInputs, readNames, readSource, widthOf } from './dae-source.ts';
import { fromRows } from './transforms.ts';

/** A mesh that joints hold. */
interface Skinned {
  readonly skin: DaeElement;
  /** Says where the skeleton begins. */
  readonly instance: DaeElement;
  readonly node: Node;
  readonly geometry: DaeGeometry;
}

/** What 16 bits can number. */
const MOST_JOINTS = 65_535;

/** Makes glTF's skins once the whole scene, and so every joint, is there. */
export class DaeSkins {
  readonly warnings: ConversionWarning[] = [];
  readonly #document: Document;
  readonly #geometries: DaeGeometries;
  readonly #nodes: ReadonlyMap<DaeElement, readonly Node[]>;
  readonly #waiting: Skinned[] = [];
  readonly #sids = new Map<DaeElement, ReadonlyMap<string, DaeElement>>();
  readonly #influences = new Map<DaeElement, Influences>();
  #everywhere: ReadonlyMap<string, Node> | undefined;

  constructor(document: Document, geometries: DaeGeometries, nodes: ReadonlyMap<DaeElement, readonly Node[]>) {
    this.#document = document;
    this.#geometries = geometries;
    this.#nodes = nodes;
  }

  add(skinned: Skinned): void {
    this.#waiting.push(skinned);
  }

  /** @throws ConversionError `input_refused`, `limit` */
  bind(): void {
    for (const skinned of this.#waiting) this.#bindOne(skinned);
  }

  #bindOne({ skin, instance, node, geometry }: Skinned): void {
    const joints = skin.child('joints');
    const names = readNames(inputSource(joints, 'JOINT'));
    const found = names.map((name) => this.#joint(name, instance));
    const mesh = node.getMesh();
    const shape = skin.child('bind_shape_matrix');
    const bindShape = shape === undefined || shape.text === '' ? identity() : fromRows(shape.numbers);
    if (mesh === null || found.every((joint) => joint === undefined)) {
      // What no joint holds stays where it is bound.
      if (mesh !== null) this.#leave(node, mesh, bindShape, geometry);
      return;
    }
    const lost = found.filter((joint) => joint === undefined).length;
    if (lost > 0) this.#warn(geometry, 'skin_joints_missing', 'Joints that are not there left out', String(lost));
    const kept = new Map<Node, number>();
    for (const [i, joint] of found.entries()) if (joint !== undefined && !kept.has(joint)) kept.set(joint, i);
    if (kept.size > MOST_JOINTS) throw skin.refuse(`has ${kept.size} joints; there may be ${MOST_JOINTS}.`);
    const order = new Map([...kept.keys()].map((joint, number) => [joint, number]));
    const numbers = found.map((joint) => (joint === undefined ? -1 : (order.get(joint) ?? -1)));
    const influences = this.#influencesOf(skin, geometry);
    const bound = this.#document.createMesh(mesh.getName()).setWeights(mesh.getWeights()).setExtras(mesh.getExtras());
    for (const [i, primitive] of mesh.listPrimitives().entries()) {
      const part = geometry.parts[i];
      if (part !== undefined) bound.addPrimitive(this.#bindPart(primitive.clone(), part, influences, numbers));
    }
    node.setMesh(bound).setSkin(this.#makeSkin(skin, kept, bindShape, geometry));
  }

  #makeSkin(
    element: DaeElement,
    joints: ReadonlyMap<Node, number>,
    bindShape: mat4,
    { origin, name }: DaeGeometry,
  ): Skin {
    const source = inputSource(element.child('joints'), 'INV_BIND_MATRIX');
    const matrices = source && readSource(source, 16);
    const toShape = multiply(bindShape, shiftBy(origin));
    const inverse = new Float32Array(16 * joints.size);
    const skin = this.#document.createSkin(name);
    for (const [number, [joint, i]] of [...joints].entries()) {
      const isThere = matrices !== undefined && i < matrices.count;
      const matrix = isThere
        ? fromRows(Array.from({ length: 16 }, (_, cell) => component(matrices, i, cell)))
        : identity();
      inverse.set(multiply(matrix, toShape), 16 * number);
      skin.addJoint(joint);
    }
    const buffer = this.#document.getRoot().listBuffers()[0] ?? null;
    return skin.setInverseBindMatrices(
      this.#document.createAccessor().setType('MAT4').setArray(inverse).setBuffer(buffer),
    );
  }

  #leave(node: Node, mesh: Mesh, bindShape: mat4, geometry: DaeGeometry): void {
    this.#warn(geometry, 'skin_without_joints', 'Skin without any joint that is there: it does not move', '');
    const { origin } = geometry;
    // A place of its own has no node of the document but one for this mesh.
    if (origin.some((value) => value !== 0)) node.setTranslation([0, 0, 0]);
    const placed = this.#document.createNode(mesh.getName()).setMatrix(multiply(bindShape, shiftBy(origin)));
    node.setMesh(null).addChild(placed.setMesh(mesh));
  }

  #warn({ name }: DaeGeometry, code: WarningCode, title: string, joints: string): void {
    this.warnings.push({ code, title, details: { mesh: name, ...(joints !== '' && { joints }) } });
  }

  /** @param numbers of each joint in glTF's skin; below zero for one that is not there */
  #bindPart(
    primitive: Primitive,
    { vertices }: DaePart,
    influences: Influences,
    numbers: readonly number[],
  ): Primitive {
    this.#geometries.count(vertices.length);
    const joints = new Uint16Array(MOST_INFLUENCES * vertices.length);
    const weights = new Float32Array(MOST_INFLUENCES * vertices.length);
    for (let i = 0; i < vertices.length; i += 1) {
      const at = MOST_INFLUENCES * i;
      const vertex = vertices[i] ?? 0;
      const end = influences.ends[vertex] ?? 0;
      for (let influence = influences.ends[vertex - 1] ?? 0; influence < end; influence += 1) {
        const number = numbers[influences.joints[influence] ?? -1] ?? -1;
        if (number >= 0) keepStrongest(joints, weights, at, number, influences.weights[influence] ?? 0);
      }
    }
    normaliseWeights(weights);
    primitive.setAttribute('JOINTS_0', this.#geometries.accessor('VEC4', joints));
    return primitive.setAttribute('WEIGHTS_0', this.#geometries.accessor('VEC4', weights));
  }

  #influencesOf(skin: DaeElement, geometry: DaeGeometry): Influences {
    const known = this.#influences.get(skin) ?? readInfluences(skin, geometry.positions.count);
    this.#influences.set(skin, known);
    return known;
  }

  /** By its sid below the skeletons of the instance, by its id, or by its sid or name anywhere. */
  #joint(name: string, instance: DaeElement): Node | undefined {
    const skeletons = instance.all('skeleton').flatMap(({ text, home }) => home.find(text, ['node']) ?? []);
    for (const skeleton of skeletons) {
      const joint = this.#built(this.#sidsBelow(skeleton).get(name));
      if (joint !== undefined) return joint;
    }
    const byId = this.#built(instance.home.find(name, ['node']));
    if (byId !== undefined) return byId;
    this.#everywhere ??= namesOf(this.#nodes);
    return this.#everywhere.get(name);
  }

  #built(element: DaeElement | undefined): Node | undefined {
    return element && this.#nodes.get(element)?.[0];
  }

  #sidsBelow(skeleton: DaeElement): ReadonlyMap<string, DaeElement> {
    const known = this.#sids.get(skeleton);
    if (known !== undefined) return known;
    const sids = new Map<string, DaeElement>();
    for (const element of [skeleton, ...skeleton.below()]) {
      const sid = element.name === 'node' ? element.get('sid') : undefined;
      if (sid !== undefined && !sids.has(sid)) sids.set(sid, element);
    }
    this.#sids.set(skeleton, sids);
    return sids;
  }
}

function shiftBy(origin: vec3): mat4 {
  return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...origin, 1];
}

/** Nodes by their sids, and by their names where these are no sids. */
function namesOf(nodes: ReadonlyMap<DaeElement, readonly Node[]>): ReadonlyMap<string, Node> {
  const found = new Map<string, Node>();
  for (const attribute of ['sid', 'name']) {
    for (const [element, [node]] of nodes) {
      const name = element.get(attribute);
      if (name !== undefined && node !== undefined && !found.has(name)) found.set(name, node);
    }
  }
  return found;
}

/** Which joints hold each vertex, and how much. */
interface Influences {
  /** Where the influences of each vertex end. */
  readonly ends: Uint32Array;
  readonly joints: Int32Array;
  readonly weights: Float64Array;
}

function readInfluences(skin: DaeElement, vertices: number): Influences {
  const element = skin.child('vertex_weights');
  const inputs = element === undefined ? [] : readInputs(element);
  const joint = inputs.find(({ semantic }) => semantic === 'JOINT')?.offset ?? 0;
  const weight = inputs.find(({ semantic }) => semantic === 'WEIGHT');
  const weights = weight && readSource(weight.source, 1);
  const width = element === undefined ? 1 : widthOf(element);
  const counts = element?.child('vcount')?.list?.values ?? [];
  const indices = element?.child('v')?.list?.values ?? [];
  const total = Math.floor(indices.length / width);
  const ends = new Uint32Array(Math.min(vertices, counts.length));
  let end = 0;
  for (let vertex = 0; vertex < ends.length; vertex += 1) {
    const count = counts[vertex] ?? 0;
    if (element !== undefined && (count < 0 || end + count > total)) {
      throw element.refuse(`has ${total} influences of joints, but its vertices claim more.`);
    }
    end += count;
    ends[vertex] = end;
  }
  const read = (offset: number) => Int32Array.from({ length: end }, (_, i) => indices[width * i + offset] ?? -1);
  const values = weight === undefined ? new Int32Array(end) : read(weight.offset);
  return {
    ends,
    joints: read(joint),
    weights: Float64Array.from(values, (index) =>
      weights && index >= 0 && index < weights.count ? component(weights, index, 0) : 0,
    ),
  };
}
