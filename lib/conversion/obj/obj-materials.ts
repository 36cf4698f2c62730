import type { Document, Material, Texture } from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { looksLikeNormalMap } from '../images/normal-map.ts';
import { OpacityMaps } from '../images/opacity-maps.ts';
import { placeTexture } from '../images/place-texture.ts';
import { TextureLoader } from '../images/texture-loader.ts';
import type { ImportRequest } from '../importer.ts';
import { partOfLight } from '../part-of-light.ts';
import { PLAIN_GREY } from '../plain-grey.ts';
import type { MtlMap, MtlMaterial } from './read-mtl.ts';

/** Makes glTF's materials of those of an MTL, each once and only if it is used. */
export class ObjMaterials {
  readonly #document: Document;
  readonly #textures: TextureLoader;
  readonly #opacities: OpacityMaps;
  readonly #warnings: ConversionWarning[] = [];
  readonly #made = new Map<string, Promise<Material>>();
  readonly #known: ReadonlyMap<string, MtlMaterial>;
  /** Of what no file describes. */
  readonly #plain: number;

  /** @param hasColors whether the vertices have colours, which that of a material would darken */
  constructor(document: Document, known: ReadonlyMap<string, MtlMaterial>, hasColors: boolean, request: ImportRequest) {
    this.#document = document;
    this.#plain = hasColors ? 1 : PLAIN_GREY;
    this.#known = known;
    this.#textures = new TextureLoader(document, request);
    this.#opacities = new OpacityMaps(document, request.limits);
  }

  get warnings(): ConversionWarning[] {
    return [...this.#warnings, ...this.#textures.warnings];
  }

  /** The material of a name; a plain one where no file describes it. */
  async get(name: string): Promise<Material> {
    const made = this.#made.get(name) ?? this.#make(name);
    this.#made.set(name, made);
    return await made;
  }

  async #make(name: string): Promise<Material> {
    const material = this.#document.createMaterial(name).setMetallicFactor(0).setRoughnessFactor(0.9);
    const described = this.#known.get(name) ?? this.#known.get(name.replace(/\s+#.*$/, ''));
    if (described === undefined) return material.setBaseColorFactor([this.#plain, this.#plain, this.#plain, 1]);
    const { maps, numbers } = described;
    const plain = maps.has('map_kd') ? 1 : this.#plain;
    const [red = plain, green = red, blue = red] = numbers.get('kd') ?? [];
    const opacity = this.#opacityOf(numbers, name);
    material.setBaseColorFactor([partOfLight(red), partOfLight(green), partOfLight(blue), opacity]);
    if (opacity < 1) material.setAlphaMode('BLEND');
    const [r = 0, g = 0, b = 0] = numbers.get('ke') ?? [];
    material.setEmissiveFactor([partOfLight(r), partOfLight(g), partOfLight(b)]);
    this.#setSurface(material, numbers);
    await this.#setColours(material, maps);
    await this.#setBumps(material, maps.get('norm') ?? maps.get('map_bump') ?? maps.get('bump'), maps.has('norm'));
    return material;
  }

  /** Programs disagree on whether `Tr` is the opacity or what it lacks: what could not be seen at all is meant to be opaque. */
  #opacityOf(numbers: MtlMaterial['numbers'], material: string): number {
    const opacity = partOfLight(numbers.get('d')?.[0] ?? 1 - (numbers.get('tr')?.[0] ?? 0));
    if (opacity > 0) return opacity;
    const title = 'Material that could not be seen made opaque';
    this.#warnings.push({ code: 'opacity_mended', title, details: { material } });
    return 1;
  }

  #setSurface(material: Material, numbers: MtlMaterial['numbers']): void {
    const [metal] = numbers.get('pm') ?? [];
    const [rough] = numbers.get('pr') ?? [];
    const [exponent = 0] = numbers.get('ns') ?? [];
    const highlights = Math.max(0, ...(numbers.get('ks') ?? []).slice(0, 3));
    // Blinn and Phong's exponent as roughness: sharper highlights need some light to be seen.
    const fromExponent = Math.sqrt(2 / (Math.max(0, exponent) * Math.min(1, highlights) + 2));
    material.setMetallicFactor(partOfLight(metal ?? 0)).setRoughnessFactor(partOfLight(rough ?? fromExponent));
  }

  async #setColours(material: Material, maps: MtlMaterial['maps']): Promise<void> {
    const colour = maps.get('map_kd');
    const texture = await this.#load(colour, material);
    if (colour !== undefined && texture !== undefined) {
      material.setBaseColorTexture(texture);
      placeTexture(this.#document, material.getBaseColorTextureInfo(), colour);
      // Some programs write black for what a texture colours.
      const [red, green, blue, alpha] = material.getBaseColorFactor();
      if (red + green + blue === 0) material.setBaseColorFactor([1, 1, 1, alpha]);
    }
    const opacity = maps.get('map_d');
    if (opacity !== undefined) await this.#setOpacity(material, opacity);
    const glow = maps.get('map_ke');
    const light = await this.#load(glow, material);
    if (glow !== undefined && light !== undefined) {
      material.setEmissiveTexture(light);
      placeTexture(this.#document, material.getEmissiveTextureInfo(), glow);
      if (Math.hypot(...material.getEmissiveFactor()) === 0) material.setEmissiveFactor([1, 1, 1]);
    }
    for (const word of ['map_pr', 'map_pm']) {
      const map = maps.get(word);
      if (map !== undefined) this.#leaveOut(map, material);
    }
  }

  /** It lies where the colours do, if there are any: glTF has both in one image. */
  async #setOpacity(material: Material, map: MtlMap): Promise<void> {
    const opacity = await this.#load(map, material);
    if (opacity === undefined) return;
    const isAlone = material.getBaseColorTexture() === null;
    if (!(await this.#opacities.apply(material, opacity))) this.#leaveOut(map, material);
    else if (isAlone) placeTexture(this.#document, material.getBaseColorTextureInfo(), map);
  }

  /** Maps of heights and of normals have the same word; they do not look the same. */
  async #setBumps(material: Material, map: MtlMap | undefined, isNormal: boolean): Promise<void> {
    const texture = await this.#load(map, material);
    if (map === undefined || texture === undefined) return;
    const image = texture.getImage();
    if (isNormal || (image !== null && (await looksLikeNormalMap(image)))) {
      material.setNormalTexture(texture).setNormalScale(map.strength);
      placeTexture(this.#document, material.getNormalTextureInfo(), map);
    } else this.#leaveOut(map, material);
  }

  async #load(map: MtlMap | undefined, material: Material): Promise<Texture | undefined> {
    return map === undefined ? undefined : await this.#textures.load(map.uri, material.getName());
  }

  #leaveOut(map: MtlMap, material: Material): void {
    const details = { texture: map.uri, material: material.getName() };
    this.#warnings.push({ code: 'texture_left_out', title: 'Texture of a kind that is not used', details });
  }
}
