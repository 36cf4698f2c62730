import { type Document, PropertyType } from '@gltf-transform/core';
import { EXTMeshoptCompression } from '@gltf-transform/extensions';
import { dedup, prune, quantize, reorder, unpartition, weld } from '@gltf-transform/functions';
import { MeshoptEncoder } from 'meshoptimizer/encoder';
import type { ConversionSettings } from './conversion-settings.ts';

/** Keeps every node: an app may look for one by its name. Solid textures stay, which saves decoding all of them. */
const kept = { keepLeaves: true, keepSolidTextures: true };

/** Stores what is the same once and drops what nothing uses. */
export async function deduplicate(document: Document, settings: ConversionSettings): Promise<void> {
  await document.transform(dedup({ propertyTypes: deduplicated(settings) }), prune(kept), weld());
}

/** Orders and quantises geometry for EXT_meshopt_compression, which `compressOnWrite` then adds. */
export async function quantise(document: Document, settings: ConversionSettings): Promise<void> {
  await MeshoptEncoder.ready;
  // meshopt's filters take normals and tangents as they are, those of morph targets excepted: they are no unit vectors.
  const attributes = document.getRoot().listMeshes().every(hasExtent) ? 'POSITION|' : '';
  await document.transform(
    reorder({ encoder: MeshoptEncoder, target: 'size' }),
    quantize({
      pattern: new RegExp(`^(${attributes}TEXCOORD|JOINTS|WEIGHTS|COLOR)(_\\d+)?$`),
      patternTargets: new RegExp(`^(${attributes}TEXCOORD|JOINTS|WEIGHTS|COLOR|NORMAL|TANGENT)(_\\d+)?$`),
      quantizeNormal: 8,
      // Its own clean-up would deduplicate materials whatever the settings say.
      cleanup: false,
    }),
    prune({ ...kept, keepAttributes: true, keepIndices: true }),
    dedup({ propertyTypes: deduplicated(settings), keepUniqueNames: true }),
    unpartition(),
  );
}

/** Has the writer compress geometry; the same document can be written before, uncompressed. */
export function compressOnWrite(document: Document): void {
  document
    .createExtension(EXTMeshoptCompression)
    .setRequired(true)
    .setEncoderOptions({ method: EXTMeshoptCompression.EncoderMethod.FILTER });
}

function deduplicated({ deduplicateMaterials }: ConversionSettings): string[] {
  const always = [PropertyType.ACCESSOR, PropertyType.MESH, PropertyType.TEXTURE, PropertyType.SKIN];
  return deduplicateMaterials ? [...always, PropertyType.MATERIAL] : always;
}

/** A mesh whose vertices all lie in one point has no grid to quantise to. */
function hasExtent(mesh: ReturnType<ReturnType<Document['getRoot']>['listMeshes']>[number]): boolean {
  const bounds = mesh.listPrimitives().flatMap((part) => {
    const position = part.getAttribute('POSITION');
    return position === null ? [] : [position.getMin([]), position.getMax([])];
  });
  return bounds.some((corner) => corner.some((value, axis) => value !== bounds[0]?.[axis]));
}
