/**
 * The parts of Azurite 3.37.0 that `azurite.ts` builds on. It has neither types nor a public entry for its servers, which is why its
 * version is pinned.
 */
interface AzuriteDatabase {
  autosaveDisable(): void;
  saveDatabase(done: (error?: unknown) => void): void;
}

interface AzuriteServer {
  readonly httpServer: import('node:http').Server | import('node:https').Server;
  readonly metadataStore: { readonly db: AzuriteDatabase };
  /** Where the bytes of blobs and messages lie; the table server has none. */
  readonly extentMetadataStore?: { readonly db: AzuriteDatabase };
  start(): Promise<void>;
  close(): Promise<void>;
}

interface AzuriteExtents {
  readonly locationId: string;
  readonly locationPath: string;
  readonly maxConcurrency: number;
}

interface AzuriteServerModule {
  readonly default: new (configuration: unknown) => AzuriteServer;
}

/** The blob and the queue server's configuration. */
interface AzuriteExtentConfigurationModule {
  readonly default: new (
    host: string,
    port: number,
    keepAliveSeconds: number,
    metadataPath: string,
    extentMetadataPath: string,
    extents: readonly AzuriteExtents[],
    accessLog: boolean,
    accessLogStream: undefined,
    debugLog: boolean,
    debugLogPath: undefined,
    loose: boolean,
    skipApiVersionCheck: boolean,
    certificatePath: string,
    keyPath: string,
    passphrase: '',
    oauth: 'basic' | undefined,
  ) => unknown;
}

interface AzuriteTableConfigurationModule {
  readonly default: new (
    host: string,
    port: number,
    keepAliveSeconds: number,
    metadataPath: string,
    debugLog: boolean,
    accessLog: boolean,
    accessLogStream: undefined,
    debugLogPath: undefined,
    loose: boolean,
    skipApiVersionCheck: boolean,
    certificatePath: string,
    keyPath: string,
    passphrase: '',
    oauth: 'basic' | undefined,
  ) => unknown;
}

declare module 'azurite/dist/src/blob/BlobServer.js' {
  const exported: AzuriteServerModule;
  export = exported;
}

declare module 'azurite/dist/src/queue/QueueServer.js' {
  const exported: AzuriteServerModule;
  export = exported;
}

declare module 'azurite/dist/src/table/TableServer.js' {
  const exported: AzuriteServerModule;
  export = exported;
}

declare module 'azurite/dist/src/blob/BlobConfiguration.js' {
  const exported: AzuriteExtentConfigurationModule;
  export = exported;
}

declare module 'azurite/dist/src/queue/QueueConfiguration.js' {
  const exported: AzuriteExtentConfigurationModule;
  export = exported;
}

declare module 'azurite/dist/src/table/TableConfiguration.js' {
  const exported: AzuriteTableConfigurationModule;
  export = exported;
}
