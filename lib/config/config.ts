import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { settings } from './settings.ts';

/** The app's settings, read once and frozen. `controlPlaneUrl` has no slash at its end. */
export type Config = Readonly<z.output<typeof settings>> & {
  readonly controlPlaneUrl: string;
  readonly storage: StorageSettings;
  readonly accountDomain: string;
};

/** How the storage account is opened: with a key of its connection string, or with the app's identity. */
export type StorageSettings =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly blobServiceUri: string; readonly tableServiceUri: string };

type StorageSetting =
  | 'AzureWebJobsStorage'
  | 'AzureWebJobsStorage__blobServiceUri'
  | 'AzureWebJobsStorage__tableServiceUri';

/**
 * Reads every setting from an environment.
 * @throws ConfigError naming all settings that are missing or wrong
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // An app setting that is there but empty means the same as none: people clear a value and leave its name.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  const storage = storageOf(parsed.success ? parsed.data : given);
  const contradictions = [...(typeof storage === 'string' ? [storage] : []), ...contradictionsIn(given)];
  if (!parsed.success || typeof storage === 'string' || contradictions.length > 0) {
    throw new ConfigError([...(parsed.error ? problemsOf(parsed.error) : []), ...contradictions]);
  }
  const { CONTROL_PLANE_URL, WEBSITE_HOSTNAME, STS_ACCOUNT_DOMAIN } = parsed.data;
  return Object.freeze({
    ...parsed.data,
    storage,
    accountDomain: STS_ACCOUNT_DOMAIN ?? WEBSITE_HOSTNAME,
    controlPlaneUrl: (CONTROL_PLANE_URL ?? `https://${WEBSITE_HOSTNAME}`).replace(/\/$/, ''),
  });
}

/** The service URIs win: they are what a deployment without keys has, and a leftover connection string must not undo that. */
function storageOf({
  AzureWebJobsStorage__blobServiceUri: blobServiceUri,
  AzureWebJobsStorage__tableServiceUri: tableServiceUri,
  AzureWebJobsStorage: connectionString,
}: { readonly [Name in StorageSetting]?: string | undefined }): StorageSettings | string {
  if (blobServiceUri !== undefined && tableServiceUri !== undefined) {
    return { kind: 'identity', blobServiceUri, tableServiceUri };
  }
  if (connectionString !== undefined) return { kind: 'connection-string', connectionString };
  return (
    'AzureWebJobsStorage: is missing. Give AzureWebJobsStorage__blobServiceUri and AzureWebJobsStorage__tableServiceUri, ' +
    'or a connection string.'
  );
}

function contradictionsIn(given: Readonly<Record<string, string | undefined>>): string[] {
  const application = ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_CLIENT_SECRET'];
  const missing = application.filter((name) => given[name] === undefined);
  const external = given['MIXEDREALITY_ACCOUNT_DOMAIN'] !== undefined;
  return [
    ...(given['AZURE_CLIENT_SECRET'] !== undefined && missing.length > 0
      ? [`AZURE_CLIENT_SECRET: an application needs ${missing.join(' and ')} too.`]
      : []),
    ...(external && given['MIXEDREALITY_ACCOUNT_ID'] === undefined
      ? [
          'MIXEDREALITY_ACCOUNT_ID: is missing. MIXEDREALITY_ACCOUNT_DOMAIN says that the account is elsewhere; which is it?',
        ]
      : []),
  ];
}

function problemsOf(error: z.ZodError): string[] {
  const shape: Readonly<Record<string, z.ZodType>> = settings.shape;
  return error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `${name}: ${issue.message}. ${shape[name]?.description ?? ''}`;
  });
}
