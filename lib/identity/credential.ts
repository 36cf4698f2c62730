import {
  AzureAuthorityHosts,
  ClientSecretCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from '@azure/identity';
import type { Config } from '#lib/config';

export type { TokenCredential } from '@azure/identity';

/** The settings that say who the app is. */
type IdentitySettings = Pick<
  Config,
  'AZURE_CLIENT_ID' | 'AZURE_TENANT_ID' | 'AZURE_CLIENT_SECRET' | 'AZURE_AUTHORITY_HOST'
>;

interface Application {
  readonly clientId: string;
  readonly tenantId: string;
  readonly clientSecret: string;
}

/**
 * The app's identity: an application where its secret is set, else the user-assigned managed identity that AZURE_CLIENT_ID names, else
 * the system-assigned one. It is one of them for certain: DefaultAzureCredential would probe for whatever there is, and fall through to
 * a developer's login without a word (Microsoft's guidance for JavaScript and CodeQL rule SM05138 advise against it in Azure).
 */
export function createCredential(config: IdentitySettings): TokenCredential {
  const {
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_AUTHORITY_HOST: authorityHost,
  } = config;
  if (clientSecret !== undefined && tenantId !== undefined && clientId !== undefined) {
    return createApplicationCredential({ clientId, tenantId, clientSecret }, authorityHost);
  }
  return createManagedIdentity(clientId);
}

/** The user-assigned managed identity with this client id, or the system-assigned one. */
export function createManagedIdentity(clientId?: string): TokenCredential {
  return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
}

/** An application that signs in with its secret at an authority, Microsoft's or another. */
export function createApplicationCredential(
  { clientId, tenantId, clientSecret }: Application,
  authorityHost: string,
): TokenCredential {
  // Instance discovery asks Microsoft's public cloud whether an authority is one of Microsoft's.
  const disableInstanceDiscovery = !isMicrosofts(authorityHost);
  return new ClientSecretCredential(tenantId, clientId, clientSecret, { authorityHost, disableInstanceDiscovery });
}

function isMicrosofts(authorityHost: string): boolean {
  const { host } = new URL(authorityHost);
  return Object.values(AzureAuthorityHosts).some((microsofts) => new URL(microsofts).host === host);
}
