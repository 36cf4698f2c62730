import { Accessor, type Document, type Mesh, PropertyType, type WebIO } from '@gltf-transform/core';
import { EXTMeshoptCompression, KHRDracoMeshCompression, KHRMeshQuantization } from '@gltf-transform/extensions';
import { prune, quantize, reorder, unpartition } from '@gltf-transform/functions';
import { MeshoptEncoder } from 'meshoptimizer/encoder';
import type { ConversionSettings } from './conversion-settings.ts';
import { deduplicateModel } from './deduplicate-model.ts';
import { setMeshesApart } from './set-meshes-apart.ts';
import { quantisationOf } from './vertex-formats.ts';

/** Orders and quantises geometry for the compression that `compressOnWrite` then adds. */
export async function quantiseGeometry(document: Document, settings: ConversionSettings): Promise<void> {
  await MeshoptEncoder.ready;
  const { semantics, directionBits } = quantisationOf(settings.vertex);
  // A mesh whose vertices all lie in one point has no grid to quantise to, and Draco has grids of its own.
  const isOwnGrid = settings.geometryCompression === 'draco';
  const hasGrid = !isOwnGrid && document.getRoot().listMeshes().every(hasExtent);
  const quantised = semantics.filter((semantic) =>
    semantic === 'POSITION' ? hasGrid : !isOwnGrid || !semantic.startsWith('TEXCOORD'),
  );
  if (quantised.includes('POSITION')) setMeshesApart(document);
  const directions = ['NORMAL', 'TANGENT'];
  // Sparse arrays are left out of compression, which is better at zeros than they are.
  for (const accessor of document.getRoot().listAccessors()) accessor.setSparse(false);
  await document.transform(
    reorder({ encoder: MeshoptEncoder, target: 'size', cleanup: false }),
    quantize({
      // meshopt's filters take directions as they are, those of morph targets excepted: they are no unit vectors.
      pattern: anyOf(isOwnGrid || isFiltered(settings) ? quantised : [...quantised, ...directions]),
      patternTargets: anyOf([...quantised, ...directions]),
      quantizeNormal: directionBits,
      // Its own clean-up would deduplicate materials whatever the settings say.
      cleanup: false,
    }),
    prune({
      propertyTypes: [PropertyType.ACCESSOR, PropertyType.SKIN, PropertyType.MATERIAL, PropertyType.BUFFER],
      keepAttributes: true,
      keepSolidTextures: true,
    }),
  );
  await deduplicateModel(document, { materials: settings.deduplicateMaterials });
  await document.transform(unpartition());
  declareQuantisation(document, []);
}

/** Has the writer compress geometry; the same document can be written before, uncompressed. */
export async function compressOnWrite(document: Document, io: WebIO, settings: ConversionSettings): Promise<void> {
  if (settings.geometryCompression === 'meshopt') {
    const { FILTER, QUANTIZE } = EXTMeshoptCompression.EncoderMethod;
    io.registerDependencies({ 'meshopt.encoder': MeshoptEncoder });
    // The filter makes integers of them.
    if (isFiltered(settings)) declareQuantisation(document, ['NORMAL', 'TANGENT']);
    document
      .createExtension(EXTMeshoptCompression)
      .setRequired(true)
      .setEncoderOptions({ method: isFiltered(settings) ? FILTER : QUANTIZE });
  }
  if (settings.geometryCompression === 'draco') {
    const { loadDracoEncoder } = await import('./draco-encoder.ts');
    io.registerDependencies({ 'draco3d.encoder': await loadDracoEncoder() });
    document.createExtension(KHRDracoMeshCompression).setRequired(true).setEncoderOptions(dracoOptions(settings));
  }
}

/** meshopt stores directions in 8 bits by a filter. */
function isFiltered({ geometryCompression, vertex }: ConversionSettings): boolean {
  return geometryCompression === 'meshopt' && quantisationOf(vertex).directionBits === 8;
}

/** KHR_mesh_quantization, where attributes are integers that glTF alone does not allow for them: `always`, or as they are stored. */
function declareQuantisation(document: Document, always: readonly string[]): void {
  const parts = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives())
    .flatMap((part) => [part, ...part.listTargets()]);
  const isQuantised = (part: (typeof parts)[number]) =>
    part
      .listSemantics()
      .some((semantic) => always.includes(semantic) || isExtended(semantic, part.getAttribute(semantic)));
  if (parts.some(isQuantised)) document.createExtension(KHRMeshQuantization).setRequired(true);
}

function isExtended(semantic: string, attribute: Accessor | null): boolean {
  if (attribute === null || attribute.getComponentSize() === 4) return false;
  if (['POSITION', 'NORMAL', 'TANGENT'].includes(semantic)) return true;
  const { UNSIGNED_BYTE, UNSIGNED_SHORT } = Accessor.ComponentType;
  const isPlain =
    attribute.getNormalized() && [UNSIGNED_BYTE, UNSIGNED_SHORT].some((type) => type === attribute.getComponentType());
  return semantic.startsWith('TEXCOORD_') && !isPlain;
}

/** Bits of Draco's grids; 0 stores floats as they are. */
function dracoOptions({ vertex }: ConversionSettings) {
  const { semantics, directionBits } = quantisationOf(vertex);
  return {
    method: KHRDracoMeshCompression.EncoderMethod.EDGEBREAKER,
    encodeSpeed: 5,
    decodeSpeed: 5,
    quantizationBits: {
      POSITION: semantics.includes('POSITION') ? 14 : 0,
      NORMAL: directionBits === 8 ? 10 : 16,
      COLOR: 8,
      TEX_COORD: semantics.includes('TEXCOORD_0') ? 12 : 0,
      GENERIC: 12,
    },
  };
}

function anyOf(semantics: readonly string[]): RegExp {
  return new RegExp(`^(${semantics.join('|')})$`);
}

function hasExtent(mesh: Mesh): boolean {
  const bounds = mesh.listPrimitives().flatMap((part) => {
    const position = part.getAttribute('POSITION');
    return position === null ? [] : [position.getMin([]), position.getMax([])];
  });
  return bounds.some((corner) => corner.some((value, axis) => value !== bounds[0]?.[axis]));
}
