import { type Document, type Material, type Mesh, type mat4, Node } from '@gltf-transform/core';
import { checkLimit } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { ImportRequest } from '../importer.ts';
import { readControllers } from './dae-controllers.ts';
import type { DaeDocument } from './dae-document.ts';
import type { DaeElement } from './dae-element.ts';
import { DaeGeometries, type DaeGeometry } from './dae-geometry.ts';
import { DaeMaterials } from './dae-materials.ts';
import { morphMesh } from './dae-morphs.ts';
import { DaeSkins } from './dae-skins.ts';
import { isSkewed, placementOf, readTransforms } from './transforms.ts';

/** Deeper than nodes within nodes that anybody made. */
const DEEPEST = 1000;

/** glTF 2.0, 5.24.4. */
const modes = { lines: 1, triangles: 4 } as const;

/** What each kind of instance shows. */
const instances: Readonly<Record<string, 'node' | 'geometry' | 'controller'>> = {
  instance_node: 'node',
  instance_geometry: 'geometry',
  instance_controller: 'controller',
};

/** What the scene has become, for animations. */
export interface BuiltScene {
  /** A node that is shown in several places has become several. */
  readonly nodes: ReadonlyMap<DaeElement, readonly Node[]>;
  /** The nodes that show what a controller morphs. */
  readonly morphed: ReadonlyMap<DaeElement, readonly Node[]>;
}

/** Makes glTF's nodes, meshes and skins of a visual scene. */
export class SceneBuilder {
  readonly #document: Document;
  readonly #limits: ImportRequest['limits'];
  readonly #geometries: DaeGeometries;
  readonly #materials: DaeMaterials;
  readonly #skins: DaeSkins;
  readonly #meshes = new Map<DaeElement, Map<string, Mesh>>();
  readonly #materialNumbers = new Map<Material, number>();
  readonly #nodes = new Map<DaeElement, Node[]>();
  readonly #morphed = new Map<DaeElement, Node[]>();
  readonly #missing = new Set<string>();
  #count = 0;
  #skewed = 0;

  /** @param home of what is shown */
  constructor(document: Document, home: DaeDocument, request: Pick<ImportRequest, 'readReference' | 'limits'>) {
    this.#document = document;
    this.#limits = request.limits;
    this.#geometries = new DaeGeometries(document, request.limits);
    this.#materials = new DaeMaterials(document, home, request);
    this.#skins = new DaeSkins(document, this.#geometries, this.#nodes);
  }

