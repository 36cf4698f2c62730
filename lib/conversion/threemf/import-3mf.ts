import { Document, type Mesh, type mat4, type Node } from '@gltf-transform/core';
import { checkLimit } from '../conversion-limits.ts';
import { TextureLoader } from '../images/texture-loader.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { refused } from '../reading/refused.ts';
import { fileOf } from '../reading/text-encoding.ts';
import { scanXml } from '../reading/xml.ts';
import { checkZipLimits, readZipDirectory, unpackZipEntry, type ZipEntry } from '../reading/zip.ts';
import { readThreemfModel } from './read-model.ts';
import { ThreemfMeshes } from './threemf-meshes.ts';
import type { Placed, ThreemfModel } from './threemf-model.ts';

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
  const root = await findRoot(pack);
  const builder = new SceneBuilder(pack, request);
  const { document, model } = await builder.build(root);
  return { document, formatVersion: '', generator: model.generator, warnings: builder.warnings };
}

interface Package {
  /** By their path without the leading `/`, in lower case: names of parts have no case. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly read: (path: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
}

async function openPackage({ file, limits }: ImportRequest): Promise<Package> {
  const entries = await readZipDirectory(file);
  checkZipLimits(entries, limits);
  const byPath = new Map(entries.map((entry) => [partName(entry.name), entry]));
  return {
    entries: byPath,
    read: async (path) => {
      const entry = byPath.get(partName(path));
      return entry && (await unpackZipEntry(file, entry));
    },
  };
}

function partName(path: string): string {
  return path.replace(/^\/+/, '').toLowerCase();
}

/** The part that the package's relationships name as its model, or the first that looks like one. */
async function findRoot({ entries, read }: Package): Promise<string> {
  const relations = await read('_rels/.rels');
  let named: string | undefined;
  if (relations !== undefined) {
    await scanXml(fileOf(relations), {
      open(name, attributes) {
        const isModel = name === 'Relationship' && attributes.get('Type')?.endsWith('/3dmodel') === true;
        if (isModel) named ??= attributes.get('Target');
      },
    });
  }
  if (named !== undefined && entries.has(partName(named))) return partName(named);
  const first = [...entries.keys()].find((path) => path.endsWith('.model'));
  if (first === undefined) throw refused('it is an archive without a 3D model (3D/*.model) in it.');
  return first;
}

/** Deeper than components of components that anybody made. */
const DEEPEST = 64;

class SceneBuilder {
  readonly #pack: Package;
  readonly #request: ImportRequest;
  readonly #document = new Document();
  readonly #textures: TextureLoader;
  readonly #meshes: ThreemfMeshes;
  readonly #models = new Map<string, Promise<ThreemfModel>>();
  readonly #built = new Map<string, Promise<Mesh>>();
  #nodes = 0;

  constructor(pack: Package, request: ImportRequest) {
    this.#pack = pack;
    this.#request = request;
    this.#textures = new TextureLoader(this.#document, { readReference: pack.read, limits: request.limits });
    this.#meshes = new ThreemfMeshes(this.#document, this.#textures);
    this.#document.createBuffer();
  }

  get warnings() {
    return this.#textures.warnings;
  }

  async build(path: string): Promise<{ document: Document; model: ThreemfModel }> {
    const model = await this.#model(path);
    const scale = units[model.unit];
    if (scale === undefined) throw refused(`its unit '${model.unit.slice(0, 40)}' is none that 3MF has.`);
    const root = this.#document.createNode('3MF').setMatrix(upright(scale));
    const scene = this.#document.createScene().addChild(root);
    this.#document.getRoot().setDefaultScene(scene);
    const all = [...model.objects.keys()].map((object) => ({ object, path: undefined, transform: undefined }));
    for (const item of model.items.length > 0 ? model.items : all) root.addChild(await this.#place(item, path, 0));
    return { document: this.#document, model };
  }

  async #place({ object: id, path: elsewhere, transform }: Placed, path: string, depth: number): Promise<Node> {
    if (depth > DEEPEST) throw refused(`object ${id} is a component of itself, or nested more than ${DEEPEST} deep.`);
    this.#nodes += 1;
    checkLimit('nodes', this.#nodes, this.#request.limits);
    const part = elsewhere === undefined ? path : partName(elsewhere);
    const model = await this.#model(part);
    const object = model.objects.get(id);
    if (object === undefined) throw refused(`it refers to an object '${id.slice(0, 40)}' that is not there.`);
    const node = this.#document.createNode(object.name || `object ${id}`);
    if (transform !== undefined) node.setMatrix(transform);
    if (object.triangles.length > 0) {
      const key = `${part}\n${id}`;
      const mesh = this.#built.get(key) ?? this.#meshes.build(object, model, part);
      this.#built.set(key, mesh);
      node.setMesh(await mesh);
    }
    for (const component of object.components) node.addChild(await this.#place(component, part, depth + 1));
    return node;
  }

  async #model(path: string): Promise<ThreemfModel> {
    const known = this.#models.get(path) ?? this.#readModel(path);
    this.#models.set(path, known);
    return await known;
  }

  async #readModel(path: string): Promise<ThreemfModel> {
    const bytes = await this.#pack.read(path);
    if (bytes === undefined) throw refused(`the package has no model '${path}', which another refers to.`);
    return await readThreemfModel(fileOf(bytes), this.#request.limits);
  }
}

/** From +Z to +Y up. */
function upright(scale: number): mat4 {
  return [scale, 0, 0, 0, 0, 0, -scale, 0, 0, scale, 0, 0, 0, 0, 0, 1];
}
