import { Document, Logger, type Material, type vec3 } from '@gltf-transform/core';
import { KHRMaterialsUnlit } from '@gltf-transform/extensions';
import { smoothNormals } from './smooth-normals.ts';

/** Geometry of one piece. */
export interface MeshPart {
  readonly name: string;
  readonly kind: 'triangles' | 'points';
  readonly positions: Float32Array<ArrayBuffer>;
  /** Where the positions' zero lies. */
  readonly origin: vec3;
  /** Three for each triangle; without them each three vertices make one. */
  readonly indices?: Uint32Array<ArrayBuffer> | undefined;
  /** For each vertex, unit or not. Triangles with indices get smooth ones where they look so, others the flat ones that the converter adds. */
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
  const document = new Document().setLogger(new Logger(Logger.Verbosity.SILENT));
  const scene = document.createScene();
  document.getRoot().setDefaultScene(scene);
  const material = document.createMaterial('default').setMetallicFactor(0);
  const buffer = document.createBuffer();
  if (parts.every(({ kind, normals }) => kind === 'points' && normals === undefined)) {
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
  const normals = part.normals ?? (indices && smoothNormals(positions, indices));
  if (corners === undefined || indices === undefined) return { positions, normals, colors, texcoords, indices };
  // Corners that agree in all of it are welded later.
  return {
    positions: spread(new Float32Array(3 * indices.length), positions, indices, 3),
    normals: normals && spread(new Float32Array(3 * indices.length), normals, indices, 3),
    colors: corners.colors ?? (colors && spread(new Uint8Array(4 * indices.length), colors, indices, 4)),
    texcoords: corners.texcoords ?? (texcoords && spread(new Float32Array(2 * indices.length), texcoords, indices, 2)),
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
