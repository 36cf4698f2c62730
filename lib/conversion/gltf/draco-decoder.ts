/**
 * The Draco decoder. It reads its WebAssembly from the folder that the program lies in, and is loaded only for models that need it: that
 * takes longer than most conversions of small models.
 */
export async function loadDracoDecoder(): Promise<unknown> {
  const { default: createDecoderModule } = await import('draco3dgltf/draco_decoder_gltf_nodejs.js');
  return await createDecoderModule();
}
