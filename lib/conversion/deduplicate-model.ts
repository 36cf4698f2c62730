import {
  type Accessor,
  type Document,
  type Material,
  Primitive,
  type Property,
  PropertyType,
  Root,
} from '@gltf-transform/core';
import { dedup } from '@gltf-transform/functions';

/**
 * Stores once what is there several times. As the library does, except that what may be equal is found by its content and not by comparing
 * each with each: models can have a hundred thousand of everything.
 */
export async function deduplicateModel(document: Document, includes: { readonly materials: boolean }): Promise<void> {
  const root = document.getRoot();
  const parts = root.listMeshes().flatMap((mesh) => mesh.listPrimitives());
  separateIndices(parts);
  const [triangles, others] = [parts.filter(isOfTriangles), parts.filter((part) => !isOfTriangles(part))];
  const samplers = root.listAnimations().flatMap((animation) => animation.listSamplers());
  const roles = [
    parts.flatMap((part) => part.listAttributes()),
    triangles.map((part) => part.getIndices()),
    others.map((part) => part.getIndices()),
    samplers.map((sampler) => sampler.getInput()),
    samplers.map((sampler) => sampler.getOutput()),
  ];
  for (const role of roles) mergeEqual(new Set(role.filter((accessor) => accessor !== null)), accessorKey, sameArrays);
  mergeEqual(root.listTextures(), (texture) => `${texture.getMimeType()} ${hashOf(texture.getImage())}`, sameImages);
  if (includes.materials) {
    const unnamed = new Set(['name']);
    mergeEqual(root.listMaterials(), materialKey(document), (a, b) => a.equals(b, unnamed));
  }
  await document.transform(dedup({ propertyTypes: [PropertyType.MESH, PropertyType.SKIN] }));
}

/** Triangles begin at whichever corner compresses best, which would join other points by lines: EXT_meshopt_compression. */
function separateIndices(parts: readonly Primitive[]): void {
  const ofTriangles = new Set(parts.filter(isOfTriangles).map((part) => part.getIndices()));
  const own = new Map<Accessor, Accessor>();
  for (const part of parts) {
    const indices = part.getIndices();
    if (indices === null || isOfTriangles(part) || !ofTriangles.has(indices)) continue;
    const copy = own.get(indices) ?? indices.clone();
    own.set(indices, copy);
    part.setIndices(copy);
  }
}

function isOfTriangles(part: Primitive): boolean {
  return part.getMode() === Primitive.Mode['TRIANGLES'];
}

/** Parts that share their indices, at most: the library asks each part's indices who else uses them, of 100,000 parts for hours. */
const MOST_SHARED = 100;

/** Gives parts indices of their own where too many share them, until the model is deduplicated again. */
export function unshareIndices(document: Document): void {
  const uses = new Map<Accessor, number>();
  for (const part of document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives())) {
    const indices = part.getIndices();
    if (indices === null) continue;
    const count = uses.get(indices) ?? 0;
    uses.set(indices, count + 1);
    if (count >= MOST_SHARED) part.setIndices(indices.clone());
  }
}

function mergeEqual<Item extends Property>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  equal: (a: Item, b: Item) => boolean,
): void {
  const kept = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const candidates = kept.get(key) ?? [];
    const same = candidates.find((candidate) => equal(candidate, item));
    if (same === undefined) kept.set(key, [...candidates, item]);
    else {
      for (const parent of new Set(item.listParents())) if (!(parent instanceof Root)) parent.swap(item, same);
      item.dispose();
    }
  }
}

function accessorKey(accessor: Accessor): string {
  const kind = [accessor.getCount(), accessor.getType(), accessor.getComponentType(), accessor.getNormalized()];
  return [...kind, accessor.getSparse(), hashOf(accessor.getArray())].join(' ');
}

function sameArrays(a: Accessor, b: Accessor): boolean {
  return sameBytes(a.getArray(), b.getArray());
}

function sameImages(a: { getImage(): Uint8Array | null }, b: { getImage(): Uint8Array | null }): boolean {
  return sameBytes(a.getImage(), b.getImage());
}

function sameBytes(a: ArrayBufferView | null, b: ArrayBufferView | null): boolean {
  return a !== null && b !== null && bytesOf(a).equals(bytesOf(b));
}

/** What is quickly compared of a material; the rest is compared for those that agree in it. */
function materialKey(document: Document): (material: Material) => string {
  const textures = new Map(
    document
      .getRoot()
      .listTextures()
      .map((texture, i) => [texture, i]),
  );
  return (material) => {
    const used = [material.getBaseColorTexture(), material.getNormalTexture(), material.getEmissiveTexture()];
    const factors = [material.getBaseColorFactor(), material.getEmissiveFactor()].flat();
    const surface = [material.getMetallicFactor(), material.getRoughnessFactor(), material.getAlphaMode()];
    const indices = used.map((texture) => (texture === null ? '' : textures.get(texture)));
    return [...indices, ...factors, ...surface, material.listExtensions().length].join(' ');
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Words that are hashed of a long array, spread over it: what differs in others is told apart when it is compared. */
const HASHED_WORDS = 16_384;

/** FNV-1a of four bytes at a time. */
function hashOf(view: ArrayBufferView | null): number {
  if (view === null) return 0;
  const { buffer, byteOffset, byteLength } = view;
  const data = new DataView(buffer, byteOffset, byteLength);
  const words = byteLength >> 2;
  const step = Math.max(1, Math.floor(words / HASHED_WORDS));
  let hash = 0x811c9dc5 ^ byteLength;
  for (let i = 0; i < words; i += step) hash = Math.imul(hash ^ data.getUint32(4 * i, true), 0x01000193);
  return hash >>> 0;
}
