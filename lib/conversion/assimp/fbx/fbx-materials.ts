import type { Document, Material } from '@gltf-transform/core';
import { KHRMaterialsPBRSpecularGlossiness } from '@gltf-transform/extensions';
import type { ConversionWarning } from '../../conversion-outcome.ts';
import { convertSpecularGlossiness } from '../../gltf/specular-glossiness.ts';
import { ChannelPacker } from '../../images/channel-packer.ts';
import { looksLikeNormalMap } from '../../images/normal-map.ts';
import { OpacityMaps } from '../../images/opacity-maps.ts';
import type { ImportRequest } from '../../importer.ts';
import type { FbxObjects } from './fbx-connections.ts';
import { blenderMaps, type FbxLook, fbxMaps, isGloss, lookOf } from './fbx-looks.ts';
import { type FbxFile, type FbxNode, numbersOf, objectName } from './fbx-node.ts';
import { materialTemplates, type Numbers, opacityOf, withTemplate } from './fbx-numbers.ts';
import { applyPhong } from './fbx-phong.ts';
import { FbxTextures } from './fbx-textures.ts';

interface FbxContent {
  readonly fbx: FbxFile;
  readonly objects: FbxObjects;
  readonly bytes: Uint8Array;
  /** The program that wrote the file. */
  readonly generator: string;
}

/** Gives a document's materials the look and the textures that an FBX's materials have. */
export async function applyFbxMaterials(
  document: Document,
  content: FbxContent,
  request: ImportRequest,
): Promise<ConversionWarning[]> {
  const { fbx, objects, bytes } = content;
  const byName = Map.groupBy(
    fbx.nodes.filter(({ name }) => name === 'Material'),
    objectName,
  );
  const textures = new FbxTextures(document, fbx, objects, bytes, request);
  const painter = new Painter(document, textures, content, request);
  for (const material of document.getRoot().listMaterials()) {
    const node = pick(byName.get(material.getName()) ?? [], material);
    if (node !== undefined) await painter.paint(material, node);
  }
  await convertSpecularGlossiness(document, request.limits);
  for (const texture of document.getRoot().listTextures()) if (texture.listParents().length === 1) texture.dispose();
  return textures.warnings;
}

/** Of several with one name, the one whose colour the importer has. */
function pick(nodes: readonly FbxNode[], material: Material): FbxNode | undefined {
  const [red, green, blue] = material.getBaseColorFactor();
  const same = nodes.find((node) => {
    const [r = -1, g = -1, b = -1] = numbersOf(node).get('DiffuseColor') ?? [];
    return Math.hypot(r - red, g - green, b - blue) < 0.001;
  });
  return same ?? nodes[0];
}

class Painter {
  readonly #document: Document;
  readonly #textures: FbxTextures;
  readonly #templates: ReadonlyMap<string, Numbers>;
  readonly #packer: ChannelPacker;
  readonly #opacities: OpacityMaps;
  readonly #assumeMetallic: boolean;
  readonly #isBlender: boolean;

  constructor(document: Document, textures: FbxTextures, { fbx, generator }: FbxContent, request: ImportRequest) {
    this.#document = document;
    this.#textures = textures;
    this.#templates = materialTemplates(fbx.nodes);
    this.#packer = new ChannelPacker(document, request.limits);
    this.#opacities = new OpacityMaps(document, request.limits);
    this.#assumeMetallic = request.settings.fbxAssumeMetallic;
    this.#isBlender = /blender/i.test(generator);
  }

