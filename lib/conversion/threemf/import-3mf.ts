import { Document, type Mesh, type mat4, type Node } from '@gltf-transform/core';
import { checkLimit } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { isUnsheared } from '../flatten-scene.ts';
import { multiply } from '../geometry/transforms.ts';
import { TextureLoader } from '../images/texture-loader.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { refused } from '../reading/refused.ts';
import { fileOf } from '../reading/text-encoding.ts';
import type { WarningCode } from '../warning-codes.ts';
import { readThreemfModel } from './read-model.ts';
import { SlicerSettings } from './slicer-settings.ts';
import { ThreemfMeshes } from './threemf-meshes.ts';
import type { Placed, ThreemfModel, ThreemfObject } from './threemf-model.ts';
import { openPackage, partName, type ThreemfPackage } from './threemf-package.ts';

/** What a model's unit is in metres: core specification 1.3, 3.4. */
const units: Readonly<Record<string, number>> = {
  micron: 1e-6,
  millimeter: 1e-3,
  centimeter: 1e-2,
  inch: 0.0254,
  foot: 0.3048,
  meter: 1,
};

/** Everything that a package asks to be built, in metres; its +Z is up. */
export async function import3mf(request: ImportRequest): Promise<ImportedModel> {
  const pack = await openPackage(request);
  const builder = new SceneBuilder(pack, await SlicerSettings.read(pack), request);
  const { document, model } = await builder.build();
  return { document, formatVersion: '', generator: model.generator, warnings: builder.warnings };
}

/** Deeper than components of components that anybody made. */
const DEEPEST = 64;

/** The type of objects that are not to be built. */
const OTHER = 'other';

/** Where an object is placed: the part that refers to it, and what no node above it could have of its place. */
interface Place {
  readonly path: string;
  readonly depth: number;
  readonly pending: mat4 | undefined;
  /** The object of the build that it is a part of. */
  readonly whole: string;
  /** The number of the filament that a slicer prints it with. */
  readonly filament: number;
}

class SceneBuilder {
  readonly #pack: ThreemfPackage;
  readonly #slicer: SlicerSettings;
  readonly #request: ImportRequest;
  readonly #document = new Document();
  readonly #textures: TextureLoader;
  readonly #meshes: ThreemfMeshes;
  readonly #models = new Map<string, Promise<ThreemfModel>>();
  readonly #built = new Map<string, Promise<Mesh>>();
  readonly #leftOut = new Set<string>();
  #isBuildEmpty = false;
  #others = 0;
  #areOthersShown = false;
  #nodes = 0;

  constructor(pack: ThreemfPackage, slicer: SlicerSettings, request: ImportRequest) {
    this.#pack = pack;
    this.#slicer = slicer;
    this.#request = request;
    this.#textures = new TextureLoader(this.#document, { readReference: pack.read, limits: request.limits });
    this.#meshes = new ThreemfMeshes(this.#document, this.#textures, request.limits);
    this.#document.createBuffer();
  }

