import { join } from 'node:path';
import type { Account } from './account.ts';
import type { StackPorts } from './ports.ts';
import { connectionString, type StorageEndpoints } from './storage-account.ts';

/** Identifies the app to Microsoft Entra: callers ask for tokens for it. */
export const APP_AUDIENCE = 'api://remote-rendering-functions';

/** Of Web PubSub: where live events are sent. */
export const HUB = 'rendering';

export interface AppSettingsOptions {
  /** Absolute path of the stack's state. */
  readonly directory: string;
  /** Absolute path of the folder with package.json and host.json. */
  readonly scriptRoot: string;
  readonly ports: StackPorts;
  /** Where they are HTTPS, the app opens the account with its identity, and is itself served over HTTPS too. */
  readonly storage: StorageEndpoints;
  readonly tenantId: string;
  readonly account: Pick<Account, 'id' | 'keyHashes'>;
  readonly identity: {
    readonly authority: string;
    /** App Service's `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`. */
    readonly endpoint: string;
    readonly header: string;
  };
  /** The environment that the stack was started in. */
  readonly caller: Readonly<Record<string, string | undefined>>;
}

/** App settings by name; those that the stack itself needs are there for certain. */
export type AppSettings = Readonly<Record<string, string>> &
  Readonly<Record<'ENTRA_AUDIENCES' | 'MODELS_CONTAINER' | 'ASSETS_CONTAINER', string>>;

/**
 * The settings that make the app a local one. The caller's environment overrides what is a matter of taste. It does not override whom
 * the app is, whom it believes and where it stores: a connection string or an application's credentials left in a shell must not point
 * a local stack at Azure.
 */
export function appSettings(options: AppSettingsOptions): AppSettings {
  const { directory, scriptRoot, ports, storage, caller } = options;
  const local = {
    UPLOAD_POLICY: 'convert-and-start',
    MODELS_CONTAINER: 'models',
    ASSETS_CONTAINER: 'assets',
    CONTROL_PLANE_URL: `http://127.0.0.1:${ports.app}`,
    WEBSITE_HOSTNAME: `127.0.0.1:${ports.app}`,
    LOCAL_MACHINES_DIRECTORY: join(directory, 'machines'),
    SESSION_HOST_PROGRAM: join(scriptRoot, 'dist/session-host/main.mjs'),
  };
  const given = Object.keys(local).flatMap((name) => (caller[name] ? [[name, caller[name]] as const] : []));
  return { ...local, ...Object.fromEntries(given), ...storageSettings(storage), ...identitySettings(options) };
}

/** The domain of the local account: where its STS answers, without a scheme. */
export function accountDomain(ports: StackPorts, storage: StorageEndpoints): string {
  return `localhost:${isHttps(storage) ? ports.appHttps : ports.app}`;
}

function identitySettings({ directory, ports, storage, tenantId, account, identity }: AppSettingsOptions) {
  // The names under which the app's STS is reached.
  const origins = ['localhost', '127.0.0.1', 'sts.localhost'].map((host) => `https://${host}:${ports.appHttps}`);
  return {
    PLATFORM_AUTHENTICATION: 'off',
    AZURE_CLIENT_ID: '',
    AZURE_TENANT_ID: '',
    AZURE_CLIENT_SECRET: '',
    AZURE_AUTHORITY_HOST: identity.authority,
    ENTRA_TENANT_IDS: tenantId,
    ENTRA_AUDIENCES: [APP_AUDIENCE, ...(isHttps(storage) ? origins : [])].join(','),
    IDENTITY_ENDPOINT: identity.endpoint,
    IDENTITY_HEADER: identity.header,
    WEB_PUBSUB_CONNECTION_STRING: '',
    WEB_PUBSUB_ENDPOINT: `https://localhost:${ports.webPubSub}`,
    WEB_PUBSUB_HUB: HUB,
    STS_ACCOUNT_ID: account.id,
    STS_ACCOUNT_DOMAIN: accountDomain(ports, storage),
    STS_ACCOUNT_KEY_HASHES: account.keyHashes.join(','),
    STS_KEYS_FILE: join(directory, 'sts-keys.json'),
  };
}

/** An empty setting means none: the way into the account that is not meant is closed. */
function storageSettings(storage: StorageEndpoints) {
  const byIdentity = isHttps(storage);
  return {
    AzureWebJobsStorage: byIdentity ? '' : connectionString(storage),
    AzureWebJobsStorage__blobServiceUri: byIdentity ? storage.blob : '',
    AzureWebJobsStorage__queueServiceUri: byIdentity ? storage.queue : '',
    AzureWebJobsStorage__tableServiceUri: byIdentity ? storage.table : '',
  };
}

function isHttps(storage: StorageEndpoints): boolean {
  return storage.blob.startsWith('https:');
}
