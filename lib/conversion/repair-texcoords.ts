import { type Document, type Material, type Mesh, type Primitive, Texture, TextureInfo } from '@gltf-transform/core';
import type { MappingList } from '@gltf-transform/extensions';
import type { ConversionWarning } from './conversion-outcome.ts';

/**
 * Gives mesh parts the texture coordinates that their textures ask for and that are not there: zeros, which is what viewers show. They are
 * counted without gaps (glTF 2.0, 3.7.2.1), so that what is missing before another set is added too.
 */
export function addMissingTexcoords(document: Document): ConversionWarning[] {
  const wanted = new Map<Material | null, Wanted>();
  for (const material of document.getRoot().listMaterials()) wanted.set(material, setsUsedBy(material));
  return document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) =>
      mesh.listPrimitives().flatMap((part) => {
        const needed = materialsOf(part).flatMap((material) => wanted.get(material) ?? []);
        return addMissing(document, mesh, part, {
          always: new Set(needed.flatMap(({ always }) => [...always])),
          withTangents: new Set(needed.flatMap(({ withTangents }) => [...withTangents])),
        });
      }),
    );
}

/** Its own and those that variants give it. */
function materialsOf(part: Primitive): (Material | null)[] {
  const variants = part.getExtension<MappingList>('KHR_materials_variants')?.listMappings() ?? [];
  return [part.getMaterial(), ...variants.map((mapping) => mapping.getMaterial())];
}

/** More are a mistake of a number, not coordinates. */
const MAX_SETS = 16;

function addMissing(
  document: Document,
  mesh: Mesh,
  part: Primitive,
  { always, withTangents }: Wanted,
): ConversionWarning[] {
  const present = new Set(
    part.listSemantics().flatMap((semantic) => {
      const set = /^TEXCOORD_(\d+)$/.exec(semantic)?.[1];
      return set === undefined ? [] : [Number(set)];
    }),
  );
  // Without coordinates there are no tangents, and without those what needs them is dropped later, with a warning.
  const wanted = new Set([...always, ...(present.has(0) ? withTangents : [])]);
  const sets = Math.max(-1, ...wanted, ...present) + 1;
  if (sets > MAX_SETS) return [];
  if (sets > present.size) addZeros(document, part, sets);
  return [...wanted].every((set) => present.has(set)) ? [] : [warning(mesh, part.getMaterial())];
}

/** The sets of coordinates that a material's textures need. */
interface Wanted {
  readonly always: ReadonlySet<number>;
  /** Where the part has tangents, or what they are made of. */
  readonly withTangents: ReadonlySet<number>;
}

const NEEDS_TANGENTS = 'clearcoatNormalTexture';

function setsUsedBy(material: Material): Wanted {
  const always = new Set<number>();
  const withTangents = new Set<number>();
  for (const owner of [material, ...material.listExtensions()]) {
    const edges = owner.getGraph().listChildEdges(owner);
    const textures = edges.flatMap((edge) => (edge.getChild() instanceof Texture ? [edge.getName()] : []));
    for (const name of textures) {
      const info = edges.find((edge) => edge.getName() === `${name}Info`)?.getChild();
      if (!(info instanceof TextureInfo)) continue;
      (name === NEEDS_TANGENTS ? withTangents : always).add(info.getTexCoord());
    }
  }
  return { always, withTangents };
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
    code: 'texcoords_missing',
    title: 'Mesh part without the texture coordinates that its material needs',
    details,
  };
}
