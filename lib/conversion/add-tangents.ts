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
  const floats = (semantic: string) => Float32Array.from(primitive.getAttribute(semantic)?.getArray() ?? []);
  const tangents = Float32Array.from(generate(floats('POSITION'), floats('NORMAL'), floats('TEXCOORD_0')));
  // MikkTSpace's bitangents run the other way round: glTF's texture coordinates begin at the top.
  for (let index = 3; index < tangents.length; index += 4) tangents[index] = -(tangents[index] ?? 1);
  primitive.setAttribute('TANGENT', document.createAccessor().setType('VEC4').setArray(tangents));
  weldPrimitive(primitive);
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
