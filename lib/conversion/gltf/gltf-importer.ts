import { type Document, GLB_BUFFER, type GLTF, Logger, WebIO } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  EXTMeshoptCompression,
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
import { loadDracoDecoder } from './draco-decoder.ts';
import { readGltfFile } from './gltf-file.ts';
import { isExternal } from './gltf-references.ts';
import type { Gltf } from './gltf-schema.ts';
import { checkStructure } from './gltf-structure.ts';
import { repairTextures } from './gltf-textures.ts';
import { convertSpecularGlossiness } from './specular-glossiness.ts';

type Resources = Record<string, Uint8Array<ArrayBuffer>>;

const EMPTY = new Uint8Array(0);

/** glTF 2.0 as JSON or GLB, with Draco, meshopt and quantised geometry. */
export async function importGltf(request: ImportRequest): Promise<ImportedModel> {
  const file = await readGltfFile(request.file);
  const { gltf, text, binary } = file;
  const warnings = checkExtensions(gltf);
  checkStructure(file, request.limits);
  const json = parseForLibrary(text);
  const resources: Resources = {};
  if (binary) resources[GLB_BUFFER] = await readOwned(request.file, binary.offset, binary.length);
  await gatherBuffers(json, resources, request);
  await gatherImages(json, resources, request);
  const document = await read(json, resources, text);
  for (const extension of document.getRoot().listExtensionsUsed()) {
    if (unpacked.has(extension.extensionName)) extension.dispose();
  }
  warnings.push(...repairTextures(document, gltf));
  await convertSpecularGlossiness(document, request.limits);
  return {
    document,
    formatVersion: gltf.asset.version,
    generator: gltf.asset.generator ?? '',
    warnings,
    findFaults: async () => await findGltfFaults(await readWhole(request.file), request.readReference),
  };
}

/** What packed the input is gone once it is read; the output is packed anew. */
const unpacked: ReadonlySet<string> = new Set([
  EXTMeshoptCompression.EXTENSION_NAME,
  KHRDracoMeshCompression.EXTENSION_NAME,
]);

/** The library reads these, but none of its functions that optimise meshes accept the first, and no viewer the others. */
const unusable: ReadonlySet<string> = new Set([
  KHRMeshPrimitiveRestart.EXTENSION_NAME,
  KHRAccessorFloat16.EXTENSION_NAME,
  KHRAccessorFloat64.EXTENSION_NAME,
]);

const known: ReadonlySet<string> = new Set(
  ALL_EXTENSIONS.map((extension) => extension.EXTENSION_NAME).filter((name) => !unusable.has(name)),
);

/** Extensions without which a model has its shape and looks plainer. */
const ONLY_LOOKS = /^[A-Z0-9]+_materials_|^KHR_technique_webgl$|^KHR_techniques_webgl$/;

function checkExtensions(gltf: Gltf): ConversionWarning[] {
  const unknown = gltf.extensionsRequired.filter((name) => !known.has(name) && !ONLY_LOOKS.test(name));
  if (unknown.length > 0) {
    const message = `The model cannot be read without ${unknown.join(', ')}, which this converter does not know. Export it without.`;
    throw new ConversionError('input_refused', message);
  }
  return [...new Set([...gltf.extensionsUsed, ...gltf.extensionsRequired])]
    .filter((name) => !known.has(name))
    .map((name) => ({ code: 'extension_dropped', title: 'Unknown extension left out', details: { extension: name } }));
}

/** The library's type is claimed for JSON that `parseGltf` and `checkStructure` have checked as far as the library trusts it. */
function parseForLibrary(text: string): GLTF.IGLTF {
  const json: GLTF.IGLTF = JSON.parse(text);
  const extensionsRequired = (json.extensionsRequired ?? []).filter((name) => known.has(name));
  return { ...json, extensionsRequired, asset: { ...json.asset, version: '2.0' } };
}

/** Files get names of our own here and below, so that nothing in a URI can be taken for something else. */
async function gatherBuffers(json: GLTF.IGLTF, resources: Resources, request: ImportRequest): Promise<void> {
  for (const [i, buffer] of (json.buffers ?? []).entries()) {
    const { uri, byteLength } = buffer;
    if (isExternal(uri)) {
      buffer.uri = `buffer-${i}`;
      resources[buffer.uri] = (await request.readReference(uri)) ?? EMPTY;
      checkLength(`'${uri}'`, resources[buffer.uri], byteLength);
    } else if (uri === undefined && i === 0 && resources[GLB_BUFFER]) {
      // A GLB without a binary chunk may begin with the buffer that compressed views do without: EXT_meshopt_compression, fallback buffers.
      checkLength('its binary chunk', resources[GLB_BUFFER], byteLength);
    }
  }
}

function checkLength(name: string, bytes: Uint8Array | undefined, wanted: number): void {
  if (bytes === undefined || bytes.length >= wanted) return;
  const message = `The model takes ${wanted} bytes from ${name}, which has ${bytes.length}: it was cut off.`;
  throw new ConversionError('input_refused', message);
}

async function gatherImages(json: GLTF.IGLTF, resources: Resources, request: ImportRequest): Promise<void> {
  for (const [i, image] of (json.images ?? []).entries()) {
    if (!isExternal(image.uri)) continue;
    const content = await request.readReference(image.uri);
    image.uri = `image-${i}`;
    resources[image.uri] = content ?? EMPTY;
  }
}

async function read(json: GLTF.IGLTF, resources: Resources, text: string): Promise<Document> {
  try {
    const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions(ALL_EXTENSIONS);
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
