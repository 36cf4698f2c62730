import type { Document, Material, Mesh, Primitive } from '@gltf-transform/core';
import { GrowingArray } from '../geometry/growing-array.ts';
import type { TextureLoader } from '../images/texture-loader.ts';
import { linearOf } from '../linear-colors.ts';
import type { Color, PropertyGroup, ThreemfModel, ThreemfObject } from './threemf-model.ts';

/** Makes glTF's meshes and materials of a package's objects. */
export class ThreemfMeshes {
  readonly #document: Document;
  readonly #textures: TextureLoader;
  readonly #materials = new Map<string, Promise<Material>>();

  constructor(document: Document, textures: TextureLoader) {
    this.#document = document;
    this.#textures = textures;
  }

  /** @param path of the model part, which says whose numbers are meant */
  async build(object: ThreemfObject, model: ThreemfModel, path: string): Promise<Mesh> {
    const mesh = this.#document.createMesh(object.name || `object ${object.id}`);
    for (const look of looksOf(object, model)) {
      const primitive = this.#document.createPrimitive();
      fill(this.#document, primitive, object, look);
      mesh.addPrimitive(primitive.setMaterial(await this.#materialOf(look, model, path)));
    }
    return mesh;
  }

  async #materialOf({ key, group, index }: Look, model: ThreemfModel, path: string): Promise<Material> {
    const id = `${path}\n${key}`;
    const made = this.#materials.get(id) ?? this.#makeMaterial(group, index, model);
    this.#materials.set(id, made);
    return await made;
  }

  async #makeMaterial(group: PropertyGroup | undefined, index: number, model: ThreemfModel): Promise<Material> {
    const material = this.#document.createMaterial('default').setMetallicFactor(0).setRoughnessFactor(0.9);
    if (group?.kind === 'materials') {
      const { name, color } = group.entries[index] ?? { name: 'default', color: GREY };
      material.setName(name).setBaseColorFactor([...linear(color)]);
      return color[3] < 1 ? material.setAlphaMode('BLEND') : material;
    }
    if (group?.kind === 'colors') {
      const isTranslucent = group.entries.some(([, , , alpha]) => alpha < 1);
      return material.setName('colors').setAlphaMode(isTranslucent ? 'BLEND' : 'OPAQUE');
    }
    if (group === undefined) return material.setBaseColorFactor([...linear(GREY)]);
    const image = model.textures.get(group.texture) ?? '';
    material.setName(image);
    return material.setBaseColorTexture((await this.#textures.load(image, image)) ?? null);
  }
}

const GREY: Color = [0.8, 0.8, 0.8, 1];

/** Triangles that look alike. */
interface Look {
  readonly key: string;
  readonly group: PropertyGroup | undefined;
  /** Of the material in its group. */
  readonly index: number;
  readonly triangles: GrowingArray<Uint32Array<ArrayBuffer>>;
}

function looksOf(object: ThreemfObject, model: ThreemfModel): Look[] {
  const looks = new Map<string, Look>();
  const properties = object.properties.values;
  for (let triangle = 0; triangle < object.triangles.length / 3; triangle += 1) {
    const number = properties[4 * triangle] ?? 0;
    const id = number > 0 ? object.groupIds[number - 1] : object.group;
    const group = id === undefined ? undefined : model.groups.get(id);
    // Materials do not blend within a triangle.
    const index = group?.kind === 'materials' ? placeOf(object, properties, triangle, 0) : 0;
    const key = group === undefined ? '' : `${id} ${index}`;
    const look = looks.get(key) ?? { key, group, index, triangles: new GrowingArray((n) => new Uint32Array(n), 64) };
    looks.set(key, look);
    look.triangles.push(triangle);
  }
  return [...looks.values()];
}

function placeOf(object: ThreemfObject, properties: Uint32Array, triangle: number, corner: number): number {
  return (properties[4 * triangle] ?? 0) > 0 ? (properties[4 * triangle + 1 + corner] ?? 0) : object.index;
}

function fill(document: Document, primitive: Primitive, object: ThreemfObject, { group, triangles }: Look): void {
  const indices = object.triangles.values;
  const vertices = object.vertices.values;
  const properties = object.properties.values;
  const buffer = document.getRoot().listBuffers()[0] ?? null;
  const set = (semantic: string, size: 2 | 3 | 4, at: (triangle: number, corner: number) => ArrayLike<number>) => {
    const array = new Float32Array(3 * size * triangles.length);
    for (const [i, triangle] of triangles.values.entries()) {
      for (let corner = 0; corner < 3; corner += 1) array.set(at(triangle, corner), size * (3 * i + corner));
    }
    const type = ({ 2: 'VEC2', 3: 'VEC3', 4: 'VEC4' } as const)[size];
    primitive.setAttribute(semantic, document.createAccessor().setType(type).setArray(array).setBuffer(buffer));
  };
  const place = (triangle: number, corner: number) => placeOf(object, properties, triangle, corner);
  set('POSITION', 3, (triangle, corner) => {
    const vertex = 3 * (indices[3 * triangle + corner] ?? 0);
    return vertices.subarray(vertex, vertex + 3);
  });
  if (group?.kind === 'colors') {
    const colors = group.entries.map(linear);
    set('COLOR_0', 4, (triangle, corner) => colors[place(triangle, corner)] ?? GREY);
  } else if (group?.kind === 'texcoords') {
    // Images begin at their lower edge here.
    const texcoords = group.entries.map(([u, v]) => [u, 1 - v] as const);
    set('TEXCOORD_0', 2, (triangle, corner) => texcoords[place(triangle, corner)] ?? [0, 0]);
  }
}

/** 3MF's colours are sRGB. */
function linear([red, green, blue, alpha]: Color): [number, number, number, number] {
  return [linearOf(red), linearOf(green), linearOf(blue), alpha];
}
