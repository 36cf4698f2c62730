/** The Draco encoder. It reads its WebAssembly from the folder that the program lies in, and is loaded only where settings ask for Draco. */
export async function loadDracoEncoder(): Promise<unknown> {
  const { default: createEncoderModule } = await import('draco3dgltf/draco_encoder_gltf_nodejs.js');
  return await createEncoderModule();
}
