import { type Document, type Material, type Mesh, type Primitive, Texture, TextureInfo } from '@gltf-transform/core';
import type { Transform } from '@gltf-transform/extensions';
import type { ConversionWarning } from './conversion-outcome.ts';

/**
 * Gives mesh parts the texture coordinates that their textures ask for and that are not there: zeros, which is what viewers show. They are
 * counted without gaps (glTF 2.0, 3.7.2.1), so that what is missing before another set is added too.
 */
export function addMissingTexcoords(document: Document): ConversionWarning[] {
  const wanted = new Map<Material | null, ReadonlySet<number>>([[null, new Set()]]);
  for (const material of document.getRoot().listMaterials()) wanted.set(material, setsUsedBy(material));
  return document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) =>
      mesh.listPrimitives().flatMap((part) => addMissing(document, mesh, part, wanted.get(part.getMaterial()))),
    );
}

/** More are a mistake of a number, not coordinates. */
const MAX_SETS = 16;

function addMissing(
  document: Document,
  mesh: Mesh,
  part: Primitive,
  wanted: ReadonlySet<number> = new Set(),
): ConversionWarning[] {
  const present = new Set(
    part.listSemantics().flatMap((semantic) => {
      const set = /^TEXCOORD_(\d+)$/.exec(semantic)?.[1];
      return set === undefined ? [] : [Number(set)];
    }),
  );
  const sets = Math.max(-1, ...wanted, ...present) + 1;
  if (sets > MAX_SETS) return [];
  if (sets > present.size) addZeros(document, part, sets);
  return [...wanted].every((set) => present.has(set)) ? [] : [warning(mesh, part.getMaterial())];
}

/** Without coordinates there are no tangents, and without those this map is dropped later, with a warning. */
const NEEDS_TANGENTS = 'clearcoatNormalTexture';

/** The sets of coordinates that a material's textures need. */
function setsUsedBy(material: Material): ReadonlySet<number> {
  const infos = [material, ...material.listExtensions()].flatMap((owner) => {
    const edges = owner.getGraph().listChildEdges(owner);
    const textures = edges.filter((edge) => edge.getChild() instanceof Texture && edge.getName() !== NEEDS_TANGENTS);
    const used = new Set(textures.map((edge) => `${edge.getName()}Info`));
    return edges.filter((edge) => used.has(edge.getName())).map((edge) => edge.getChild());
  });
  return new Set(infos.filter((info) => info instanceof TextureInfo).map(setOf));
}

/** Its own set is no more than a fallback: KHR_texture_transform. */
function setOf(info: TextureInfo): number {
  return info.getExtension<Transform>('KHR_texture_transform')?.getTexCoord() ?? info.getTexCoord();
}

function addZeros(document: Document, part: Primitive, sets: number): void {
  const count = part.getAttribute('POSITION')?.getCount() ?? 0;
  const zeros = document
    .createAccessor()
    .setType('VEC2')
    .setArray(new Float32Array(2 * count));
  for (let set = 0; set < sets; set += 1) {
    if (part.getAttribute(`TEXCOORD_${set}`) === null) part.setAttribute(`TEXCOORD_${set}`, zeros);
  }
}

function warning(mesh: Mesh, material: Material | null): ConversionWarning {
  const details = { mesh: mesh.getName(), material: material?.getName() ?? '' };
  return {
    code: 'texcoord_missing',
    title: 'Mesh part without the texture coordinates that its material needs',
    details,
  };
}
