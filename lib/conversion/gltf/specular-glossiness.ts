import type { Document, Material, Texture, TextureInfo } from '@gltf-transform/core';
import {
  KHRMaterialsIOR,
  KHRMaterialsPBRSpecularGlossiness,
  KHRMaterialsSpecular,
  type PBRSpecularGlossiness,
} from '@gltf-transform/extensions';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { sizeOf } from '../textures/check-textures.ts';
import { decodePixels, loadSharp, MEASURED } from '../textures/sharp-images.ts';

/**
 * Makes specular-glossiness materials, which viewers have stopped to show, such of metallic-roughness that look the same: a dielectric whose
 * index of refraction reflects all of its specular colour (KHR_materials_pbrSpecularGlossiness, "Conversion").
 * @throws ConversionError `limit` for a texture with too many pixels
 */
export async function convertSpecularGlossiness(document: Document, limits: WorkLimits): Promise<void> {
  const old = document
    .getRoot()
    .listExtensionsUsed()
    .find(({ extensionName }) => extensionName === KHRMaterialsPBRSpecularGlossiness.EXTENSION_NAME);
  if (old === undefined) return;
  const split = textureSplitter(document, limits);
  for (const material of document.getRoot().listMaterials()) {
    const glossiness = material.getExtension<PBRSpecularGlossiness>(old.extensionName);
    if (glossiness !== null) await convertMaterial(document, material, glossiness, split);
  }
  old.dispose();
  for (const texture of document.getRoot().listTextures()) if (texture.listParents().length === 1) texture.dispose();
}

type Split = ReturnType<typeof textureSplitter>;

async function convertMaterial(
  document: Document,
  material: Material,
  glossiness: PBRSpecularGlossiness,
  split: Split,
): Promise<void> {
  const factor = glossiness.getGlossinessFactor();
  const specular = document.createExtension(KHRMaterialsSpecular).createSpecular();
  specular.setSpecularColorFactor(glossiness.getSpecularFactor());
  material
    .setBaseColorFactor(glossiness.getDiffuseFactor())
    .setBaseColorTexture(glossiness.getDiffuseTexture())
    .setMetallicFactor(0)
    .setRoughnessFactor(1 - factor)
    .setMetallicRoughnessTexture(null)
    .setExtension(KHRMaterialsSpecular.EXTENSION_NAME, specular)
    .setExtension(KHRMaterialsIOR.EXTENSION_NAME, document.createExtension(KHRMaterialsIOR).createIOR().setIOR(IOR))
    .setExtension(KHRMaterialsPBRSpecularGlossiness.EXTENSION_NAME, null);
  copyInfo(glossiness.getDiffuseTextureInfo(), material.getBaseColorTextureInfo());
  const texture = glossiness.getSpecularGlossinessTexture();
  if (texture === null) return;
  const info = glossiness.getSpecularGlossinessTextureInfo();
  const parts = await split(texture, factor);
  specular.setSpecularColorTexture(parts?.specular ?? texture);
  copyInfo(info, specular.getSpecularColorTextureInfo());
  if (parts === undefined) return;
  material.setRoughnessFactor(1).setMetallicRoughnessTexture(parts.roughness);
  copyInfo(info, material.getMetallicRoughnessTextureInfo());
}

/** With it a dielectric reflects at every angle what its specular colour says, as near as can be seen. */
const IOR = 1000;

function copyInfo(from: TextureInfo | null, to: TextureInfo | null): void {
  if (from !== null) to?.copy(from);
}

/**
 * Parts a texture into its specular colour and a roughness; undefined where it has no glossiness in its alpha channel, or is of a kind that
 * cannot be decoded here. Each is parted once for each factor.
 */
function textureSplitter(document: Document, limits: WorkLimits) {
  const done = new Map<string, Promise<{ readonly specular: Texture; readonly roughness: Texture } | undefined>>();
  const ids = new Map<Texture, number>();
  return async (texture: Texture, factor: number) => {
    const id = ids.get(texture) ?? ids.size;
    ids.set(texture, id);
    const key = `${id} ${factor}`;
    const parts = done.get(key) ?? split(document, texture, factor, limits);
    done.set(key, parts);
    return await parts;
  };
}

async function split(document: Document, texture: Texture, factor: number, limits: WorkLimits) {
  const image = texture.getImage();
  const size = sizeOf(texture);
  if (image === null || size === undefined || texture.getMimeType() === 'image/ktx2') return undefined;
  checkLimit('texturePixels', size.width * size.height, limits);
  const sharp = await loadSharp();
  const decoded = await decodePixels(image, { maxPixels: limits.texturePixels });
  // An image that cannot be decoded is dropped later, with a warning.
  if (decoded === undefined || decoded.info.channels !== 4) return undefined;
  const { data, info } = decoded;
  const { width, height } = info;
  const colour = Buffer.alloc(3 * width * height);
  const rough = Buffer.alloc(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) colour[3 * pixel + channel] = data[4 * pixel + channel] ?? 0;
    // glTF 2.0, 3.9.2: roughness is green.
    rough[3 * pixel + 1] = Math.round(255 - factor * (data[4 * pixel + 3] ?? 0));
  }
  const png = async (name: string, pixels: Buffer) => {
    const bytes = await sharp(pixels, { ...MEASURED, raw: { width, height, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    return document.createTexture(name).setImage(new Uint8Array(bytes)).setMimeType('image/png');
  };
  const name = texture.getName();
  return {
    specular: await png(`${name} specular`.trim(), colour),
    roughness: await png(`${name} roughness`.trim(), rough),
  };
}