  get warnings(): ConversionWarning[] {
    const warnings = [...this.#textures.warnings];
    const warn = (code: WarningCode, title: string, details: Record<string, string>) =>
      warnings.push({ code, title, details });
    for (const what of this.#leftOut)
      warn('content_left_out', 'Content that is not shown, or not as it is', { content: what });
    for (const group of this.#meshes.missing)
      warn('reference_missing', 'Material that is not there', { material: group });
    if (this.#isBuildEmpty) warn('scene_added', 'Model in which nothing is to be built: all of it is shown', {});
    if (this.#meshes.isRough) warn('layers_simplified', 'More layers on a surface than can be shown', {});
    if (this.#others > 0) {
      warn('hidden_left_out', "Objects of the type 'other', which are not to be built, left out", {
        objects: String(this.#others),
      });
    }
    return warnings;
  }

  async build(): Promise<{ document: Document; model: ThreemfModel }> {
    const path = this.#pack.root;
    const model = await this.#model(path);
    const scale = units[model.unit.trim().toLowerCase()];
    if (scale === undefined) throw refused(`its unit '${model.unit.slice(0, 40)}' is none that 3MF has.`);
    const scene = this.#document.createScene();
    this.#document.getRoot().setDefaultScene(scene);
    const items = this.#itemsOf(model);
    const place = async () => {
      const root = this.#document.createNode('3MF').setMatrix(upright(scale));
      for (const item of items) {
        const filament = this.#slicer.wholeFilament(item.object);
        root.addChild(await this.#place(item, { path, depth: 0, pending: undefined, whole: item.object, filament }));
      }
      return root;
    };
    let root = await place();
    if (this.#built.size === 0 && this.#others > 0) {
      this.#areOthersShown = true;
      this.#others = 0;
      root.dispose();
      root = await place();
    }
    scene.addChild(root);
    if (this.#built.size === 0 && this.#leftOut.size > 0) {
      throw refused(`all that it has to show is what cannot be built here: ${[...this.#leftOut].join(', ')}.`);
    }
    return { document: this.#document, model };
  }

  /** What is to be built; where nothing is, all that is no part of another object. */
  #itemsOf({ items, objects }: ThreemfModel): readonly Placed[] {
    if (items.length > 0) return items;
    const parts = new Set([...objects.values()].flatMap(({ components }) => components.map(({ object }) => object)));
    const whole = [...objects.keys()].filter((object) => !parts.has(object));
    this.#isBuildEmpty = whole.length > 0;
    return whole.map((object) => ({ object, path: undefined, transform: undefined }));
  }

  async #place({ object: id, path: elsewhere, transform }: Placed, place: Place): Promise<Node> {
    const { path, depth, pending, whole, filament } = place;
    if (depth > DEEPEST) throw refused(`object ${id} is a component of itself, or nested more than ${DEEPEST} deep.`);
    this.#nodes += 1;
    checkLimit('nodes', this.#nodes, this.#request.limits);
    const part = elsewhere === undefined ? path : partName(elsewhere);
    const model = await this.#model(part);
    const object = model.objects.get(id);
    if (object === undefined) throw refused(`it refers to an object '${id.slice(0, 40)}' that is not there.`);
    const node = this.#document.createNode(object.name || `object ${id}`);
    const sliced = depth === 0 ? undefined : this.#slicer.partOf(whole, id);
    if ((object.type === OTHER || sliced?.isPrinted === false) && !this.#areOthersShown) {
      this.#others += 1;
      return node;
    }
    const matrix = multiplied(pending, transform);
    // A node has no place that shears or flattens: the vertices below get it.
    const isNodes = matrix === undefined || isUnsheared(matrix);
    if (matrix !== undefined && isNodes) node.setMatrix(matrix);
    const left = isNodes ? undefined : matrix;
    const below = { path: part, depth: depth + 1, pending: left, whole, filament: sliced?.filament ?? filament };
    if (object.triangles.length > 0) node.setMesh(await this.#meshOf(object, model, below));
    for (const component of object.components) node.addChild(await this.#place(component, below));
    return node;
  }

  async #meshOf(object: ThreemfObject, model: ThreemfModel, place: Place): Promise<Mesh> {
    const { path, pending, filament } = place;
    const key = [path, object.id, pending?.join(' '), filament].join('\n');
    const mesh = this.#built.get(key) ?? this.#build(object, model, place);
    this.#built.set(key, mesh);
    return await mesh;
  }

  async #build(object: ThreemfObject, model: ThreemfModel, { path, pending, filament }: Place): Promise<Mesh> {
    const printed = this.#slicer.printed(object, filament, path === this.#pack.root);
    if (printed === undefined && model.isPainted) this.#leftOut.add('colours that are painted in a slicer');
    return await this.#meshes.build({ object, model, path, transform: pending, printed });
  }

  async #model(path: string): Promise<ThreemfModel> {
    const known = this.#models.get(path) ?? this.#readModel(path);
    this.#models.set(path, known);
    return await known;
  }

  async #readModel(path: string): Promise<ThreemfModel> {
    const bytes = await this.#pack.read(path);
    if (bytes === undefined) throw refused(`the package has no model '${path}', which another refers to.`);
    if (isEncrypted(bytes)) throw refused(`its model '${path}' is encrypted (3MF Secure Content). Export it without.`);
    const model = await readThreemfModel(fileOf(bytes), this.#request.limits);
    for (const what of model.leftOut) this.#leftOut.add(what);
    return model;
  }
}

/** What the secure content extension's encrypted parts begin with. */
function isEncrypted(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 5)).toString('latin1') === '%3McF';
}

function multiplied(outer: mat4 | undefined, inner: mat4 | undefined): mat4 | undefined {
  return outer === undefined || inner === undefined ? (outer ?? inner) : multiply(outer, inner);
}

/** From +Z to +Y up. */
function upright(scale: number): mat4 {
  return [scale, 0, 0, 0, 0, 0, -scale, 0, 0, scale, 0, 0, 0, 0, 0, 1];
}
