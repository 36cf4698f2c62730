import type { Document, Mesh, mat4, Primitive } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import type { TextureLoader } from '../images/texture-loader.ts';
import { GREY, linear, type Paint } from './paint.ts';
import { paintOf } from './paints.ts';
import { NOT_PRINTED, type Printed } from './slicer-settings.ts';
import { ThreemfMaterials } from './threemf-materials.ts';
import type { ThreemfModel, ThreemfObject } from './threemf-model.ts';

/** Makes glTF's meshes and materials of a package's objects. */
export class ThreemfMeshes {
  /** Numbers of groups of properties that are referred to and not there. */
  readonly missing = new Set<string>();
  /** True where layers were more than glTF shows. */
  isRough = false;
  readonly #document: Document;
  readonly #limits: WorkLimits;
  readonly #materials: ThreemfMaterials;
  readonly #paints = new Map<ThreemfModel, Map<string, Paint | undefined>>();
  #vertices = 0;

  constructor(document: Document, textures: TextureLoader, limits: WorkLimits) {
    this.#document = document;
    this.#limits = limits;
    this.#materials = new ThreemfMaterials(document, textures, limits);
  }

  /** @throws ConversionError `limit` */
  async build(request: MeshRequest): Promise<Mesh> {
    const { object, model, path, transform } = request;
    this.#vertices += object.triangles.length;
    checkLimit('vertices', this.#vertices, this.#limits);
    const mesh = this.#document.createMesh(object.name || `object ${object.id}`);
    for (const look of this.#looksOf(request)) {
      const primitive = this.#document.createPrimitive();
      fill(this.#document, primitive, { object, look, transform });
      const material = await this.#materials.materialOf(`${path}\n${look.key}`, look.paint, look.entry, model);
      mesh.addPrimitive(primitive.setMaterial(material));
    }
    return mesh;
  }

  #looksOf({ object, model, printed }: MeshRequest): Look[] {
    const looks = new Map<string, Look>();
    const groupIds = [...object.groupIds.keys()];
    for (let triangle = 0; triangle < object.triangles.length / 3; triangle += 1) {
      const filament = printed?.filamentOf(triangle) ?? 0;
      if (filament === NOT_PRINTED) continue;
      const isPainted = filament > 0 && (object.painted.values[triangle] ?? 0) > 0;
      const own = isPainted ? undefined : this.#ownLook(object, model, triangle, groupIds);
      const { key, paint, entry } = own ?? {
        key: `filament ${filament}`,
        paint: filament > 0 ? printed?.paint : undefined,
        entry: filament - 1,
      };
      const look = looks.get(key) ?? { key, paint, entry, triangles: new GrowingArray((n) => new Uint32Array(n), 64) };
      looks.set(key, look);
      look.triangles.push(triangle);
    }
    return [...looks.values()];
  }

  /** What a triangle or its object says of its looks; undefined where they say nothing, or name what is not there. */
  #ownLook(object: ThreemfObject, model: ThreemfModel, triangle: number, groupIds: readonly string[]) {
    const properties = object.properties.values;
    const number = properties[4 * triangle] ?? 0;
    const id = number > 0 ? groupIds[number - 1] : object.group;
    const paint = id === undefined ? undefined : this.#paintOf(id, model);
    if (id === undefined || paint === undefined) return undefined;
    const entry = placeOf(object, properties, triangle, 0);
    return { key: keyOf(id, paint, entry), paint, entry };
  }

  #paintOf(id: string, model: ThreemfModel): Paint | undefined {
    const paints = this.#paints.get(model) ?? new Map<string, Paint | undefined>();
    this.#paints.set(model, paints);
    if (paints.has(id)) return paints.get(id);
    const paint = paintOf(model.resources.groups.get(id), model.resources);
    paints.set(id, paint);
    if (paint === undefined && this.missing.size < 10) this.missing.add(id.slice(0, 40));
    this.isRough ||= paint?.isRough === true;
    return paint;
  }
}

interface MeshRequest {
  readonly object: ThreemfObject;
  readonly model: ThreemfModel;
  /** Of the model part, which says whose numbers are meant. */
  readonly path: string;
  /** That no node can have, and that its vertices get; undefined for none. */
  readonly transform: mat4 | undefined;
  /** What a slicer says of it. */
  readonly printed: Printed | undefined;
}

/** Triangles that look alike. */
interface Look {
  readonly key: string;
  readonly paint: Paint | undefined;
  /** That their material is made of. */
  readonly entry: number;
  readonly triangles: GrowingArray<Uint32Array<ArrayBuffer>>;
}

/** What triangles must agree in to have one material. */
function keyOf(id: string, { isFlat, under, display }: Paint, entry: number): string {
  if (isFlat || display !== undefined) return `${id} ${entry}`;
  return under === undefined ? id : `${id} on ${under.subarray(4 * entry, 4 * entry + 3).join(' ')}`;
}

function placeOf(object: ThreemfObject, properties: Uint32Array, triangle: number, corner: number): number {
  return (properties[4 * triangle] ?? 0) > 0 ? (properties[4 * triangle + 1 + corner] ?? 0) : object.index;
}

interface Filling {
  readonly object: ThreemfObject;
  readonly look: Look;
  readonly transform: mat4 | undefined;
}

function fill(document: Document, primitive: Primitive, { object, look, transform }: Filling): void {
  const { paint, triangles } = look;
  const indices = object.triangles.values;
  const properties = object.properties.values;
  const buffer = document.getRoot().listBuffers()[0] ?? null;
  const set = (semantic: string, array: Float32Array<ArrayBuffer>, type: 'VEC2' | 'VEC3' | 'VEC4') => {
    primitive.setAttribute(semantic, document.createAccessor().setType(type).setArray(array).setBuffer(buffer));
  };
  const corners = (size: number, values: Float32Array, missing: readonly number[], at: (i: number) => number) => {
    const array = new Float32Array(3 * size * triangles.length);
    for (let i = 0; i < 3 * triangles.length; i += 1) {
      const from = size * at(i);
      for (let j = 0; j < size; j += 1) array[size * i + j] = values[from + j] ?? missing[j] ?? 0;
    }
    return array;
  };
  const triangleAt = (i: number) => triangles.values[Math.floor(i / 3)] ?? 0;
  const vertices = object.vertices.values;
  const positions = corners(3, vertices, [], (i) => indices[3 * triangleAt(i) + (i % 3)] ?? 0);
  if (transform !== undefined) transformAll(positions, transform);
  set('POSITION', positions, 'VEC3');
  const place = (i: number) => placeOf(object, properties, triangleAt(i), i % 3);
  if (paint?.colors !== undefined && !paint.isFlat)
    set('COLOR_0', corners(4, paint.colors, linear(GREY), place), 'VEC4');
  if (paint?.texcoords !== undefined) set('TEXCOORD_0', corners(2, paint.texcoords, [], place), 'VEC2');
}

function transformAll(positions: Float32Array, matrix: mat4): void {
  const [a, b, c, , d, e, f, , g, h, k, , u, v, w] = matrix;
  for (let i = 0; i < positions.length; i += 3) {
    const [x = 0, y = 0, z = 0] = positions.subarray(i, i + 3);
    positions[i] = a * x + d * y + g * z + u;
    positions[i + 1] = b * x + e * y + h * z + v;
    positions[i + 2] = c * x + f * y + k * z + w;
  }
}
