declare module 'draco3dgltf/draco_encoder_gltf_nodejs.js' {
  const createEncoderModule: () => Promise<unknown>;
  export = createEncoderModule;
}
