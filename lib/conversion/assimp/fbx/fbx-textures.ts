import { type Document, type Texture, TextureInfo } from '@gltf-transform/core';
import type { ConversionWarning } from '../../conversion-outcome.ts';
import { placeTexture } from '../../images/place-texture.ts';
import { TextureLoader } from '../../images/texture-loader.ts';
import type { ImportRequest } from '../../importer.ts';
import type { FbxObjects } from './fbx-connections.ts';
import { readBytes } from './fbx-data.ts';
import { referenceOf, storedNames } from './fbx-format.ts';
import {
  childOf,
  dataOf,
  type FbxData,
  type FbxFile,
  type FbxNode,
  numbersOf,
  objectName,
  propertyText,
} from './fbx-node.ts';

/** A texture of a material, and how it lies on the surface. */
export interface FbxTexture {
  readonly texture: Texture;
  /** Where its image came from: two with one name are one. */
  readonly uri: string;
  readonly node: FbxNode;
}

const { WrapMode } = TextureInfo;

/** The textures of an FBX's materials by the property that they stand for. */
export class FbxTextures {
  readonly #document: Document;
  readonly #objects: FbxObjects;
  readonly #loader: TextureLoader;
  readonly #leftOut: ConversionWarning[] = [];

  /** @param bytes of the file, for the images within it */
  constructor(document: Document, fbx: FbxFile, objects: FbxObjects, bytes: Uint8Array, request: ImportRequest) {
    this.#document = document;
    this.#objects = objects;
    const embedded = embeddedImages(fbx.nodes);
    this.#loader = new TextureLoader(document, {
      limits: request.limits,
      readReference: async (uri) => {
        const data = embedded.get(uri);
        return data === undefined ? await request.readReference(uri) : readBytes(bytes, data);
      },
    });
  }

  get warnings(): ConversionWarning[] {
    return [...this.#loader.warnings, ...this.#leftOut];
  }

  /** The first texture that a material has for one of several properties. */
  async find(material: FbxNode, ...properties: readonly string[]): Promise<FbxTexture | undefined> {
    for (const property of properties) {
      const node = this.#nodeOf(material, property);
      const uri = node && referenceOf(node);
      if (node === undefined || !uri) continue;
      const texture = await this.#loader.load(uri, objectName(material));
      if (texture !== undefined) return { texture, uri, node };
    }
    return undefined;
  }

  /** Says of textures that they are not used. */
  leaveOut(material: FbxNode, ...properties: readonly string[]): void {
    for (const property of properties) {
      const node = this.#nodeOf(material, property);
      if (node === undefined) continue;
      const details = { texture: referenceOf(node), material: objectName(material) };
      this.#leftOut.push({ code: 'texture_left_out', title: 'Texture of a kind that is not used', details });
    }
  }

  /** Lays a texture on a surface as an FBX says. */
  place(info: TextureInfo | null, { node }: FbxTexture, material: FbxNode): void {
    if (info === null) return;
    const numbers = numbersOf(node);
    info.setTexCoord(this.#setOf(node, material));
    if (numbers.get('WrapModeU')?.[0] === 1) info.setWrapS(WrapMode['CLAMP_TO_EDGE'] ?? 33_071);
    if (numbers.get('WrapModeV')?.[0] === 1) info.setWrapT(WrapMode['CLAMP_TO_EDGE'] ?? 33_071);
    const [u = 0, v = 0] = numbers.get('Translation') ?? numbersIn(node, 'ModelUVTranslation');
    const [su = 1, sv = 1] = numbers.get('Scaling') ?? numbersIn(node, 'ModelUVScaling');
    placeTexture(this.#document, info, { offset: [u, v], scale: [su, sv] });
  }

  /** Of layers, the lowest is taken. */
  #nodeOf(material: FbxNode, property: string): FbxNode | undefined {
    const named = ({ connection }: { connection: { property: string } }) => connection.property === property;
    const single = this.#objects.partsOf(material, 'Texture').find(named);
    const layered = this.#objects.partsOf(material, 'LayeredTexture').find(named);
    const [lowest] = layered === undefined ? [] : this.#objects.partsOf(layered.part, 'Texture');
    return single?.part ?? lowest?.part;
  }

  /** Which of the texture coordinates of the meshes with a material have the name that a texture asks for. */
  #setOf(texture: FbxNode, material: FbxNode): number {
    const wanted = propertyText(texture, 'UVSet');
    if (wanted === '' || wanted === 'default') return 0;
    for (const { part: model } of this.#objects.ownersOf(material, 'Model')) {
      for (const { part: geometry } of this.#objects.partsOf(model, 'Geometry')) {
        const sets = geometry.children.filter(({ name }) => name === 'LayerElementUV');
        const index = sets.findIndex((set) => childOf(set, 'Name')?.values[0] === wanted);
        if (index >= 0) return index;
      }
    }
    return 0;
  }
}

function numbersIn(node: FbxNode, name: string): number[] {
  return childOf(node, name)?.values.filter((value) => typeof value === 'number') ?? [];
}

/** The images within a file, by the reference that its textures would have. */
function embeddedImages(nodes: readonly FbxNode[]): ReadonlyMap<string, FbxData> {
  const byName = new Map<string, FbxData>();
  for (const video of nodes.filter(({ name }) => name === 'Video')) {
    const data = dataOf(video, 'Content');
    if (data !== undefined && data.bytes > 0) for (const name of storedNames(video)) byName.set(name, data);
  }
  return new Map(
    nodes
      .filter(({ name }) => name === 'Texture')
      .flatMap((texture): [string, FbxData][] => {
        const data = storedNames(texture).flatMap((name) => byName.get(name) ?? [])[0];
        return data === undefined ? [] : [[referenceOf(texture), data]];
      }),
  );
}
