import { type Document, GLB_BUFFER, type GLTF, Logger, WebIO } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  EXTMeshFeatures,
  EXTMeshoptCompression,
  EXTStructuralMetadata,
  KHRAccessorFloat16,
  KHRAccessorFloat64,
  KHRDracoMeshCompression,
  KHRMeshPrimitiveRestart,
} from '@gltf-transform/extensions';
import { MeshoptDecoder } from 'meshoptimizer/decoder';
import { ConversionError } from '../conversion-error.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { readOwned, readWhole } from '../model-file.ts';
import { explainInvalidGltf, findGltfFaults } from '../validate-asset.ts';
import { decodeDataUri } from './data-uri.ts';
import { loadDracoDecoder } from './draco-decoder.ts';
import { readGltfFile } from './gltf-file.ts';
import { isExternal } from './gltf-references.ts';
import type { Gltf } from './gltf-schema.ts';
import { checkStructure } from './gltf-structure.ts';
import { repairTextures } from './gltf-textures.ts';
import { mendTrees } from './gltf-trees.ts';
import { mendAnimations } from './mend-animations.ts';
import { mendAttributes } from './mend-attributes.ts';
import { mendInstances } from './mend-instances.ts';
import { mendSkins } from './mend-skins.ts';
import { mendValues } from './mend-values.ts';
import { mendVariants } from './mend-variants.ts';
import { convertSpecularGlossiness } from './specular-glossiness.ts';

type Resources = Record<string, Uint8Array<ArrayBuffer>>;

const EMPTY = new Uint8Array(0);

/** glTF 2.0 as JSON or GLB, with Draco, meshopt and quantised geometry. */
export async function importGltf(request: ImportRequest): Promise<ImportedModel> {
  const file = await readGltfFile(request.file);
  const { gltf, text, binary } = file;
  const unknown = checkExtensions(gltf);
  checkStructure(file, request.limits);
  const json = parseForLibrary(text);
  const trees = mendTrees(json, request.limits);
  const resources: Resources = {};
  if (binary) resources[GLB_BUFFER] = await readOwned(request.file, binary.offset, binary.length);
  await gatherBuffers(json, resources, request);
  await gatherImages(json, resources, request);
  const document = await read(json, resources, text);
  for (const extension of document.getRoot().listExtensionsUsed()) {
    if (unpacked.has(extension.extensionName)) extension.dispose();
  }
  const textures = await repairTextures(document, gltf, request.limits);
  const parts = [mendAttributes(document), mendAnimations(document), mendSkins(document), mendInstances(document)];
  mendVariants(document);
  await convertSpecularGlossiness(document, request.limits);
  return {
    document,
    formatVersion: gltf.asset.version,
    generator: gltf.asset.generator ?? '',
    warnings: [...unknown, ...file.warnings, ...trees, ...textures, ...parts.flat()],
    findFaults: async () => await findGltfFaults(await readWhole(request.file), request.readReference),
  };
}

/** What packed the input is gone once it is read; the output is packed anew. */
const unpacked: ReadonlySet<string> = new Set([
  EXTMeshoptCompression.EXTENSION_NAME,
  KHRDracoMeshCompression.EXTENSION_NAME,
]);

/**
 * The library reads these, but none of its functions that optimise meshes accept the first, no viewer the next, and the last tell of texture
 * coordinates and pixels that nothing is left of.
 */
const unusable: ReadonlySet<string> = new Set([
  KHRMeshPrimitiveRestart.EXTENSION_NAME,
  KHRAccessorFloat16.EXTENSION_NAME,
  KHRAccessorFloat64.EXTENSION_NAME,
  EXTMeshFeatures.EXTENSION_NAME,
  EXTStructuralMetadata.EXTENSION_NAME,
]);

const usable = ALL_EXTENSIONS.filter((extension) => !unusable.has(extension.EXTENSION_NAME));
const known: ReadonlySet<string> = new Set(usable.map((extension) => extension.EXTENSION_NAME));

