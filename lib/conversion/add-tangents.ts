import type { Document, Material, Primitive } from '@gltf-transform/core';
import type { Anisotropy, Clearcoat } from '@gltf-transform/extensions';
import { weldPrimitive } from '@gltf-transform/functions';
import type { ConversionWarning } from './conversion-outcome.ts';
import { unweldPart } from './unweld-part.ts';

/** glTF 2.0, 5.24.4: primitive.mode. */
const TRIANGLES = 4;

/**
 * Adds the tangents that a model must bring and does not: a viewer makes them for a normal map, and for nothing else (glTF 2.0, 3.7.2.1;
 * KHR_materials_clearcoat, KHR_materials_anisotropy). Where they cannot be made, what needs them is dropped from the material.
 */
export async function addTangents(document: Document): Promise<ConversionWarning[]> {
  const primitives = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
  const needy = primitives.filter((part) => part.getAttribute('TANGENT') === null && needsTangents(part.getMaterial()));
  const able = needy.filter(hasTangentSpace);
  if (able.length > 0) {
    // Loaded for models that need it alone: it is WebAssembly, which takes longer to load than a small model to convert.
    const { generateTangents } = await import('mikktspace');
    for (const primitive of able) addTo(primitive, document, generateTangents);
  }
  const unable = new Set(needy.filter((part) => !able.includes(part)).map((part) => part.getMaterial()));
  return [...unable].flatMap((material) => (material === null ? [] : [dropEffects(material)]));
}

type Generate = (position: Float32Array, normal: Float32Array, texcoord: Float32Array) => Float32Array;

function addTo(primitive: Primitive, document: Document, generate: Generate): void {
  // Tangents belong to corners, not to vertices that several triangles share; what stays equal is welded again.
  unweldPart(primitive);
  const values = (semantic: string) => primitive.getAttribute(semantic)?.getArray() ?? [];
  const whole = wholeTriangles(values('POSITION'));
  const floats = (semantic: string, size: number) => cornersOf(values(semantic), whole, size);
  const made = whole.length === 0 ? [] : generate(floats('POSITION', 3), floats('NORMAL', 3), floats('TEXCOORD_0', 2));
  const tangents = new Float32Array((values('POSITION').length / 3) * 4);
  // Nobody sees the others, of which any direction is as good.
  for (let index = 0; index < tangents.length; index += 4) tangents.set([1, 0, 0, 1], index);
  for (const [from, triangle] of whole.entries()) {
    for (let i = 0; i < 12; i += 1) tangents[12 * triangle + i] = made[12 * from + i] ?? 0;
  }
  // MikkTSpace's bitangents run the other way round: glTF's texture coordinates begin at the top.
  for (let index = 3; index < tangents.length; index += 4) tangents[index] = -(tangents[index] ?? 1);
  primitive.setAttribute('TANGENT', document.createAccessor().setType('VEC4').setArray(tangents));
  weldPrimitive(primitive);
}

/** MikkTSpace reads beyond its memory where corners of a triangle are in one place: which triangles have three. */
function wholeTriangles(positions: ArrayLike<number>): number[] {
  const isSame = (a: number, b: number) => [0, 1, 2].every((axis) => positions[a + axis] === positions[b + axis]);
  const whole: number[] = [];
  for (let first = 0; first + 8 < positions.length; first += 9) {
    const [second, third] = [first + 3, first + 6];
    if (!isSame(first, second) && !isSame(second, third) && !isSame(third, first)) whole.push(first / 9);
  }
  return whole;
}

function cornersOf(values: ArrayLike<number>, triangles: readonly number[], size: number): Float32Array {
  const corners = new Float32Array(3 * size * triangles.length);
  for (const [to, triangle] of triangles.entries()) {
    for (let i = 0; i < 3 * size; i += 1) corners[3 * size * to + i] = values[3 * size * triangle + i] ?? 0;
  }
  return corners;
}

function needsTangents(material: Material | null): boolean {
  if (material === null || material.getNormalTexture() !== null) return false;
  return clearcoatOf(material)?.getClearcoatNormalTexture() != null || anisotropyOf(material) !== null;
}

function hasTangentSpace(primitive: Primitive): boolean {
  const semantics = ['POSITION', 'NORMAL', 'TEXCOORD_0'];
  const plain = semantics.every((semantic) => primitive.getAttribute(semantic)?.getComponentSize() === 4);
  return primitive.getMode() === TRIANGLES && plain && primitive.listTargets().length === 0;
}

function dropEffects(material: Material): ConversionWarning {
  clearcoatOf(material)?.setClearcoatNormalTexture(null);
  material.setExtension('KHR_materials_anisotropy', null);
  return {
    code: 'tangents_missing',
    title: 'Effect without the tangents that it needs; it is left out',
    details: { material: material.getName() },
  };
}

function clearcoatOf(material: Material): Clearcoat | null {
  return material.getExtension<Clearcoat>('KHR_materials_clearcoat');
}

function anisotropyOf(material: Material): Anisotropy | null {
  return material.getExtension<Anisotropy>('KHR_materials_anisotropy');
}
