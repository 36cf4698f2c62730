import type { Document, Material, Texture, TextureInfo } from '@gltf-transform/core';
import { KHRMaterialsUnlit } from '@gltf-transform/extensions';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { looksLikeNormalMap } from '../images/normal-map.ts';
import { placeTexture } from '../images/place-texture.ts';
import { TextureLoader } from '../images/texture-loader.ts';
import type { ImportRequest } from '../importer.ts';
import { PLAIN_GREY } from '../plain-grey.ts';
import type { DaeDocument } from './dae-document.ts';
import type { DaeElement } from './dae-element.ts';
import type { DaePart } from './dae-geometry.ts';
import { type EffectTexture, EMBEDDED, type Look, readLook } from './read-look.ts';

/** Which set of texture coordinates an effect's word means, where the use of a material says so. */
export type TexcoordSets = ReadonlyMap<string, number>;

/** Whether a document says which number stands for opaque, and what its materials have. */
interface Opacity {
  readonly material: Material;
  readonly isExplicit: boolean;
}

/** Makes glTF's materials, each once for every way in which its textures are placed. */
export class DaeMaterials {
  readonly #document: Document;
  readonly #textures: TextureLoader;
  readonly #warnings: ConversionWarning[] = [];
  readonly #made = new Map<DaeElement | undefined, Map<string, Promise<Material>>>();
  readonly #opacities: Opacity[] = [];

  constructor(document: Document, home: DaeDocument, request: Pick<ImportRequest, 'readReference' | 'limits'>) {
    this.#document = document;
    const readReference = async (uri: string) => {
      return uri.startsWith(EMBEDDED)
        ? readEmbedded(home, uri.slice(EMBEDDED.length))
        : await request.readReference(uri);
    };
    this.#textures = new TextureLoader(document, { readReference, limits: request.limits });
  }

