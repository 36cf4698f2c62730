import { type Accessor, Document, type Primitive } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { givenNormals, smoothNormals } from '../geometry/smooth-normals.ts';
import { dropUnplacedTextures } from '../images/unplaced-textures.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { fileOf } from '../reading/text-encoding.ts';
import { libraryLines, libraryNames } from './obj-format.ts';
import type { ObjPart, ObjVertices } from './obj-geometry.ts';
import { ObjMaterials } from './obj-materials.ts';
import { type MtlMaterial, readMtl } from './read-mtl.ts';
import { type ObjModel, readObj } from './read-obj.ts';

/** Meshes, lines and points, one node for each object or group. Lengths are metres and +Y is up: the format does not say. */
export async function importObj(request: ImportRequest): Promise<ImportedModel> {
  const model = await readObj(request.file, request.limits);
  const libraries = await readLibraries(request);
  const document = new Document();
  const materials = new ObjMaterials(document, libraries.materials, model.colors !== undefined, request);
  const scene = document.createScene();
  document.getRoot().setDefaultScene(scene);
  document.createBuffer();
  for (const [name, parts] of model.objects) {
    const mesh = document.createMesh(name);
    for (const part of parts) {
      const primitive = buildPart(document, part, model);
      mesh.addPrimitive(primitive.setMaterial(await materials.get(part.material)));
    }
    scene.addChild(
      document
        .createNode(name)
        .setMesh(mesh)
        .setTranslation([...model.vertices.positions.origin]),
    );
  }
  const unplaced = dropUnplacedTextures(document);
  const warnings = [...libraries.warnings, ...model.warnings, ...materials.warnings, ...unplaced];
  return { document, formatVersion: '', generator: model.generator, warnings };
}

async function readLibraries({ file, readReference }: ImportRequest) {
  const materials = new Map<string, MtlMaterial>();
  const warnings: ConversionWarning[] = [];
  for (const line of await libraryLines(file)) {
    let isFound = false;
    for (const name of libraryNames(line).flat()) {
      const bytes = await readReference(name);
      if (bytes === undefined) continue;
      isFound = true;
      for (const [key, material] of await readMtl(fileOf(bytes))) materials.set(key, material);
    }
    if (!isFound) warnings.push({ code: 'file_missing', title: 'Missing file of materials', details: { file: line } });
  }
  return { materials, warnings };
}

/** glTF 2.0, 5.24.4. */
const modes = { points: 0, lines: 1, triangles: 4 } as const;

function buildPart(document: Document, part: ObjPart, { vertices, colors }: ObjModel): Primitive {
  const buffer = document.getRoot().listBuffers()[0] ?? null;
  const accessor = (type: 'SCALAR' | 'VEC2' | 'VEC3', array: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const corners = part.corners.values;
  const primitive = document.createPrimitive().setMode(modes[part.kind]);
  const positions = gather(corners, 0, vertices.positions.values, 3);
  primitive.setAttribute('POSITION', accessor('VEC3', positions));
  if (part.kind !== 'points') primitive.setIndices(accessor('SCALAR', part.indices.values.slice()));
  if (colors !== undefined)
    primitive.setAttribute('COLOR_0', colorsOf(accessor('VEC3', gather(corners, 0, colors, 3))));
  const normals = part.kind === 'triangles' ? normalsOf(part, positions, vertices) : undefined;
  if (normals !== undefined) primitive.setAttribute('NORMAL', accessor('VEC3', normals));
  if (hasSome(corners, 1)) {
    const texcoords = gather(corners, 1, vertices.texcoords.values, 2);
    // Images begin at their lower edge here.
    for (let i = 1; i < texcoords.length; i += 2) texcoords[i] = 1 - (texcoords[i] ?? 0);
    primitive.setAttribute('TEXCOORD_0', accessor('VEC2', texcoords));
  }
  return primitive;
}

/** Some programs write 0 to 255. */
function colorsOf(accessor: Accessor): Accessor {
  const array = accessor.getArray();
  if (array === null) return accessor;
  let most = 0;
  for (const value of array) if (value > most) most = value;
  const scale = most > 1 ? 255 : 1;
  for (let i = 0; i < array.length; i += 1) array[i] = Math.min(1, Math.max(0, (array[i] ?? 0) / scale));
  return accessor;
}

/** What each corner refers to; zeros where it refers to nothing. */
function gather(corners: Int32Array, which: number, from: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array((corners.length / 3) * size);
  for (let i = 0; i < corners.length / 3; i += 1) {
    const index = corners[3 * i + which] ?? -1;
    for (let j = 0; j < size && index >= 0; j += 1) values[size * i + j] = from[size * index + j] ?? 0;
  }
  return values;
}

/** Those that the file has; where it has none, smooth ones if it says that its faces are. */
function normalsOf(
  { corners, indices, smoothing }: ObjPart,
  positions: Float32Array<ArrayBuffer>,
  { normals }: ObjVertices,
): Float32Array<ArrayBuffer> | undefined {
  if (hasSome(corners.values, 2)) {
    return givenNormals(gather(corners.values, 2, normals.values, 3), positions, indices.values);
  }
  if (smoothing === 0) return undefined;
  const first = firstAtSamePlace(corners.values);
  const smooth = smoothNormals(
    positions,
    indices.values.map((corner) => first[corner] ?? 0),
  );
  if (smooth === undefined) return undefined;
  const spread = new Float32Array(smooth.length);
  for (const [corner, from] of first.entries()) spread.set(smooth.subarray(3 * from, 3 * from + 3), 3 * corner);
  return spread;
}

/** Corners differ in their texture coordinates too, at which surfaces are smooth. */
function firstAtSamePlace(corners: Int32Array): Uint32Array<ArrayBuffer> {
  const firsts = new Map<number, number>();
  return Uint32Array.from({ length: corners.length / 3 }, (_, corner) => {
    const position = corners[3 * corner] ?? 0;
    const first = firsts.get(position) ?? corner;
    firsts.set(position, first);
    return first;
  });
}

function hasSome(corners: Int32Array, which: number): boolean {
  for (let at = which; at < corners.length; at += 3) if ((corners[at] ?? -1) >= 0) return true;
  return false;
}
