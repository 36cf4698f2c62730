import { z } from 'zod';

const text = z.string().trim().min(1);
const list = z
  .string()
  .transform((given) => given.split(',').map((part) => part.trim()))
  .pipe(z.array(z.string().min(1, 'must be values with commas between them')));
const httpsUrl = z.url({ protocol: /^https$/ }).transform((url) => url.replace(/\/$/, ''));
const origin = z
  .string()
  .refine((text) => URL.parse(text)?.origin === text, 'must be origins, as https://app.example, without a slash');
/** As `httpsUrl`; a loopback address may do without TLS, since nothing leaves the machine. */
const stsUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(url), 'must be https')
  .transform((url) => url.replace(/\/$/, ''));
/** Scheme, host and port alone. */
const httpsOrigin = z
  .url({ protocol: /^https$/ })
  .refine((url) => URL.parse(url)?.href === `${URL.parse(url)?.origin}/`, 'must have no user, path, query or fragment')
  .transform((url) => new URL(url).origin);
const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(min).max(max));

/**
 * Every setting of the app by its name in the environment, with its default and the line that the README's table shows.
 * Units are in the names: seconds, bytes.
 */
export const settings = z.object({
  AzureWebJobsStorage: text
    .optional()
    .describe('Connection string of the storage account, where no identity can do: blobs and tables.'),
  AzureWebJobsStorage__blobServiceUri: httpsUrl
    .optional()
    .describe('Blob endpoint of the storage account, which is opened with the identity: models and assets.'),
  AzureWebJobsStorage__tableServiceUri: httpsUrl.optional().describe('Table endpoint of the same account: records.'),
  AZURE_CLIENT_ID: text
    .optional()
    .describe('Client id of a user-assigned identity, or of an application; without it the system-assigned identity.'),
  AZURE_TENANT_ID: text.optional().describe('Tenant of an application that stands in for a managed identity.'),
  AZURE_CLIENT_SECRET: text
    .optional()
    .describe('Secret of that application, for those who must: a managed identity needs none.'),
  AZURE_AUTHORITY_HOST: httpsUrl
    .default('https://login.microsoftonline.com')
    .describe('Microsoft Entra: whose tokens callers bring, and where an application signs in.'),
  ENTRA_TENANT_IDS: list
    .pipe(z.array(z.guid('must be tenant ids').toLowerCase()))
    .describe('Tenants whose callers are let in.'),
  ENTRA_AUDIENCES: list.describe("Audiences that a caller's access token may have: this app's URI and client id."),
  PLATFORM_AUTHENTICATION: z
    .enum(['on', 'off'])
    .default('off')
    .describe('`on` where App Service authentication is in front of every request: then its headers are believed.'),
  CORS_ALLOWED_ORIGINS: list
    .pipe(z.array(origin))
    .default([])
    .describe('Origins whose pages may call the routes, as `https://app.example`.'),
  TOKEN_REQUESTS_PER_MINUTE: whole(1, 1_000_000_000)
    .default(60)
    .describe('Tokens that one caller may ask one instance for in a minute; then 429.'),
  DEFAULT_READERS: z
    .enum(['clients', 'owner'])
    .default('clients')
    .describe('Who reads a pipeline that names no readers: every Client, or its owner and Administrators alone.'),
  UPLOAD_URL_SECONDS: whole(10, 86_400).default(900).describe('How long the URLs of an upload may be written to.'),
  ASSET_URL_SECONDS: whole(10, 86_400).default(300).describe('How long the URL of a converted asset may be read.'),
  STS_ACCOUNT_ID: z.guid('must be a GUID').describe('The account that this suite issues Mixed Reality tokens for.'),
  STS_ACCOUNT_DOMAIN: text
    .optional()
    .describe("The account's domain, in the tokens' issuer and audience. Default: WEBSITE_HOSTNAME."),
  STS_ACCOUNT_REGION: text.default('local').describe("The account's region, as `westeurope`."),
  STS_ACCOUNT_KEY_HASHES: list
    .pipe(
      z.array(
        z
          .string()
          .regex(/^[0-9a-f]{64}$/i, 'must be SHA-256 hashes in hex')
          .toLowerCase(),
      ),
    )
    .default([])
    .describe("SHA-256, in hex, of the account's keys; without them there is no way in by key."),
  STS_TOKEN_LIFETIME_SECONDS: whole(60, 86_400).default(86_400).describe('How long a Mixed Reality token lasts.'),
  STS_KEYS_FILE: text
    .default('.local/sts-keys.json')
    .describe('The keys that Mixed Reality tokens are signed with, readable by their owner alone.'),
  STS_KEY_DAYS: whole(1, 3650).default(90).describe('Days after which a signing key is followed by a new one.'),
  MIXEDREALITY_ACCOUNT_DOMAIN: text
    .optional()
    .describe('Domain of an account elsewhere, whose STS gives the tokens then; reached with the identity.'),
  MIXEDREALITY_ACCOUNT_ID: z.guid('must be a GUID').optional().describe('Id of that account.'),
  MIXEDREALITY_ACCOUNT_KEY: text
    .optional()
    .describe("Key of that account. Its tokens are an Administrator's, so that no caller is given one; warned about."),
  MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL: stsUrl
    .optional()
    .describe('Where its STS answers. Default: https://sts. and the domain.'),
  WEB_PUBSUB_CONNECTION_STRING: text
    .optional()
    .describe(
      'Web PubSub, for live events: `Endpoint=…;AuthType=aad;…`, or with an access key, which is warned about.',
    ),
  WEB_PUBSUB_ENDPOINT: httpsOrigin
    .optional()
    .describe('The same where it is reached with the identity; it goes before the connection string.'),
  WEB_PUBSUB_HUB: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/, 'must be the name of a hub')
    .default('rendering')
    .describe('The hub of Web PubSub that live events go through.'),
  CLIENT_TOKEN_MAX_MINUTES: whole(1, 1440).default(60).describe('How long a Web PubSub client token may be good for.'),
  EVENT_BACKLOG: whole(1, 100_000)
    .default(1000)
    .describe('Events of one record that wait for Web PubSub to be back; of more, its clients hear the last state.'),
  DEPLOYMENT_NAME: text
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('local')
    .describe('Tag on every machine of this deployment; machines without it are never touched.'),
  MODELS_CONTAINER: text.default('models').describe('Blob container that models are uploaded to, as `folder/file`.'),
  ASSETS_CONTAINER: text.default('assets').describe('Blob container that converted assets are written to.'),
  UPLOAD_POLICY: z
    .enum(['convert-and-start', 'convert'])
    .default('convert')
    .describe('What an uploaded model starts: a conversion and a session, or the conversion alone.'),
  MAX_SESSIONS: whole(1, 1000).default(8).describe('Sessions at once; one more fails with reason `capacity`.'),
  SESSION_SIZE: z
    .enum(['Standard', 'Premium'])
    .default('Standard')
    .describe('Machine size of a session that names none.'),
  LEASE_SECONDS: whole(1, 86_400).default(600).describe('Lease of a session that names none, in seconds from Ready.'),
  MAX_LEASE_SECONDS: whole(1, 86_400)
    .default(28_800)
    .describe('Hard cap of every lease with all its renewals, in seconds from Ready.'),
  SESSION_START_TIMEOUT_SECONDS: whole(1, 7200).default(600).describe('How long a session may take to become Ready.'),
  HEARTBEAT_SILENCE_SECONDS: whole(5, 3600)
    .default(60)
    .describe('A session host that is silent for so long is lost; one that gets no answer for so long ends itself.'),
  WAIT_FOR_FILES_SECONDS: whole(0, 3600)
    .default(300)
    .describe('How long a pipeline waits for files that its model refers to.'),
  CONVERSION_MAX_INPUT_BYTES: whole(1, 2 ** 40)
    .default(2 ** 32)
    .describe("Largest sum of a model's files, in bytes."),
  CONVERSION_MAX_INPUT_FILES: whole(1, 1_000_000)
    .default(10_000)
    .describe('Most files of a model, itself and what it refers to.'),
  CONVERSION_MAX_NODES: whole(1, 100_000_000).default(1_000_000).describe('Most nodes of a model.'),
  CONVERSION_MAX_VERTICES: whole(1, 2 ** 32)
    .default(100_000_000)
    .describe('Most vertices of all its mesh parts together; points are vertices.'),
  CONVERSION_MAX_TEXTURE_PIXELS: whole(1, 2 ** 30)
    .default(2 ** 28)
    .describe('Most pixels of one texture: as many as 16,384 x 16,384.'),
  CONVERSION_MAX_UNPACKED_BYTES: whole(1, 2 ** 40)
    .default(2 ** 32)
    .describe('Most bytes that are unpacked from a model: geometry, archives.'),
  CONVERSION_MAX_MEMORY_BYTES: whole(2 ** 26, 2 ** 40)
    .default(2 ** 32)
    .describe(
      "Resident memory at which a conversion is ended, in bytes, at most three quarters of the computer's; so many run at a time as have it.",
    ),
  CONVERSION_TIMEOUT_SECONDS: whole(1, 86_400).default(1800).describe('Running time at which a conversion is ended.'),
  CONTROL_PLANE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base URL at which session hosts reach this app. Default: https:// and WEBSITE_HOSTNAME.'),
  WEBSITE_HOSTNAME: text.default('localhost:7071').describe('Host name of this app; the Functions host sets it.'),
  SESSION_HOST_PROGRAM: text
    .default('dist/session-host/main.mjs')
    .describe('The program that `local-process` runs as a machine.'),
  LOCAL_MACHINES_DIRECTORY: text
    .default('.local/machines')
    .describe('Where `local-process` keeps what it knows of its machines.'),
  NODE_EXTRA_CA_CERTS: text
    .optional()
    .describe('PEM file of further certificate authorities: Node reads it at its start, machines get it too.'),
  LOCAL_MACHINE_CAPACITY: whole(0, 1000)
    .default(64)
    .describe('Machines that `local-process` grants at once; one more is refused.'),
});
