declare module 'assimpjs' {
  interface AssimpFile {
    GetPath(): string;
    GetContent(): Uint8Array;
  }
  interface AssimpResult {
    IsSuccess(): boolean;
    GetErrorCode(): string;
    FileCount(): number;
    GetFile(index: number): AssimpFile;
    delete(): void;
  }
  interface AssimpFileList {
    AddFile(name: string, content: Uint8Array): void;
    delete(): void;
  }
  interface Assimp {
    readonly FileList: new () => AssimpFileList;
    readonly HEAPU8: Uint8Array;
    ConvertFileList(files: AssimpFileList, format: string): AssimpResult;
  }
  const load: () => Promise<Assimp>;
  export = load;
}

declare module 'draco3dgltf/draco_decoder_gltf_nodejs.js' {
  const createDecoderModule: () => Promise<unknown>;
  export = createDecoderModule;
}

declare module 'gltf-validator' {
  interface ValidationOptions {
    readonly maxIssues?: number;
    readonly writeTimestamp?: boolean;
    /** The content of a file by its URI; rejects where it is not there. */
    readonly externalResourceFunction?: (uri: string) => Promise<Uint8Array>;
  }
  const validator: {
    version(): string;
    /** Answers with a report for every input; rejects only where the options are wrong. */
    validateBytes(data: Uint8Array, options?: ValidationOptions): Promise<unknown>;
    validateString(json: string, options?: ValidationOptions): Promise<unknown>;
  };
  export = validator;
}

declare module 'laz-perf' {
  interface LasZip {
    open(data: number, length: number): void;
    /** Writes the next point as its format has it. */
    getPoint(to: number): void;
    delete(): void;
  }
  interface LazPerf {
    readonly LASZip: new () => LasZip;
    readonly HEAPU8: Uint8Array;
    /** Zero where there is no room. */
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  }
  export function createLazPerf(): Promise<LazPerf>;
}
