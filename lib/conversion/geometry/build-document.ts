import { Document, type Material, type vec3 } from '@gltf-transform/core';
import { KHRMaterialsUnlit } from '@gltf-transform/extensions';
import { linearOf } from '../linear-colors.ts';
import { PLAIN_GREY } from '../plain-grey.ts';
import { isPlaced } from './positions.ts';
import { givenNormals, smoothNormals } from './smooth-normals.ts';

/** Geometry of one piece. */
export interface MeshPart {
  readonly name: string;
  readonly kind: 'triangles' | 'points';
  /** Vertices without a place have NaN; no index refers to them. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Where the positions' zero lies. */
  readonly origin: vec3;
  /** Three for each triangle; without them each three vertices make one. */
  readonly indices?: Uint32Array<ArrayBuffer> | undefined;
  /**
   * For each vertex, unit or not; some may be zero or NaN. Triangles with indices get smooth ones where they look so and none are given, others
   * the flat ones that the converter adds.
   */
  readonly normals?: Float32Array<ArrayBuffer> | undefined;
  /** Red, green, blue and alpha of each vertex, linear. */
  readonly colors?: Uint8Array<ArrayBuffer> | undefined;
  readonly texcoords?: Float32Array<ArrayBuffer> | undefined;
  /** As the above for each corner of the triangles, that is for each index. */
  readonly corners?: CornerAttributes | undefined;
}

interface CornerAttributes {
  readonly colors?: Uint8Array<ArrayBuffer> | undefined;
  readonly texcoords?: Float32Array<ArrayBuffer> | undefined;
}

/** glTF 2.0, 5.24.4: primitive.mode. */
const [POINTS, TRIANGLES] = [0, 4] as const;

/** A scene of pieces that share one plain material, each in a node of its own. */
export function buildDocument(parts: readonly MeshPart[]): { document: Document; material: Material } {
  const document = new Document();
  const scene = document.createScene();
  document.getRoot().setDefaultScene(scene);
  const material = document.createMaterial('default').setMetallicFactor(0);
  const grey = linearOf(PLAIN_GREY);
  if (parts.every(isPlain)) material.setBaseColorFactor([grey, grey, grey, 1]);
  const buffer = document.createBuffer();
  if (
    parts.every(({ kind, normals, positions }) => kind === 'points' && !(normals && givenNormals(normals, positions)))
  ) {
    material.setExtension('KHR_materials_unlit', document.createExtension(KHRMaterialsUnlit).createUnlit());
  }
  if (parts.some(isTranslucent)) material.setAlphaMode('BLEND');
  for (const part of parts) {
    const primitive = document
      .createPrimitive()
      .setMode(part.kind === 'points' ? POINTS : TRIANGLES)
      .setMaterial(material);
    const accessor = (type: 'SCALAR' | 'VEC2' | 'VEC3' | 'VEC4', array: AttributeArray) =>
      document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
    const { positions, normals, colors, texcoords, indices } = attributesOf(part);
    primitive.setAttribute('POSITION', accessor('VEC3', positions));
    if (normals) primitive.setAttribute('NORMAL', accessor('VEC3', normals));
    if (colors) primitive.setAttribute('COLOR_0', accessor('VEC4', colors).setNormalized(true));
    if (texcoords) primitive.setAttribute('TEXCOORD_0', accessor('VEC2', texcoords));
    if (indices) primitive.setIndices(accessor('SCALAR', indices));
    const mesh = document.createMesh(part.name).addPrimitive(primitive);
    scene.addChild(document.createNode(part.name).setMesh(mesh).setTranslation(part.origin));
  }
  return { document, material };
}

type AttributeArray = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Of surfaces that may have a texture, or colours of their own, the material is to change nothing. */
function isPlain({ kind, colors, texcoords, corners }: MeshPart): boolean {
  return kind === 'triangles' && colors === undefined && texcoords === undefined && corners === undefined;
}