  /** What instances show and is not there. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  get warnings(): ConversionWarning[] {
    const missing = [...this.#missing].map(
      (url): ConversionWarning => ({
        code: 'reference_missing',
        title: 'Reference to something that is not there left out',
        details: { url },
      }),
    );
    return [
      ...missing,
      ...this.#warnOfSkew(),
      ...this.#geometries.warnings,
      ...this.#skins.warnings,
      ...this.#materials.warnings,
    ];
  }

  #warnOfSkew(): ConversionWarning[] {
    if (this.#skewed === 0) return [];
    const details = { nodes: String(this.#skewed) };
    return [{ code: 'skew_left_out', title: 'Nodes that are skewed are shown upright', details }];
  }

  /** @param content a visual scene, or a library whose geometries or nodes are all shown */
  async build(content: DaeElement, root: Node): Promise<BuiltScene> {
    for (const child of content.children) {
      if (child.name === 'node') root.addChild(await this.#buildNode(child, 0));
      else if (child.name === 'geometry') await this.#showGeometry(child, child, root);
    }
    this.#skins.bind();
    dropUnused(this.#document);
    this.#materials.settleOpacity();
    return { nodes: this.#nodes, morphed: this.#morphed };
  }

  async #buildNode(element: DaeElement, depth: number): Promise<Node> {
    if (depth > DEEPEST) throw element.refuse(`is a part of itself, or nested more than ${DEEPEST} deep.`);
    const node = this.#createNode(element.title);
    const transforms = readTransforms(element);
    if (transforms.length > 0) {
      const { translation, rotation, scale } = placementOf(transforms);
      node.setTranslation(translation).setRotation(rotation).setScale(scale);
      if (isSkewed(transforms)) this.#skewed += 1;
    }
    push(this.#nodes, element, node);
    for (const child of element.children) {
      if (child.name === 'node') node.addChild(await this.#buildNode(child, depth + 1));
      else await this.#addInstance(child, node, depth);
    }
    return node;
  }

  async #addInstance(instance: DaeElement, node: Node, depth: number): Promise<void> {
    const kind = instances[instance.name];
    if (kind === undefined) return;
    const target = instance.find('url', kind);
    if (target === undefined) this.#missing.add(instance.get('url') ?? '');
    else if (kind === 'node') node.addChild(await this.#buildNode(target, depth + 1));
    else if (kind === 'geometry') await this.#showGeometry(target, instance, node);
    else await this.#showController(target, instance, node);
  }

  #createNode(name: string): Node {
    this.#count += 1;
    checkLimit('nodes', this.#count, this.#limits);
    return this.#document.createNode(name);
  }

  async #showGeometry(element: DaeElement, instance: DaeElement, node: Node): Promise<void> {
    const geometry = this.#geometries.get(element);
    if (geometry === undefined || geometry.parts.length === 0) return;
    this.#holder(node, geometry).setMesh(await this.#meshOf(element, geometry, instance));
  }

  async #showController(controller: DaeElement, instance: DaeElement, node: Node): Promise<void> {
    const { skin, morph, geometry: element } = readControllers(controller);
    const geometry = element && this.#geometries.get(element);
    if (element === undefined || geometry === undefined || geometry.parts.length === 0) return;
    let mesh = await this.#meshOf(element, geometry, instance);
    if (morph !== undefined)
      mesh = morphMesh({ document: this.#document, geometries: this.#geometries, morph, geometry, mesh });
    const holder = this.#holder(node, geometry).setMesh(mesh);
    if (morph !== undefined) push(this.#morphed, morph, holder);
    if (skin !== undefined) this.#skins.add({ skin, instance, node: holder, geometry });
  }

  /** The node itself for the first mesh whose positions lie where they say. */
  #holder(node: Node, { name, origin }: DaeGeometry): Node {
    if (node.getMesh() === null && origin.every((value) => value === 0)) return node;
    const holder = this.#createNode(name).setTranslation(origin);
    node.addChild(holder);
    return holder;
  }

  /** Uses of a geometry with the same materials share a mesh. */
  async #meshOf(element: DaeElement, geometry: DaeGeometry, instance: DaeElement): Promise<Mesh> {
    const bindings = readBindings(instance);
    const materials: Material[] = [];
    for (const part of geometry.parts) {
      const { material, bound } = bindings.get(part.symbol) ?? guessBinding(element, part.symbol, bindings);
      materials.push(await this.#materials.get(material, bound, part));
    }
    const key = materials.map((material) => this.#numberOf(material)).join(' ');
    const made = this.#meshes.get(element) ?? new Map<string, Mesh>();
    this.#meshes.set(element, made);
    const known = made.get(key);
    if (known !== undefined) return known;
    const mesh = this.#document.createMesh(geometry.name);
    for (const [i, { attributes, indices, kind }] of geometry.parts.entries()) {
      const primitive = this.#document
        .createPrimitive()
        .setMode(modes[kind])
        .setIndices(indices)
        .setMaterial(materials[i] ?? null);
      for (const [semantic, accessor] of attributes) primitive.setAttribute(semantic, accessor);
      mesh.addPrimitive(primitive);
    }
    made.set(key, mesh);
    return mesh;
  }

  #numberOf(material: Material): number {
    const known = this.#materialNumbers.get(material) ?? this.#materialNumbers.size;
    this.#materialNumbers.set(material, known);
    return known;
  }
}

/** What morphs or joints hold has become a mesh of its own. */
function dropUnused(document: Document): void {
  for (const mesh of document.getRoot().listMeshes()) {
    if (mesh.listParents().some((parent) => parent instanceof Node)) continue;
    for (const primitive of mesh.listPrimitives()) primitive.dispose();
    mesh.dispose();
  }
}

function push<Key>(map: Map<Key, Node[]>, key: Key, node: Node): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [node]);
  else known.push(node);
}

interface Binding {
  readonly material: DaeElement | undefined;
  readonly bound: ReadonlyMap<string, number>;
}

/** Which material each symbol of a geometry means here, and which texture coordinates the words of its effect mean. */
function readBindings(instance: DaeElement): Map<string, Binding> {
  const common = instance.child('bind_material')?.child('technique_common');
  const materials = common?.all('instance_material') ?? [];
  return new Map(
    materials.map((use) => {
      const inputs = use.all('bind_vertex_input').filter((input) => input.get('input_semantic') !== 'COLOR');
      const bound = inputs.map((input) => [input.get('semantic') ?? '', input.integer('input_set') ?? 0] as const);
      return [use.get('symbol') ?? '', { material: use.find('target', 'material'), bound: new Map(bound) }];
    }),
  );
}

/** Where nobody says which material is meant: the one of that name, or the only one that there is. */
function guessBinding({ home }: DaeElement, symbol: string, bindings: ReadonlyMap<string, Binding>): Binding {
  const named = home.find(symbol, ['material']);
  if (named !== undefined) return { material: named, bound: new Map() };
  const [only, ...others] = bindings.values();
  if (symbol === '' && only !== undefined && others.length === 0) return only;
  const isOnly = bindings.size === 0 && home.materials.length === 1;
  return { material: isOnly ? home.materials[0] : undefined, bound: new Map() };
}

/** How the space of a document becomes glTF's: +Y up, in metres. */
export function toGltfSpace(asset: DaeElement | undefined): mat4 {
  const unit = Number.parseFloat((asset?.child('unit')?.get('meter') ?? '1').replace(',', '.'));
  const s = unit > 0 && Number.isFinite(unit) ? unit : 1;
  const up = asset?.child('up_axis')?.text;
  if (up === 'Z_UP') return [s, 0, 0, 0, 0, 0, -s, 0, 0, s, 0, 0, 0, 0, 0, 1];
  if (up === 'X_UP') return [0, s, 0, 0, -s, 0, 0, 0, 0, 0, s, 0, 0, 0, 0, 1];
  return [s, 0, 0, 0, 0, s, 0, 0, 0, 0, s, 0, 0, 0, 0, 1];
}
