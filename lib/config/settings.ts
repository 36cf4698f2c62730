import { z } from 'zod';

const text = z.string().trim().min(1);
const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(min).max(max));

/**
 * Every setting of the app by its name in the environment, with its default and the line that the README's table shows.
 * Units are in the names: seconds, bytes.
 */
export const settings = z.object({
  AzureWebJobsStorage: text.describe(
    'Connection string of the storage account: blobs (models, assets) and tables (records).',
  ),
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
  CONVERSION_MAX_MEMORY_BYTES: whole(2 ** 26, 2 ** 40)
    .default(2 ** 32)
    .describe('Resident memory at which a conversion is ended, in bytes.'),
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
  LOCAL_MACHINE_CAPACITY: whole(0, 1000)
    .default(64)
    .describe('Machines that `local-process` grants at once; one more is refused.'),
});
