import type { Document, Material } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { TextureLoader } from '../images/texture-loader.ts';
import type { ImportRequest } from '../importer.ts';

interface TexturedModel {
  /** Of one mesh part. */
  readonly document: Document;
  readonly material: Material;
  /** The names of its images. */
  readonly files: readonly string[];
  /** Which of them each triangle has, counted from 0; undefined where the file does not say. */
  readonly textures: Uint32Array | undefined;
}

/** Puts the images onto the triangles that they belong to; the first onto all where the file does not say to which. */
export async function addTextures(model: TexturedModel, request: ImportRequest): Promise<ConversionWarning[]> {
  const { document, material, files, textures } = model;
  const loader = new TextureLoader(document, request);
  const load = async (name: string, to: Material) => {
    const texture = await loader.load(name, to.getName());
    if (texture !== undefined) to.setBaseColorTexture(texture);
  };
  const [first, ...others] = files;
  if (first === undefined) return [];
  if (others.length > 0 && textures !== undefined) {
    for (const [name, textured] of splitByTexture(document, files, textures)) await load(name, textured);
    return loader.warnings;
  }
  await load(first, material);
  const left = others.map(
    (name): ConversionWarning => ({
      code: 'texture_left_out',
      title: 'Only the first texture of a PLY file is used',
      details: { texture: name, material: material.getName() },
    }),
  );
  return [...loader.warnings, ...left];
}

/** Parts the triangles by their texture, and gives each part a material of its own. What has a texture that is not there is left plain. */
function splitByTexture(document: Document, files: readonly string[], textures: Uint32Array): Map<string, Material> {
  const materials = new Map<string, Material>();
  const [mesh] = document.getRoot().listMeshes();
  const [whole] = mesh?.listPrimitives() ?? [];
  const plain = whole?.getMaterial();
  if (mesh === undefined || whole === undefined || !plain) return materials;
  const buffer = whole.getAttribute('POSITION')?.getBuffer() ?? null;
  const groups = cornersByTexture(textures, files.length, whole.getIndices()?.getArray());
  for (const [number, corners] of groups.entries()) {
    if (corners.length === 0) continue;
    const indices = document.createAccessor().setType('SCALAR').setArray(corners).setBuffer(buffer);
    const name = files[number];
    const material = name === undefined ? plain : (materials.get(name) ?? plain.clone().setName(name));
    if (name !== undefined) materials.set(name, material);
    mesh.addPrimitive(whole.clone().setIndices(indices).setMaterial(material));
  }
  whole.dispose();
  return materials;
}

/**
 * The corners of the triangles of each texture, and last of those that have none of them.
 * @param indices of the corners; without them each three vertices make a triangle
 */
function cornersByTexture(
  textures: Uint32Array,
  count: number,
  indices: ArrayLike<number> | null | undefined,
): Uint32Array<ArrayBuffer>[] {
  const sizes = new Uint32Array(count + 1);
  for (const texture of textures) sizes[Math.min(texture, count)] = (sizes[Math.min(texture, count)] ?? 0) + 3;
  const groups = Array.from(sizes, (size) => new Uint32Array(size));
  sizes.fill(0);
  for (const [triangle, texture] of textures.entries()) {
    const group = Math.min(texture, count);
    const at = sizes[group] ?? 0;
    for (let i = 0; i < 3; i += 1) groups[group]?.set([indices?.[3 * triangle + i] ?? 3 * triangle + i], at + i);
    sizes[group] = at + 3;
  }
  return groups;
}