function isTranslucent({ colors, corners }: MeshPart): boolean {
  const all = corners?.colors ?? colors ?? new Uint8Array(0);
  for (let i = 3; i < all.length; i += 4) if ((all[i] ?? 255) < 255) return true;
  return false;
}

interface Attributes extends CornerAttributes {
  readonly positions: Float32Array<ArrayBuffer>;
  readonly normals?: Float32Array<ArrayBuffer> | undefined;
  readonly indices?: Uint32Array<ArrayBuffer> | undefined;
}

function attributesOf(part: MeshPart): Attributes {
  const { positions, indices, colors, texcoords, corners } = part;
  const normals = part.normals && givenNormals(part.normals, positions, indices);
  if (indices === undefined) {
    const unindexed = { positions, normals, colors, texcoords };
    return pick(unindexed, placedVertices(positions, part.kind === 'points' ? 1 : 3));
  }
  const indexed = { positions, normals: normals ?? smoothNormals(positions, indices), colors, texcoords };
  // Corners that agree in all of it are welded later.
  if (corners !== undefined) return { ...pick(indexed, indices), ...definedOf(corners) };
  const { vertices, renumbered } = usedVertices(indices, positions.length / 3);
  return { ...pick(indexed, vertices), indices: renumbered };
}

function definedOf({ colors, texcoords }: CornerAttributes): CornerAttributes {
  return { ...(colors && { colors }), ...(texcoords && { texcoords }) };
}

/** The vertices that have a place, in groups of which all have one; undefined for all of them. */
function placedVertices(positions: Float32Array, group: 1 | 3): Uint32Array<ArrayBuffer> | undefined {
  const count = positions.length / 3;
  const placed = new Uint32Array(count);
  let length = 0;
  for (let first = 0; first + group <= count; first += group) {
    let isWhole = true;
    for (let i = first; i < first + group; i += 1) isWhole &&= isPlaced(positions, i);
    if (!isWhole) continue;
    for (let i = first; i < first + group; i += 1, length += 1) placed[length] = i;
  }
  return length === count ? undefined : placed.slice(0, length);
}

/** The vertices that triangles have, and the triangles by their new numbers: what is not shown must not widen any bounds. */
function usedVertices(indices: Uint32Array<ArrayBuffer>, count: number) {
  const numbers = new Uint32Array(count);
  for (const index of indices) numbers[index] = 1;
  const vertices = new Uint32Array(count);
  let length = 0;
  for (let i = 0; i < count; i += 1) {
    if (numbers[i] === 0) continue;
    vertices[length] = i;
    numbers[i] = length;
    length += 1;
  }
  if (length === count) return { vertices: undefined, renumbered: indices };
  return { vertices: vertices.slice(0, length), renumbered: indices.map((index) => numbers[index] ?? 0) };
}

/** The attributes of some vertices in their order; undefined stands for all of them. */
function pick(
  { positions, normals, colors, texcoords }: Attributes,
  vertices: Uint32Array | undefined,
): Omit<Attributes, 'indices'> {
  if (vertices === undefined) return { positions, normals, colors, texcoords };
  const floats = (size: number) => new Float32Array(size * vertices.length);
  return {
    positions: spread(floats(3), positions, vertices, 3),
    normals: normals && spread(floats(3), normals, vertices, 3),
    colors: colors && spread(new Uint8Array(4 * vertices.length), colors, vertices, 4),
    texcoords: texcoords && spread(floats(2), texcoords, vertices, 2),
  };
}

/** Copies the value of each index. */
function spread<Values extends Float32Array | Uint8Array>(
  into: Values,
  from: Values,
  indices: Uint32Array,
  size: number,
): Values {
  for (let i = 0; i < indices.length; i += 1) {
    const start = size * (indices[i] ?? 0);
    for (let j = 0; j < size; j += 1) into[size * i + j] = from[start + j] ?? 0;
  }
  return into;
}
