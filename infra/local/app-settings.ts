import { join } from 'node:path';
import type { StackPorts } from './ports.ts';
import { connectionString, type StorageEndpoints } from './storage-account.ts';

export interface AppSettingsOptions {
  /** Absolute path of the stack's state. */
  readonly directory: string;
  /** Absolute path of the folder with package.json and host.json. */
  readonly scriptRoot: string;
  readonly ports: StackPorts;
  readonly storage: StorageEndpoints;
  /** The environment that the stack was started in. */
  readonly caller: Readonly<Record<string, string | undefined>>;
}

/** App settings by name; those that the stack itself needs are there for certain. */
export type AppSettings = Readonly<Record<string, string>> &
  Readonly<Record<'AzureWebJobsStorage' | 'MODELS_CONTAINER' | 'ASSETS_CONTAINER', string>>;

/**
 * The settings that make the app a local one. The caller's environment overrides each but the storage account: a connection string
 * left in a shell must not point a local stack at an account in Azure.
 */
export function appSettings({ directory, scriptRoot, ports, storage, caller }: AppSettingsOptions): AppSettings {
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
  return { ...local, ...Object.fromEntries(given), AzureWebJobsStorage: connectionString(storage) };
}
