import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { createLocalProcessProvider } from '#lib/compute';
import type { Config } from '#lib/config';
import type { Orchestrations } from '#lib/durable';
import { Callers, EntraTokens, type Gate, RateLimits } from '#lib/http';
import { createCredential, storageAccess, type TokenCredential } from '#lib/identity';
import { createPubSub } from '#lib/pubsub';
import { ACCOUNT, ContentClaims, Heartbeats, openTable, Revocations, SessionSlots } from '#lib/records';
import { ConversionPlaces, conversionsAtATime, type SelfHostedParts, selfHosted } from '#lib/rendering';
import { Blobs } from '#lib/storage';
import { AccountKeys, createStsIssuer, fileSigner, MixedRealityStsClient } from '#lib/sts';
import type { LiveParts } from './client-tokens.ts';
import { openRecords } from './live-events-records.ts';
import type { NewConnectionParts } from './new-connections.ts';
import type { PipelineParts } from './parts.ts';
import type { ReaperParts } from './reaper.ts';
import type { StsParts } from './sts-tokens.ts';

/** What lives as long as the app. */
export interface Foundation
  extends Omit<SelfHostedParts, 'orchestrations'>,
    Omit<PipelineParts, 'orchestrations' | 'rendering'>,
    LiveParts,
    NewConnectionParts,
    Gate {
  readonly sts: StsParts;
  readonly revocations: Revocations;
}

/** What an invocation works with that has a durable client. */
export interface Services extends Foundation, PipelineParts, SelfHostedParts, ReaperParts {}

/** Builds everything that lives as long as the app, once: credential, clients of storage and of the machines, callers, tokens. */
export async function buildFoundation(config: Config): Promise<Foundation> {
  const now = () => new Date();
  const credential = createCredential(config);
  const storage = storageAccess(config, credential);
  const table = openTable(storage);
  const blobs = new Blobs(storage, now);
  const revocations = new Revocations(table, now);
  const sts = stsOf(config, credential, revocations, now);
  const pubsub = createPubSub(config, credential, now);
  await Promise.all([table.createTable(), blobs.prepare([config.MODELS_CONTAINER, config.ASSETS_CONTAINER])]);
  return {
    config,
    now,
    newSecret: () => randomBytes(32).toString('base64url'),
    blobs,
    ...openRecords(table, config, now, pubsub?.events, revocations),
    heartbeats: new Heartbeats(table, ACCOUNT),
    slots: new SessionSlots(table, config.MAX_SESSIONS),
    claims: new ContentClaims(table),
    revocations,
    sts,
    pubsub,
    callers: callersOf(config, sts, revocations, now),
    limits: new RateLimits(config.TOKEN_REQUESTS_PER_MINUTE, now),
    places: new ConversionPlaces(conversionsAtATime(config)),
    machines: createLocalProcessProvider({
      deployment: config.DEPLOYMENT_NAME,
      directory: resolve(config.LOCAL_MACHINES_DIRECTORY),
      program: resolve(config.SESSION_HOST_PROGRAM),
      capacity: config.LOCAL_MACHINE_CAPACITY,
      ...(config.NODE_EXTRA_CA_CERTS !== undefined && { caCertificates: config.NODE_EXTRA_CA_CERTS }),
      now,
    }),
  };
}

/** An invocation's services, out of the orchestrations that its durable client reaches. */
export function servicesOn(foundation: Foundation, orchestrations: Orchestrations): Services {
  const parts = { ...foundation, orchestrations };
  return { ...parts, rendering: selfHosted(parts) };
}

function stsOf(config: Config, credential: TokenCredential, revocations: Revocations, now: () => Date): StsParts {
  const { STS_ACCOUNT_ID: accountId, accountDomain, STS_TOKEN_LIFETIME_SECONDS: lifetimeSeconds } = config;
  const signer = fileSigner({
    path: resolve(config.STS_KEYS_FILE),
    now,
    lifetimeSeconds,
    keyDays: config.STS_KEY_DAYS,
    isRevoked: (kid) => revocations.isRevoked(kid),
  });
  const region = config.STS_ACCOUNT_REGION;
  const issuer = createStsIssuer({ accountId, accountDomain, region, lifetimeSeconds, signer, now, newId: randomUUID });
  const keys = new AccountKeys(config.STS_ACCOUNT_KEY_HASHES);
  const isRevoked = (subject: string) => revocations.isRevoked(subject);
  return { accountId, accountDomain, signer, issuer, keys, isRevoked, ...externalOf(config, credential) };
}

function externalOf(config: Config, credential: TokenCredential): Pick<StsParts, 'external'> {
  const {
    MIXEDREALITY_ACCOUNT_DOMAIN: accountDomain,
    MIXEDREALITY_ACCOUNT_ID: accountId,
    MIXEDREALITY_ACCOUNT_KEY: key,
    MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL: authenticationEndpointUrl,
  } = config;
  if (accountDomain === undefined || accountId === undefined) return {};
  const client = new MixedRealityStsClient(accountId, accountDomain, key === undefined ? credential : { key }, {
    ...(authenticationEndpointUrl !== undefined && { authenticationEndpointUrl }),
  });
  return { external: { client, accountId, accountDomain } };
}

function callersOf(config: Config, { issuer }: StsParts, revocations: Revocations, now: () => Date): Callers {
  const { AZURE_AUTHORITY_HOST: authority, ENTRA_TENANT_IDS: tenantIds, ENTRA_AUDIENCES: audiences } = config;
  return new Callers({
    entra: new EntraTokens({ authority, tenantIds, audiences, now }),
    platformTenantIds: config.PLATFORM_AUTHENTICATION === 'on' ? tenantIds : undefined,
    verifySts: async (token) => {
      const { subject, role, tenantId, kid } = await issuer.verify(token);
      return { subject, roles: [role], tenantId, kid };
    },
    isRevoked: (...targets) => revocations.isRevoked(...targets),
  });
}