/** Extensions without which a model has its shape: it looks plainer, stands still, or tells less of itself. */
const DISPENSABLE = new RegExp(
  [
    '^[A-Z0-9]+_(animation|audio|lights|materials|packing|physics|texture)_',
    '^KHR_(interactivity|node_.*|techniques?_webgl|xmp)$',
    '^EXT_(instance_features|mesh_features|structural_metadata)$',
  ].join('|'),
);

function checkExtensions(gltf: Gltf): ConversionWarning[] {
  const unknown = gltf.extensionsRequired.filter((name) => !known.has(name) && !DISPENSABLE.test(name));
  if (unknown.length > 0) {
    const message = `The model cannot be read without ${unknown.join(', ')}, which this converter does not know. Export it without.`;
    throw new ConversionError('input_refused', message);
  }
  return [...new Set([...gltf.extensionsUsed, ...gltf.extensionsRequired])]
    .filter((name) => !known.has(name))
    .map((name) => ({ code: 'extension_left_out', title: 'Unknown extension left out', details: { extension: name } }));
}

/** The library's type is claimed for JSON that `parseGltf` and `checkStructure` have checked as far as the library trusts it. */
function parseForLibrary(text: string): GLTF.IGLTF {
  const json: GLTF.IGLTF = JSON.parse(text);
  mendValues(json);
  const extensionsRequired = (json.extensionsRequired ?? []).filter((name) => known.has(name));
  return { ...json, extensionsRequired, asset: { ...json.asset, version: '2.0' } };
}

/** Files get names of our own here and below, so that nothing in a URI can be taken for something else. */
async function gatherBuffers(json: GLTF.IGLTF, resources: Resources, request: ImportRequest): Promise<void> {
  for (const [i, buffer] of (json.buffers ?? []).entries()) {
    const { uri, byteLength } = buffer;
    if (uri !== undefined) {
      buffer.uri = `buffer-${i}`;
      resources[buffer.uri] = (await contentOf(uri, request)) ?? EMPTY;
      checkLength(isExternal(uri) ? `'${uri}'` : `buffers[${i}]`, resources[buffer.uri], byteLength);
    } else if (i === 0 && resources[GLB_BUFFER]) {
      // A GLB without a binary chunk may begin with the buffer that compressed views do without: EXT_meshopt_compression, fallback buffers.
      checkLength('its binary chunk', resources[GLB_BUFFER], byteLength);
    }
  }
}

async function contentOf(uri: string, request: ImportRequest): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return isExternal(uri) ? await request.readReference(uri) : decodeDataUri(uri);
}

function checkLength(name: string, bytes: Uint8Array | undefined, wanted: number): void {
  if (bytes === undefined || bytes.length >= wanted) return;
  const message = `The model takes ${wanted} bytes from ${name}, which has ${bytes.length}: it was cut off.`;
  throw new ConversionError('input_refused', message);
}

async function gatherImages(json: GLTF.IGLTF, resources: Resources, request: ImportRequest): Promise<void> {
  for (const [i, image] of (json.images ?? []).entries()) {
    const { uri } = image;
    if (uri === undefined && image.bufferView !== undefined) continue;
    image.uri = `image-${i}`;
    resources[image.uri] = (uri === undefined ? undefined : await contentOf(uri, request)) ?? EMPTY;
  }
}

async function read(json: GLTF.IGLTF, resources: Resources, text: string): Promise<Document> {
  try {
    const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions(usable);
    if (json.extensionsUsed?.includes(EXTMeshoptCompression.EXTENSION_NAME)) {
      await MeshoptDecoder.ready;
      io.registerDependencies({ 'meshopt.decoder': MeshoptDecoder });
    }
    if (json.extensionsUsed?.includes(KHRDracoMeshCompression.EXTENSION_NAME)) {
      io.registerDependencies({ 'draco3d.decoder': await loadDracoDecoder() });
    }
    return await io.readJSON({ json, resources });
  } catch (error) {
    throw new ConversionError('input_refused', await explainInvalidGltf(text, error), { cause: error });
  }
}
