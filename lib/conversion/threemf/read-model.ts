import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { GrowingArray } from '../geometry/growing-array.ts';
import type { ModelFile } from '../model-file.ts';
import { refused } from '../reading/refused.ts';
import { scanXml, type XmlAttributes } from '../reading/xml.ts';
import { BeamLattice } from './beam-lattice.ts';
import { LooksOf2013 } from './looks-of-2013.ts';
import { mostPainted } from './painted-triangle.ts';
import { ResourceReader } from './read-resources.ts';
import { requiredButUnknown } from './required-extensions.ts';
import { numberOfGroup, type Placed, type ThreemfModel, type ThreemfObject } from './threemf-model.ts';
import { integers, numberOf, transformOf } from './xml-values.ts';

/**
 * Reads one model part of a package: core specification 1.3, materials and properties, beam lattices, the production extension's paths, and
 * the looks of the format before its specification.
 * @throws ConversionError `input_refused`, `limit`
 */
export async function readThreemfModel(file: ModelFile, limits: WorkLimits): Promise<ThreemfModel> {
  const reader = new ModelReader(limits);
  await scanXml(file, reader);
  return reader.model;
}

/** What is told of elements that are not shown. Of all others it is enough that their objects are. */
const leftOut: Readonly<Record<string, string>> = {
  slicestack: 'slices',
  levelset: 'level sets of implicit functions',
  volumedata: 'volumetric data',
  displacementmesh: 'displacement of surfaces',
  displacement2d: 'displacement of surfaces',
  toolpath: 'tool paths',
  pbmetallictexturedisplayproperties: 'textures of metal and roughness',
  pbspeculartexturedisplayproperties: 'textures of specular colour',
};

const lists: Readonly<Record<string, string>> = {
  vertices: 'vertex',
  triangles: 'triangle',
  components: 'component',
  beams: 'beam',
};

class ModelReader {
  readonly #limits: WorkLimits;
  readonly #objects = new Map<string, ThreemfObject>();
  readonly #resources = new ResourceReader();
  readonly #looksOf2013 = new LooksOf2013(this.#resources.groups);
  readonly #items: Placed[] = [];
  readonly #leftOut = new Set<string>();
  #unit = 'millimeter';
  #generator = '';
  #isGenerator = false;
  #object: ThreemfObject | undefined;
  #lattice: BeamLattice | undefined;
  #vertices = 0;
  readonly #parents: string[] = [];
  #isPainted = false;
  /** Of the boolean shape that is read: of no other its operands can be shown as they are. */
  #isUnion = false;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  get model(): ThreemfModel {
    if (this.#resources.hasClear) this.#leftOut.add('materials without any opacity: they are opaque');
    return {
      unit: this.#unit,
      generator: this.#generator.trim(),
      objects: this.#objects,
      resources: this.#resources,
      items: this.#items,
      leftOut: this.#leftOut,
      isPainted: this.#isPainted,
    };
  }

