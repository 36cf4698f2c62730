import { type Document, type Material, Primitive } from '@gltf-transform/core';
import { KHRMaterialsUnlit, type PBRSpecularGlossiness, type Specular } from '@gltf-transform/extensions';
import type { MaterialOverride, TextureMap } from './material-overrides.ts';
import type { ModelFormatId } from './model-formats.ts';

/**
 * Gives a material what its override says.
 * @returns what of it glTF cannot hold: the keys, each with why
 */
export function overrideMaterial(
  document: Document,
  material: Material,
  override: MaterialOverride,
  format: ModelFormatId,
): Map<string, string> {
  const { albedoColor, roughness, metalness, normalMapScale, isDoubleSided, unlit, useVertexColor } = override;
  const unheld = dropMaps(material, override.ignoreTextureMaps ?? [], format);
  if (albedoColor !== undefined) {
    const [r, g, b, a] = material.getBaseColorFactor();
    const { r: red = r, g: green = g, b: blue = b, a: alpha = a } = albedoColor;
    material.setBaseColorFactor([red, green, blue, alpha]);
  }
  if (roughness !== undefined) material.setRoughnessFactor(roughness);
  if (metalness !== undefined) material.setMetallicFactor(metalness);
  if (normalMapScale !== undefined) material.setNormalScale(normalMapScale);
  if (isDoubleSided !== undefined) material.setDoubleSided(isDoubleSided);
  if (unlit !== undefined) setUnlit(document, material, unlit);
  if (useVertexColor === false) dropVertexColors(material);
  for (const [key, why] of setTransparency(material, override)) unheld.set(key, why);
  return unheld;
}

/** Shows a material's colour alone, without what only light would show: KHR_materials_unlit. */
export function setUnlit(document: Document, material: Material, unlit: boolean): void {
  if (!unlit) {
    material.setExtension('KHR_materials_unlit', null);
    return;
  }
  for (const { extensionName } of material.listExtensions()) material.setExtension(extensionName, null);
  material.setNormalTexture(null).setMetallicRoughnessTexture(null).setOcclusionTexture(null).setEmissiveTexture(null);
  material.setExtension('KHR_materials_unlit', document.createExtension(KHRMaterialsUnlit).createUnlit());
}

/** glTF has one mode: what is cut out does not shine through, and the other way round. */
function setTransparency(material: Material, override: MaterialOverride): [key: string, why: string][] {
  const { transparent, alphaClipEnabled, alphaClipThreshold, transparencyWritesDepth } = override;
  const unheld: [string, string][] = [];
  const mode = material.getAlphaMode();
  const shines = transparent ?? (mode === 'BLEND' && alphaClipEnabled !== true);
  const clips = alphaClipEnabled ?? mode === 'MASK';
  material.setAlphaMode(shines ? 'BLEND' : clips ? 'MASK' : 'OPAQUE');
  if (alphaClipThreshold !== undefined) material.setAlphaCutoff(alphaClipThreshold);
  if (shines && alphaClipEnabled === true) {
    unheld.push(['alphaClipEnabled', 'the material is transparent, and glTF cuts out of opaque ones alone']);
  }
  if (transparencyWritesDepth === true) {
    unheld.push(['transparencyWritesDepth', 'viewers of glTF decide by themselves what writes depth']);
  }
  return unheld;
}

function dropVertexColors(material: Material): void {
  for (const part of material.listParents()) {
    if (!(part instanceof Primitive)) continue;
    for (const owner of [part, ...part.listTargets()]) {
      for (const semantic of owner.listSemantics()) {
        if (semantic.startsWith('COLOR_')) owner.setAttribute(semantic, null);
      }
    }
  }
}

function dropMaps(material: Material, maps: readonly TextureMap[], format: ModelFormatId): Map<string, string> {
  const unheld = new Map<string, string>();
  const ignored = new Set(maps);
  for (const map of ignored) dropMap(material, map, format);
  const surface = ['RoughnessMap', 'MetalnessMap'] as const;
  const packed = surface.filter((map) => ignored.has(map));
  if (packed.length === 2) material.setMetallicRoughnessTexture(null);
  else if (packed.length === 1 && material.getMetallicRoughnessTexture() !== null) {
    unheld.set(
      `ignoreTextureMaps: ${packed[0]}`,
      'glTF has one texture for roughness and metalness: ignore both or neither',
    );
  }
  if (ignored.has('OpacityMap') && material.getBaseColorTexture() !== null && material.getAlphaMode() !== 'OPAQUE') {
    // Without its map the opacity is that of the colour.
    if (material.getAlpha() >= 1) material.setAlphaMode('OPAQUE');
    else
      unheld.set(
        'ignoreTextureMaps: OpacityMap',
        'the opacity is part of the colour texture, and the colour has one of its own',
      );
  }
  return unheld;
}

/** The maps that are textures of their own in glTF; nothing else of what an importer makes comes from one of the others. */
function dropMap(material: Material, map: TextureMap, format: ModelFormatId): void {
  const glossiness = material.getExtension<PBRSpecularGlossiness>('KHR_materials_pbrSpecularGlossiness');
  switch (map) {
    case 'AlbedoMap':
    case 'DiffuseMap':
      material.setBaseColorTexture(null);
      glossiness?.setDiffuseTexture(null);
      break;
    case 'EmissiveMap':
      material.setEmissiveTexture(null);
      break;
    case 'NormalMap':
      material.setNormalTexture(null);
      break;
    case 'BumpMap':
      // Of a glTF, the normal texture is never one.
      if (format !== 'gltf') material.setNormalTexture(null);
      break;
    case 'OcclusionMap':
      material.setOcclusionTexture(null);
      break;
    case 'MetallicRoughnessMap':
      material.setMetallicRoughnessTexture(null);
      break;
    case 'SpecularMap': {
      const specular = material.getExtension<Specular>('KHR_materials_specular');
      specular?.setSpecularTexture(null).setSpecularColorTexture(null);
      break;
    }
    case 'SpecularGlossinessMap':
      glossiness?.setSpecularGlossinessTexture(null);
      break;
    default:
  }
}
