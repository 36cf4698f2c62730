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

/**
 * The app's identity: an application where its secret is set, else the user-assigned managed identity that AZURE_CLIENT_ID names, else
 * the system-assigned one. It is one of them for certain: DefaultAzureCredential would probe for whatever there is, and fall through to
 * a developer's login without a word (Microsoft's guidance for JavaScript and CodeQL rule SM05138 advise against it in Azure).
 */
export function createCredential(config: IdentitySettings): TokenCredential {
  const {
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_SECRET: secret,
    AZURE_AUTHORITY_HOST: authorityHost,
  } = config;
  if (secret !== undefined && tenantId !== undefined && clientId !== undefined) {
    // Instance discovery asks Microsoft's public cloud whether an authority is one of Microsoft's.
    const disableInstanceDiscovery = !isMicrosofts(authorityHost);
    return new ClientSecretCredential(tenantId, clientId, secret, { authorityHost, disableInstanceDiscovery });
  }
  return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
}

function isMicrosofts(authorityHost: string): boolean {
  const { host } = new URL(authorityHost);
  return Object.values(AzureAuthorityHosts).some((microsofts) => new URL(microsofts).host === host);
}
