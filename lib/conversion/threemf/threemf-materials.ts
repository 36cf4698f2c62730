import type { Document, Material, Texture, TextureInfo } from '@gltf-transform/core';
import { KHRMaterialsIOR, KHRMaterialsSpecular, KHRMaterialsTransmission } from '@gltf-transform/extensions';
import type { WorkLimits } from '../conversion-limits.ts';
import type { TextureLoader } from '../images/texture-loader.ts';
import { loadSharp } from '../textures/sharp-images.ts';
import { GREY, linear, type Paint } from './paint.ts';
import type { DisplayProperties, TextureResource, ThreemfModel } from './threemf-model.ts';

/** glTF 2.0, 5.26: samplers. */
const wraps: Readonly<Record<string, 10497 | 33648 | 33071>> = {
  wrap: 10497,
  mirror: 33648,
  clamp: 33071,
  none: 33071,
};
const [NEAREST, LINEAR, LINEAR_MIPMAP_LINEAR] = [9728, 9729, 9987] as const;

/** With it a dielectric reflects at every angle what its specular colour says. */
const MIRROR_IOR = 1000;

/** Makes glTF's materials of what a package's triangles look like; each once. */
export class ThreemfMaterials {
  readonly #document: Document;
  readonly #textures: TextureLoader;
  readonly #maxPixels: number;
  readonly #made = new Map<string, Promise<Material>>();
  readonly #flattened = new Map<string, Promise<Texture>>();

  constructor(document: Document, textures: TextureLoader, limits: WorkLimits) {
    this.#document = document;
    this.#maxPixels = limits.texturePixels;
    this.#textures = textures;
  }

  /** @param key of the model part, the paint and what of it holds */
  async materialOf(key: string, paint: Paint | undefined, entry: number, model: ThreemfModel): Promise<Material> {
    const made = this.#made.get(key) ?? this.#make(paint, entry, model);
    this.#made.set(key, made);
    return await made;
  }

  async #make(paint: Paint | undefined, entry: number, model: ThreemfModel): Promise<Material> {
    const material = this.#document.createMaterial('default').setMetallicFactor(0).setRoughnessFactor(0.9);
    if (paint === undefined) return material.setBaseColorFactor([...linear(GREY)]);
    material.setName(paint.name(entry));
    if (paint.isFlat) {
      const color = colorAt(paint.colors, entry) ?? linear(GREY);
      material.setBaseColorFactor([...color]).setAlphaMode(color[3] < 1 ? 'BLEND' : 'OPAQUE');
    } else if (paint.isTranslucent) {
      material.setAlphaMode('BLEND');
    }
    const display = paint.display?.(entry);
    if (display !== undefined) this.#shine(material, display);
    const texture = paint.texture === undefined ? undefined : model.resources.textures.get(paint.texture);
    if (texture !== undefined) await this.#cover(material, texture, colorAt(paint.under, entry));
    return material;
  }

  #shine(material: Material, { metallic, roughness, specular, refraction }: DisplayProperties): void {
    material.setMetallicFactor(metallic).setRoughnessFactor(roughness);
    if (specular !== undefined) {
      const [red, green, blue] = linear(specular);
      const reflection = this.#document.createExtension(KHRMaterialsSpecular).createSpecular();
      material.setExtension('KHR_materials_specular', reflection.setSpecularColorFactor([red, green, blue]));
    }
    const ior = specular === undefined ? refraction : MIRROR_IOR;
    if (ior === undefined) return;
    material.setExtension('KHR_materials_ior', this.#document.createExtension(KHRMaterialsIOR).createIOR().setIOR(ior));
    if (refraction === undefined) return;
    const transmission = this.#document.createExtension(KHRMaterialsTransmission).createTransmission();
    material.setExtension('KHR_materials_transmission', transmission.setTransmissionFactor(1));
  }

  async #cover(material: Material, texture: TextureResource, under: Rgba | undefined): Promise<void> {
    const loaded = await this.#textures.load(texture.path, material.getName());
    if (loaded === undefined) return;
    material.setBaseColorTexture(under === undefined ? loaded : await this.#flatten(loaded, under));
    const info = material.getBaseColorTextureInfo();
    if (info !== null) setSampler(info, texture);
  }

  /** A texture as it looks on a colour that shows where it is clear. */
  async #flatten(texture: Texture, under: Rgba): Promise<Texture> {
    const [r = 0, g = 0, b = 0] = under.slice(0, 3).map((value) => Math.round(255 * srgbOf(value)));
    const key = `${texture.getName()}\n${r} ${g} ${b}`;
    const flattened = this.#flattened.get(key) ?? this.#flattenOn(texture, { r, g, b });
    this.#flattened.set(key, flattened);
    return await flattened;
  }

  async #flattenOn(texture: Texture, background: Background): Promise<Texture> {
    const image = texture.getImage();
    if (image === null || texture.getMimeType() !== 'image/png') return texture;
    const sharp = await loadSharp();
    const flat = await sharp(image, { limitInputPixels: this.#maxPixels })
      .flatten({ background })
      .png()
      .toBuffer()
      .catch(() => undefined);
    if (flat === undefined) return texture;
    return this.#document.createTexture(texture.getName()).setImage(new Uint8Array(flat)).setMimeType('image/png');
  }
}

/** From 0 to 255, in sRGB. */
interface Background {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

function setSampler(info: TextureInfo, { tileStyleU, tileStyleV, filter }: TextureResource): void {
  info.setWrapS(wraps[tileStyleU] ?? 10497).setWrapT(wraps[tileStyleV] ?? 10497);
  if (filter === 'nearest') info.setMagFilter(NEAREST).setMinFilter(NEAREST);
  if (filter === 'linear') info.setMagFilter(LINEAR).setMinFilter(LINEAR_MIPMAP_LINEAR);
}

type Rgba = [red: number, green: number, blue: number, alpha: number];

function colorAt(colors: Float32Array | undefined, entry: number): Rgba | undefined {
  if (colors === undefined || 4 * entry + 3 >= colors.length) return undefined;
  const [red = 0, green = 0, blue = 0, alpha = 1] = colors.subarray(4 * entry, 4 * entry + 4);
  return [red, green, blue, alpha];
}

/** IEC 61966-2-1, of a linear brightness. */
function srgbOf(brightness: number): number {
  return brightness <= 0.0031308 ? 12.92 * brightness : 1.055 * brightness ** (1 / 2.4) - 0.055;
}