  open(name: string, attributes: XmlAttributes): void {
    if (this.#parents.length === 0 && name !== 'model') throw refused(`the package's model begins with <${name}>.`);
    this.#noteUnknown(name);
    this.#parents.push(name);
    const read = this.#readers[name] ?? this.#resources.readers[name];
    read?.(attributes);
    const what = leftOut[name];
    if (what !== undefined) this.#leftOut.add(what);
  }

  /** Lists that have elements of one kind: whatever else stands in them would have been shown, too. */
  #noteUnknown(name: string): void {
    const expected = lists[this.#parents.at(-1) ?? ''];
    if (expected !== undefined && name !== expected && this.#leftOut.size < 20) {
      this.#leftOut.add(`elements <${name.slice(0, 40)}> among the ${this.#parents.at(-1)}`);
    }
  }

  close(name: string): void {
    this.#parents.pop();
    this.#isGenerator = false;
    if (name !== 'object' || this.#object === undefined) return;
    if (this.#lattice !== undefined) this.#lattice.buildInto(this.#object, this.#limits);
    if (this.#lattice?.isClipped === true) this.#leftOut.add('clipping of beam lattices');
    this.#lattice = undefined;
    this.#object = undefined;
  }

  text(text: string): void {
    if (this.#isGenerator && this.#generator.length < 200) this.#generator += text.slice(0, 200);
  }

  readonly #readers: Readonly<Record<string, (attributes: XmlAttributes) => void>> = {
    model: (attributes) => {
      this.#unit = attributes.get('unit') ?? this.#unit;
      for (const namespace of requiredButUnknown(attributes)) this.#leftOut.add(`the extension ${namespace}`);
    },
    metadata: (attributes) => {
      this.#isGenerator = attributes.get('name') === 'Application';
    },
    object: (attributes) => this.#startObject(attributes),
    vertex: (attributes) => this.#addVertex(attributes),
    triangle: (attributes) => this.#addTriangle(attributes),
    beamlattice: (attributes) => {
      this.#lattice = new BeamLattice(attributes);
    },
    beam: (attributes) => this.#lattice?.addBeam(attributes),
    ball: (attributes) => this.#lattice?.addBall(attributes),
    component: (attributes) => {
      this.#object?.components.push(placed(attributes, 'a component'));
    },
    booleanshape: (attributes) => {
      this.#object?.components.push(placed(attributes, 'a boolean shape'));
      this.#isUnion = (attributes.get('operation') ?? 'union') === 'union';
      if (!this.#isUnion) this.#leftOut.add('boolean operations');
    },
    boolean: (attributes) => {
      if (this.#isUnion) this.#object?.components.push(placed(attributes, 'an operand of a boolean shape'));
    },
    item: (attributes) => {
      this.#items.push(placed(attributes, 'a build item'));
    },
    color: (attributes) => {
      const value = attributes.get('value');
      if (value === undefined) this.#resources.readers['color']?.(attributes);
      else this.#looksOf2013.addColor(attributes.get('id') ?? '', value);
    },
    material: (attributes) => this.#looksOf2013.addMaterial(attributes),
    texture: (attributes) => this.#resources.readers['texture2d']?.(attributes),
    texturevertex: (attributes) => {
      if (this.#object !== undefined) this.#looksOf2013.addTexcoord(this.#object.id, attributes);
    },
  };

  #startObject(attributes: XmlAttributes): void {
    const id = attributes.get('id') ?? '';
    const old = this.#looksOf2013.isUsed ? this.#looksOf2013.placesOf(id, attributes) : undefined;
    this.#object = {
      id,
      name: attributes.get('name') ?? '',
      type: attributes.get('type') ?? 'model',
      group: attributes.get('pid') ?? old?.group,
      index: numberOf(attributes, 'pindex') ?? old?.places[0] ?? 0,
      vertices: new GrowingArray((length) => new Float32Array(length), 192),
      triangles: integers(),
      properties: integers(),
      groupIds: new Map(),
      painted: new GrowingArray((length) => new Uint8Array(length), 64),
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
    this.#addProperties(object, attributes);
    const painted = attributes.get('paint_color') ?? attributes.get('mmu_segmentation');
    if (painted !== undefined && painted !== '') this.#paint(object, painted);
  }

  #paint({ painted, triangles }: ThreemfObject, text: string): void {
    const { filament, isSplit } = mostPainted(text);
    if (isSplit) this.#leftOut.add('borders of painted colours within triangles');
    this.#isPainted = true;
    while (painted.length < triangles.length / 3 - 1) painted.push(0);
    painted.push(filament);
  }

  /** A triangle that says nothing of its looks has those of its object. */
  #addProperties(object: ThreemfObject, attributes: XmlAttributes): void {
    const old = this.#looksOf2013.isUsed ? this.#looksOf2013.placesOf(object.id, attributes) : undefined;
    const first = numberOf(attributes, 'p1') ?? old?.places[0];
    const group = old?.group ?? attributes.get('pid') ?? (first === undefined ? undefined : object.group);
    if (group === undefined || first === undefined) {
      for (let i = 0; i < 4; i += 1) object.properties.push(0);
      return;
    }
    const [, second = first, third = first] = old?.places ?? [
      first,
      numberOf(attributes, 'p2'),
      numberOf(attributes, 'p3'),
    ];
    object.properties.push(numberOfGroup(object, group));
    for (const place of [first, second, third]) object.properties.push(place);
  }
}

function placed(attributes: XmlAttributes, what: string): Placed {
  const object = attributes.get('objectid') ?? '';
  return { object, path: attributes.get('path'), transform: transformOf(attributes, `${what} (object ${object})`) };
}
