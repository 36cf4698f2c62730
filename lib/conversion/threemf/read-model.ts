import type { mat4 } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import type { ModelFile } from '../model-file.ts';
import { refused } from '../reading/refused.ts';
import { scanXml, type XmlAttributes } from '../reading/xml.ts';
import type { Color, Placed, PropertyGroup, ThreemfModel, ThreemfObject } from './threemf-model.ts';

/**
 * Reads one model part of a package: core specification 1.3, materials and properties extension, and the production extension's paths.
 * @throws ConversionError `input_refused`, `limit`
 */
export async function readThreemfModel(file: ModelFile, limits: WorkLimits): Promise<ThreemfModel> {
  const reader = new ModelReader(limits);
  await scanXml(file, reader);
  return reader.model;
}

class ModelReader {
  readonly #limits: WorkLimits;
  readonly #objects = new Map<string, ThreemfObject>();
  readonly #groups = new Map<string, PropertyGroup>();
  readonly #textures = new Map<string, string>();
  readonly #items: Placed[] = [];
  #unit = 'millimeter';
  #generator = '';
  #isGenerator = false;
  #object: ThreemfObject | undefined;
  #group: PropertyGroup | undefined;
  #vertices = 0;
  #depth = 0;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  get model(): ThreemfModel {
    return {
      unit: this.#unit,
      generator: this.#generator.trim(),
      objects: this.#objects,
      groups: this.#groups,
      textures: this.#textures,
      items: this.#items,
    };
  }

  open(name: string, attributes: XmlAttributes): void {
    if (this.#depth === 0 && name !== 'model') throw refused(`the package's model begins with <${name}>.`);
    this.#depth += 1;
    this.#readers[name]?.(attributes);
  }

  close(name: string): void {
    this.#depth -= 1;
    this.#isGenerator = false;
    if (name === 'object') this.#object = undefined;
  }

  text(text: string): void {
    if (this.#isGenerator && this.#generator.length < 200) this.#generator += text.slice(0, 200);
  }

  /** What is done with each element; all others say nothing of looks or shape. */
  readonly #readers: Readonly<Record<string, (attributes: XmlAttributes) => void>> = {
    model: (attributes) => {
      this.#unit = attributes.get('unit') ?? this.#unit;
    },
    metadata: (attributes) => {
      this.#isGenerator = attributes.get('name') === 'Application';
    },
    object: (attributes) => this.#startObject(attributes),
    vertex: (attributes) => this.#addVertex(attributes),
    triangle: (attributes) => this.#addTriangle(attributes),
    component: (attributes) => {
      this.#object?.components.push(placed(attributes));
    },
    item: (attributes) => {
      this.#items.push(placed(attributes));
    },
    basematerials: (attributes) => this.#startGroup(attributes, { kind: 'materials', entries: [] }),
    colorgroup: (attributes) => this.#startGroup(attributes, { kind: 'colors', entries: [] }),
    texture2dgroup: (attributes) => {
      const texture = attributes.get('texid') ?? '';
      this.#startGroup(attributes, { kind: 'texcoords', texture, entries: [] });
    },
    texture2d: (attributes) => {
      this.#textures.set(attributes.get('id') ?? '', attributes.get('path') ?? '');
    },
    base: (attributes) => {
      if (this.#group?.kind !== 'materials') return;
      const name = attributes.get('name') ?? '';
      this.#group.entries.push({ name, color: parseColor(attributes.get('displaycolor')) });
    },
    color: (attributes) => {
      if (this.#group?.kind === 'colors') this.#group.entries.push(parseColor(attributes.get('color')));
    },
    tex2coord: (attributes) => {
      if (this.#group?.kind !== 'texcoords') return;
      this.#group.entries.push([numberOf(attributes, 'u') ?? 0, numberOf(attributes, 'v') ?? 0]);
    },
  };

  #startGroup(attributes: XmlAttributes, group: PropertyGroup): void {
    this.#group = group;
    this.#groups.set(attributes.get('id') ?? '', group);
  }

  #startObject(attributes: XmlAttributes): void {
    const id = attributes.get('id') ?? '';
    this.#object = {
      id,
      name: attributes.get('name') ?? '',
      group: attributes.get('pid'),
      index: numberOf(attributes, 'pindex') ?? 0,
      vertices: new GrowingArray((length) => new Float32Array(length), 192),
      triangles: integers(),
      properties: integers(),
      groupIds: [],
      components: [],
    };
    this.#objects.set(id, this.#object);
    checkLimit('nodes', this.#objects.size, this.#limits);
  }

  #addVertex(attributes: XmlAttributes): void {
    const object = this.#object;
    if (object === undefined) return;
    for (const axis of ['x', 'y', 'z']) {
      const value = numberOf(attributes, axis);
      if (value === undefined) throw refused(`a vertex of object ${object.id} has no number for ${axis}.`);
      object.vertices.push(value);
    }
    this.#vertices += 1;
    checkLimit('vertices', this.#vertices, this.#limits);
  }

  #addTriangle(attributes: XmlAttributes): void {
    const object = this.#object;
    if (object === undefined) return;
    const count = object.vertices.length / 3;
    for (const corner of ['v1', 'v2', 'v3']) {
      const vertex = numberOf(attributes, corner) ?? -1;
      if (!Number.isInteger(vertex) || vertex < 0 || vertex >= count) {
        throw refused(`a triangle of object ${object.id} has a vertex ${vertex} (${corner}), but there are ${count}.`);
      }
      object.triangles.push(vertex);
    }
    // A triangle that says nothing of its looks has those of its object.
    const first = numberOf(attributes, 'p1');
    const group = attributes.get('pid') ?? (first === undefined ? undefined : object.group);
    if (group === undefined || first === undefined) {
      for (let i = 0; i < 4; i += 1) object.properties.push(0);
      return;
    }
    object.properties.push(numberOfGroup(object, group));
    for (const corner of ['p1', 'p2', 'p3']) object.properties.push(numberOf(attributes, corner) ?? first);
  }
}

function numberOfGroup({ groupIds }: ThreemfObject, group: string): number {
  const known = groupIds.indexOf(group);
  return known >= 0 ? known + 1 : groupIds.push(group);
}

function placed(attributes: XmlAttributes): Placed {
  const numbers = attributes.get('transform')?.trim().split(/\s+/).map(Number);
  const isUsable = numbers?.length === 12 && numbers.every(Number.isFinite);
  return {
    object: attributes.get('objectid') ?? '',
    path: attributes.get('path'),
    transform: isUsable ? toMatrix(numbers) : undefined,
  };
}

/** Four rows of three, for vectors that are rows: they are glTF's columns. */
function toMatrix(numbers: readonly number[]): mat4 {
  const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0, g = 0, h = 0, i = 1, x = 0, y = 0, z = 0] = numbers;
  return [a, b, c, 0, d, e, f, 0, g, h, i, 0, x, y, z, 1];
}

function numberOf(attributes: XmlAttributes, name: string): number | undefined {
  const text = attributes.get(name);
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function parseColor(text = ''): Color {
  const [, red, green, blue, alpha = 'ff'] =
    /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})([\da-f]{2})?$/i.exec(text.trim()) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return [1, 1, 1, 1];
  const part = (hex: string) => Number.parseInt(hex, 16) / 255;
  return [part(red), part(green), part(blue), part(alpha)];
}

function integers(): GrowingArray<Uint32Array<ArrayBuffer>> {
  return new GrowingArray((length) => new Uint32Array(length), 192);
}
