import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Account, prepareAccount } from './account.ts';
import { APP_AUDIENCE, type AppSettings, accountDomain, appSettings, HUB } from './app-settings.ts';
import { prepareCertificates } from './certificates.ts';
import type { StackEndpoints } from './endpoints.ts';
import { type PreparedIdentity, prepareIdentity } from './identity/index.ts';
import { writePrivate } from './identity/private-file.ts';
import { keptText } from './kept-text.ts';
import { noProxy } from './no-proxy.ts';
import type { StackPorts } from './ports.ts';
import { type StorageEndpoints, storageAccount } from './storage-account.ts';
import { extraCertificates } from './trusted-certificates.ts';

export interface PrepareOptions {
  /** Absolute paths. */
  readonly directory: string;
  readonly scriptRoot: string;
  readonly ports: StackPorts;
  readonly storage: 'https' | 'http';
  /** App settings that override the local ones. */
  readonly environment: Readonly<Record<string, string>>;
  /** The environment that the stack was started in. */
  readonly caller: Readonly<Record<string, string | undefined>>;
}

/** All that is known of a stack before anything of it runs. */
export interface PreparedStack {
  readonly ports: StackPorts;
  readonly endpoints: StackEndpoints;
  /** The app's settings. */
  readonly settings: AppSettings;
  /** What every child has in its environment, beside the caller's. */
  readonly environment: Readonly<Record<string, string>>;
  /** The certificate of all HTTPS servers, and its key: absolute paths of PEM files. */
  readonly tls: { readonly certificate: string; readonly key: string };
  /** Who shows it is given the tokens of the stack's managed identities. New at each start. */
  readonly identityHeader: string;
  /** Where these are asked for. */
  readonly identityEndpoint: string;
  /** The same for Web PubSub, whose identity is another. */
  readonly webPubSubHeader: string;
  /** Opens the routes that are the host's own, as Event Grid's webhook. */
  readonly systemKey: string;
}

/** Makes the certificates, identities and keys that are missing in the stack's directory, and settles where everything will answer. */
export async function prepareStack(options: PrepareOptions): Promise<PreparedStack> {
  const { directory, scriptRoot, ports, environment, caller } = options;
  const { caCertificate, ...tls } = await prepareCertificates(directory, new Date());
  const identities = await prepareIdentity(directory);
  const account = await prepareAccount(directory);
  const extra = await extraCertificates(directory, caCertificate, caller['NODE_EXTRA_CA_CERTS']);
  const identityHeader = newSecret();
  const endpoints = endpointsOf(options, caCertificate, identities, account);
  const identityEndpoint = `http://127.0.0.1:${ports.identity}/msi/token`;
  const managed = { endpoint: identityEndpoint, header: identityHeader };
  const identity = { authority: endpoints.authority, ...managed };
  await writeApplications(endpoints, identities, managed);
  const { tenantId } = identities;
  const local = appSettings({ directory, scriptRoot, ports, storage: endpoints, tenantId, account, identity, caller });
  return {
    ports,
    endpoints,
    settings: { ...local, ...environment },
    environment: { NODE_EXTRA_CA_CERTS: extra, NO_PROXY: noProxy(caller) },
    tls,
    identityHeader,
    identityEndpoint,
    webPubSubHeader: newSecret(),
    systemKey: await keptText(endpoints.systemKeyFile, newSecret),
  };
}

function endpointsOf(
  { directory, ports, storage }: PrepareOptions,
  caCertificate: string,
  { tenantId }: PreparedIdentity,
  account: Account,
): StackEndpoints {
  const storageAt = (port: number) => `${storage}://127.0.0.1:${port}/${storageAccount.name}`;
  const stores: StorageEndpoints = {
    blob: storageAt(ports.blob),
    queue: storageAt(ports.queue),
    table: storageAt(ports.table),
  };
  return {
    app: `http://127.0.0.1:${ports.app}`,
    ...(storage === 'https' && { appHttps: `https://127.0.0.1:${ports.appHttps}` }),
    caCertificate,
    authority: `https://localhost:${ports.authority}`,
    tenantId,
    accountId: account.id,
    accountDomain: accountDomain(ports, stores),
    accountKeyFile: account.keyFile,
    applicationsFile: join(directory, 'applications.json'),
    systemKeyFile: join(directory, 'system-key'),
    webPubSub: `https://localhost:${ports.webPubSub}`,
    hub: HUB,
    ...stores,
  };
}

/** For other programs that sign in as an application or as a managed identity: nothing here reads it. */
async function writeApplications(
  { authority, tenantId, applicationsFile }: StackEndpoints,
  { applications, managedIdentities }: PreparedIdentity,
  managedIdentity: { readonly endpoint: string; readonly header: string },
): Promise<void> {
  const content = {
    authority,
    tenantId,
    audience: APP_AUDIENCE,
    scope: `${APP_AUDIENCE}/.default`,
    applications: applications.map(({ name, clientId, clientSecret, roles }) => ({
      name,
      clientId,
      clientSecret,
      roles,
    })),
    managedIdentity: { ...managedIdentity, identities: managedIdentities },
  };
  await writePrivate(applicationsFile, `${JSON.stringify(content, undefined, 2)}\n`);
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
