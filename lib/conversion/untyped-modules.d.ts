declare module 'draco3dgltf/draco_decoder_gltf_nodejs.js' {
  const createDecoderModule: () => Promise<unknown>;
  export = createDecoderModule;
}

declare module 'gltf-validator' {
  interface ValidationOptions {
    readonly maxIssues?: number;
    readonly writeTimestamp?: boolean;
  }
  const validator: {
    version(): string;
    /** Answers with a report for every input; rejects only where the options are wrong. */
    validateBytes(data: Uint8Array, options?: ValidationOptions): Promise<unknown>;
    validateString(json: string, options?: ValidationOptions): Promise<unknown>;
  };
  export = validator;
}
