import { type Document, Logger, WebIO } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  EXTMeshoptCompression,
  KHRDracoMeshCompression,
  KHRMeshQuantization,
} from '@gltf-transform/extensions';
import { quantize } from '@gltf-transform/functions';
import { MeshoptDecoder } from 'meshoptimizer/decoder';
import { MeshoptEncoder } from 'meshoptimizer/encoder';

/** A document as a viewer sees it: every compression undone. */
export async function unpack(glb: Uint8Array): Promise<Document> {
  return (await (await reader()).readBinary(glb)).setLogger(new Logger(Logger.Verbosity.SILENT));
}

/** The model with Draco geometry. */
export async function dracoGlb(model: Uint8Array): Promise<Uint8Array> {
  const { default: createEncoderModule } = await import('draco3dgltf/draco_encoder_gltf_nodejs.js');
  const document = await unpack(model);
  document.createExtension(KHRDracoMeshCompression).setRequired(true);
  const io = (await reader()).registerDependencies({ 'draco3d.encoder': await createEncoderModule() });
  return await io.writeBinary(document);
}

/** The model with quantised geometry, compressed by meshopt or not. */
export async function quantisedGlb(model: Uint8Array, compression: 'meshopt' | 'none'): Promise<Uint8Array> {
  const document = await unpack(model);
  await document.transform(quantize());
  document.createExtension(KHRMeshQuantization).setRequired(true);
  if (compression === 'meshopt') document.createExtension(EXTMeshoptCompression).setRequired(true);
  return await (await reader()).writeBinary(document);
}

async function reader(): Promise<WebIO> {
  await Promise.all([MeshoptDecoder.ready, MeshoptEncoder.ready]);
  return new WebIO()
    .registerExtensions(ALL_EXTENSIONS)
    .registerDependencies({ 'meshopt.decoder': MeshoptDecoder, 'meshopt.encoder': MeshoptEncoder });
}