  get warnings(): ConversionWarning[] {
    return [...this.#warnings, ...this.#textures.warnings];
  }

  /**
   * A material as it looks on a part; a plain one where there is none.
   * @param bound which sets of texture coordinates its words mean
   */
  async get(element: DaeElement | undefined, bound: TexcoordSets, { sets, attributes }: DaePart): Promise<Material> {
    const hasColors = attributes.has('COLOR_0');
    const key = JSON.stringify([[...bound], sets, element === undefined && hasColors]);
    const made = this.#made.get(element) ?? new Map<string, Promise<Material>>();
    this.#made.set(element, made);
    const material = made.get(key) ?? this.#make(element, hasColors, (word) => setOf(word, bound, sets));
    made.set(key, material);
    return await material;
  }

  /**
   * Says which opacity is meant, once all materials are known: for many programs, 3ds Max among them, a transparency of 0 is opaque, and
   * a model of theirs has something invisible and nothing opaque.
   */
  settleOpacity(): void {
    const alphas = this.#opacities.map(({ material }) => material.getBaseColorFactor()[3]);
    if (!alphas.includes(0) || alphas.includes(1)) return;
    const isExplicit = this.#opacities.some((opacity) => opacity.isExplicit);
    if (isExplicit && alphas.some((alpha) => alpha !== 0)) return;
    for (const { material } of this.#opacities) {
      const [red, green, blue, alpha] = material.getBaseColorFactor();
      material.setBaseColorFactor([red, green, blue, 1 - alpha]).setAlphaMode(alpha === 0 ? 'OPAQUE' : 'BLEND');
    }
    if (!isExplicit) return;
    const details = { materials: String(alphas.length) };
    this.#warnings.push({
      code: 'opacity_mended',
      title: 'Model that would be invisible: its opacities are turned',
      details,
    });
  }

  async #make(
    element: DaeElement | undefined,
    hasColors: boolean,
    setOfWord: (word: string) => number,
  ): Promise<Material> {
    const material = this.#document.createMaterial(element?.title ?? 'DefaultMaterial').setMetallicFactor(0);
    const look = element && readLook(element);
    if (look === undefined) {
      if (element !== undefined) {
        const title = 'Material of a kind that cannot be shown: it is grey';
        this.#warnings.push({ code: 'material_unknown', title, details: { material: element.title } });
      }
      // Colours of vertices are darkened by that of their material.
      const grey = hasColors ? 1 : PLAIN_GREY;
      return material.setBaseColorFactor([grey, grey, grey, 1]);
    }
    material.setBaseColorFactor([...look.color, look.opacity]).setEmissiveFactor(look.glow);
    material.setRoughnessFactor(look.roughness).setDoubleSided(look.isDoubleSided);
    if (look.isUnlit) {
      const unlit = this.#document.createExtension(KHRMaterialsUnlit).createUnlit();
      material.setExtension('KHR_materials_unlit', unlit);
    }
    await this.#addTextures(material, look, setOfWord);
    if (look.opacity < 1) material.setAlphaMode('BLEND');
    this.#opacities.push({ material, isExplicit: look.saysOpaque });
    return material;
  }

  async #addTextures(material: Material, look: Look, setOfWord: (word: string) => number): Promise<void> {
    const { colorTexture, glowTexture, bumpTexture, opacityTexture } = look;
    const color = await this.#load(colorTexture, material);
    if (colorTexture !== undefined && color !== undefined) {
      material.setBaseColorTexture(color);
      this.#place(material.getBaseColorTextureInfo(), colorTexture, setOfWord);
    }
    const glow = await this.#load(glowTexture, material);
    if (glowTexture !== undefined && glow !== undefined) {
      material.setEmissiveTexture(glow).setEmissiveFactor([1, 1, 1]);
      this.#place(material.getEmissiveTextureInfo(), glowTexture, setOfWord);
    }
    if (opacityTexture !== undefined && opacityTexture.uri === colorTexture?.uri) {
      if (color !== undefined) material.setAlphaMode('BLEND');
    } else this.#leaveOut(opacityTexture, material);
    const bump = await this.#load(bumpTexture, material);
    if (bumpTexture !== undefined && bump !== undefined) await this.#addBump(material, bump, bumpTexture, setOfWord);
  }

  /** Maps of heights and of normals have the same word; they do not look the same. */
  async #addBump(material: Material, texture: Texture, from: EffectTexture, setOfWord: (word: string) => number) {
    const image = texture.getImage();
    if (image === null || !(await looksLikeNormalMap(image))) this.#leaveOut(from, material);
    else {
      material.setNormalTexture(texture);
      this.#place(material.getNormalTextureInfo(), from, setOfWord);
    }
  }

  async #load(texture: EffectTexture | undefined, material: Material): Promise<Texture | undefined> {
    return texture === undefined ? undefined : await this.#textures.load(texture.uri, material.getName());
  }

  #place(info: TextureInfo | null, texture: EffectTexture, setOfWord: (word: string) => number): void {
    if (info === null) return;
    info.setTexCoord(setOfWord(texture.texcoord)).setWrapS(texture.wrapS).setWrapT(texture.wrapT);
    placeTexture(this.#document, info, texture);
  }

  #leaveOut(texture: EffectTexture | undefined, material: Material): void {
    if (texture === undefined) return;
    const details = { texture: texture.uri, material: material.getName() };
    this.#warnings.push({ code: 'texture_left_out', title: 'Texture of a kind that is not used', details });
  }
}

/** An image is written as bytes of two digits each; some programs write a data URI. */
function readEmbedded(home: DaeDocument, id: string): Uint8Array<ArrayBuffer> | undefined {
  const image = home.find(id, ['image']);
  const from = image?.child('init_from');
  const digits = from?.child('hex')?.text ?? image?.child('data')?.text;
  if (digits !== undefined) return new Uint8Array(Buffer.from(digits.replace(/\s+/g, ''), 'hex'));
  const data = /^data:[^,]*;base64,/i.exec(from?.text ?? '');
  return data === null || from === undefined
    ? undefined
    : new Uint8Array(Buffer.from(from.text.slice(data[0].length), 'base64'));
}

/** Where nobody says which set a word means, programs put the number of the set at its end. */
function setOf(word: string, bound: TexcoordSets, sets: readonly number[]): number {
  const set = bound.get(word) ?? Number(/\d+$/.exec(word)?.[0] ?? Number.NaN);
  return Math.max(0, sets.indexOf(set));
}
