import { type Document, type Material, type Mesh, type Primitive, Texture, TextureInfo } from '@gltf-transform/core';
import type { Transform } from '@gltf-transform/extensions';
import type { ConversionWarning } from './conversion-outcome.ts';

/**
 * Gives mesh parts the texture coordinates that their textures ask for and that are not there: zeros, which is what viewers show. They are
 * counted without gaps (glTF 2.0, 3.7.2.1), so that what is missing before another set is added too.
 */
export function addMissingTexcoords(document: Document): ConversionWarning[] {
  const warnings: ConversionWarning[] = [];
  const wanted = new Map<Material, number>();
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) {
      const material = part.getMaterial();
      const byMaterial = material === null ? 0 : (wanted.get(material) ?? setsOf(material));
      if (material !== null) wanted.set(material, byMaterial);
      const present = part.listSemantics().flatMap((semantic) => /^TEXCOORD_(\d+)$/.exec(semantic)?.[1] ?? []);
      const sets = Math.max(byMaterial, ...present.map((set) => Number(set) + 1));
      if (sets === present.length || sets > MAX_SETS) continue;
      addZeros(document, part, sets);
      if (byMaterial > 0) warnings.push(warning(mesh, material));
    }
  }
  return warnings;
}

/** More are a mistake of a number, not coordinates. */
const MAX_SETS = 16;

/** How many sets of coordinates a material's textures need. */
function setsOf(material: Material): number {
  const infos = [material, ...material.listExtensions()].flatMap((owner) => {
    const edges = owner.getGraph().listChildEdges(owner);
    const used = new Set(edges.flatMap((edge) => (edge.getChild() instanceof Texture ? `${edge.getName()}Info` : [])));
    return edges.filter((edge) => used.has(edge.getName())).map((edge) => edge.getChild());
  });
  const sets = infos.filter((info) => info instanceof TextureInfo).map(setOf);
  return Math.max(0, ...sets.map((set) => set + 1));
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
