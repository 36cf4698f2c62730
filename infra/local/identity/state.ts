import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import {
  APPLICATIONS,
  type Application,
  type ManagedIdentity,
  SYSTEM_ASSIGNED,
  TENANT_ID,
  USER_ASSIGNED,
} from './directory.ts';
import { makePrivateFolder, readPrivate, writePrivate } from './private-file.ts';

/** The key that every token of the local authority is signed with. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface RegisteredApplication extends Application {
  readonly clientSecret: string;
}

/** Who the local authority knows, with what only they and it may know. */
export interface PreparedIdentity {
  readonly tenantId: string;
  readonly applications: readonly RegisteredApplication[];
  /** The first one is the system-assigned one. */
  readonly managedIdentities: readonly ManagedIdentity[];
  readonly signingKey: SigningKey;
}

const MODULUS_BITS = 2048;
const SECRET_BYTES = 32;

const privateJwk = z.looseObject({ kty: z.literal('RSA'), n: z.string(), e: z.string(), d: z.string() });
const secrets = z.record(z.string(), z.string().min(32));

/**
 * Reads what the local authority keeps in `{directory}/identity/`, for its owner alone, and makes what is missing or torn: the signing
 * key and the secrets of the applications.
 */
export async function prepareIdentity(directory: string): Promise<PreparedIdentity> {
  const folder = folderOf(directory);
  await makePrivateFolder(folder);
  return {
    tenantId: TENANT_ID,
    applications: await prepareApplications(join(folder, 'applications.json')),
    managedIdentities: [SYSTEM_ASSIGNED, ...USER_ASSIGNED],
    signingKey: (await readSigningKey(directory)) ?? (await makeSigningKey(directory)),
  };
}

/** Undefined where there is none, or none that could be used. */
export async function readSigningKey(directory: string): Promise<SigningKey | undefined> {
  const jwk = parse(privateJwk, await readPrivate(keyFile(directory)));
  if (jwk === undefined) return undefined;
  try {
    const key = signingKey(createPrivateKey({ key: jwk, format: 'jwk' }));
    return (key.privateKey.asymmetricKeyDetails?.modulusLength ?? 0) >= MODULUS_BITS ? key : undefined;
  } catch {
    return undefined;
  }
}

async function makeSigningKey(directory: string): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS });
  await writePrivate(keyFile(directory), JSON.stringify(privateKey.export({ format: 'jwk' })));
  return signingKey(privateKey);
}

/** The key's id is its thumbprint (RFC 7638), so that two keys never share one. */
function signingKey(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const { e, kty, n } = publicKey.export({ format: 'jwk' });
  const id = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
  return { id, privateKey, publicKey };
}

async function prepareApplications(path: string): Promise<readonly RegisteredApplication[]> {
  const kept = parse(secrets, await readPrivate(path)) ?? {};
  const applications = APPLICATIONS.map((application) => ({
    ...application,
    clientSecret: kept[application.name] ?? randomBytes(SECRET_BYTES).toString('base64url'),
  }));
  if (applications.some(({ name }) => kept[name] === undefined)) {
    const all = applications.map(({ name, clientSecret }) => [name, clientSecret]);
    await writePrivate(path, JSON.stringify(Object.fromEntries(all)));
  }
  return applications;
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string | undefined): z.output<Schema> | undefined {
  try {
    return schema.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

function folderOf(directory: string): string {
  return join(directory, 'identity');
}

function keyFile(directory: string): string {
  return join(folderOf(directory), 'signing-key.json');
}