  async paint(material: Material, node: FbxNode): Promise<void> {
    const numbers = withTemplate(node, this.#templates);
    const alpha = opacityOf(numbers);
    material.setAlphaMode(alpha < 1 ? 'BLEND' : 'OPAQUE');
    const color = await this.#textures.find(node, ...fbxMaps.color);
    const look = lookOf(numbers);
    // A texture is the colour; how much of it is metal would have to be known for each of its pixels.
    if (look === undefined) applyPhong(material, numbers, alpha, this.#assumeMetallic && color === undefined);
    else applyLook(material, look, alpha);
    if (color !== undefined) {
      material.setBaseColorFactor([1, 1, 1, alpha]).setBaseColorTexture(color.texture);
      this.#textures.place(material.getBaseColorTextureInfo(), color, node);
    }
    await this.#setOpacity(material, node);
    await this.#setNormals(material, node);
    await this.#setEmission(material, node);
    await this.#setOcclusion(material, node);
    if (look?.kind === 'gloss') await this.#setGloss(material, node, look);
    else await this.#setSurface(material, node, isGloss(numbers));
    this.#textures.leaveOut(node, ...fbxMaps.unused.filter((name) => !this.#isBlender || !isOfBlender(name)));
  }

  async #setOpacity(material: Material, node: FbxNode): Promise<void> {
    const opacity = await this.#textures.find(node, ...fbxMaps.opacity);
    if (opacity === undefined) return;
    const isAlone = material.getBaseColorTexture() === null;
    if (!(await this.#opacities.apply(material, opacity.texture))) this.#textures.leaveOut(node, ...fbxMaps.opacity);
    else if (isAlone) this.#textures.place(material.getBaseColorTextureInfo(), opacity, node);
  }

  /** Maps of heights and of normals have the same name; they do not look the same. */
  async #setNormals(material: Material, node: FbxNode): Promise<void> {
    const normal = await this.#textures.find(node, ...fbxMaps.normal);
    const bump = normal ?? (await this.#textures.find(node, ...fbxMaps.bump));
    if (bump === undefined) return;
    const image = bump.texture.getImage();
    if (normal === undefined && (image === null || !(await looksLikeNormalMap(image)))) {
      this.#textures.leaveOut(node, ...fbxMaps.bump);
      return;
    }
    material.setNormalTexture(bump.texture);
    this.#textures.place(material.getNormalTextureInfo(), bump, node);
  }

  async #setEmission(material: Material, node: FbxNode): Promise<void> {
    const emission = await this.#textures.find(node, ...fbxMaps.emission);
    if (emission === undefined) return;
    material.setEmissiveTexture(emission.texture);
    if (Math.hypot(...material.getEmissiveFactor()) === 0) material.setEmissiveFactor([1, 1, 1]);
    this.#textures.place(material.getEmissiveTextureInfo(), emission, node);
  }

  async #setOcclusion(material: Material, node: FbxNode): Promise<void> {
    const occlusion = await this.#textures.find(node, ...fbxMaps.occlusion);
    if (occlusion === undefined) return;
    material.setOcclusionTexture(occlusion.texture);
    this.#textures.place(material.getOcclusionTextureInfo(), occlusion, node);
  }

  /** glTF 2.0, 3.9.2: roughness is green, metalness blue. One image for both has them there already. */
  async #setSurface(material: Material, node: FbxNode, isInverted: boolean): Promise<void> {
    const blender = this.#isBlender ? blenderMaps : { metalness: [], roughness: [] };
    const metal = await this.#textures.find(node, ...fbxMaps.metalness, ...blender.metalness);
    const rough = await this.#textures.find(node, ...fbxMaps.roughness, ...blender.roughness);
    const either = rough ?? metal;
    if (either === undefined) return;
    const isPacked = rough !== undefined && metal?.uri === rough.uri;
    const green =
      rough === undefined
        ? 255
        : { texture: rough.texture, channel: isPacked ? ('green' as const) : ('grey' as const), isInverted };
    const blue =
      metal === undefined ? 255 : { texture: metal.texture, channel: isPacked ? ('blue' as const) : ('grey' as const) };
    const packed = await this.#packer.pack(`${either.uri} surface`, [0, green, blue]);
    if (packed === undefined) return;
    material.setMetallicRoughnessTexture(packed);
    if (rough !== undefined) material.setRoughnessFactor(1);
    if (metal !== undefined) material.setMetallicFactor(1);
    this.#textures.place(material.getMetallicRoughnessTextureInfo(), either, node);
  }

  async #setGloss(material: Material, node: FbxNode, look: FbxLook & { kind: 'gloss' }): Promise<void> {
    const [red, green, blue, alpha] = material.getBaseColorFactor();
    const gloss = this.#document
      .createExtension(KHRMaterialsPBRSpecularGlossiness)
      .createPBRSpecularGlossiness()
      .setDiffuseFactor([red, green, blue, alpha])
      .setDiffuseTexture(material.getBaseColorTexture())
      .setSpecularFactor(look.specular)
      .setGlossinessFactor(look.glossiness);
    const color = material.getBaseColorTextureInfo();
    if (color !== null) gloss.getDiffuseTextureInfo()?.copy(color);
    material.setExtension(KHRMaterialsPBRSpecularGlossiness.EXTENSION_NAME, gloss);
    const specular = await this.#textures.find(node, ...fbxMaps.specular);
    const smooth = await this.#textures.find(node, ...fbxMaps.glossiness);
    const either = specular ?? smooth;
    if (either === undefined) return;
    const colors = (['red', 'green', 'blue'] as const).map((channel) =>
      specular === undefined ? 255 : { texture: specular.texture, channel },
    );
    const fourth = smooth === undefined ? 255 : { texture: smooth.texture, channel: 'grey' as const };
    const packed = await this.#packer.pack(`${either.uri} gloss`, [...colors, fourth]);
    if (packed === undefined) return;
    gloss.setSpecularGlossinessTexture(packed);
    if (specular !== undefined) gloss.setSpecularFactor([1, 1, 1]);
    if (smooth !== undefined) gloss.setGlossinessFactor(1);
    this.#textures.place(gloss.getSpecularGlossinessTextureInfo(), either, node);
  }
}

function applyLook(material: Material, look: FbxLook, alpha: number): void {
  const [red, green, blue] = look.color;
  material.setBaseColorFactor([red, green, blue, alpha]).setEmissiveFactor(look.emission);
  if (look.kind === 'metal') material.setMetallicFactor(look.metalness).setRoughnessFactor(look.roughness);
}

function isOfBlender(name: string): boolean {
  return name === 'ReflectionFactor' || name === 'ShininessExponent';
}
