import { z } from 'zod';
import { conversionProgress } from '#lib/api';
import { desired, ending } from './reason.ts';
import { instant, type RecordDefinition, recordBase } from './record.ts';

/** Where a conversion reads and writes: contract 2.1 without the SAS. */
export const conversionLocations = z.object({
  input: z.object({ container: z.string(), blobPrefix: z.string(), relativeInputAssetPath: z.string() }),
  output: z.object({ container: z.string(), blobPrefix: z.string(), outputAssetFilename: z.string() }),
});

const counts = z.object({
  bytes: z.int().nonnegative(),
  triangles: z.int().nonnegative(),
  vertices: z.int().nonnegative(),
  materials: z.int().nonnegative(),
  meshes: z.int().nonnegative(),
});

export const conversionWarning = z.object({
  code: z.string(),
  title: z.string(),
  details: z.record(z.string(), z.string()),
});

export const conversionResult = z.object({
  contentKey: z.string(),
  /** True where the converter did not run: the same content had been converted before. */
  cached: z.boolean(),
  input: counts.extend({ files: z.int().positive() }),
  output: counts,
  warnings: z.array(conversionWarning),
  /** The blobs in the output container, in the order of their writing. */
  outputs: z.array(z.object({ name: z.string(), bytes: z.int().nonnegative() })),
});
export type ConversionResult = z.output<typeof conversionResult>;

export const conversionFailure = z.object({
  reason: z.enum(['missing_files', 'input_refused', 'limit', 'conversion_failed', 'internal_error']),
  message: z.string(),
  warnings: z.array(conversionWarning),
});
export type ConversionFailure = z.output<typeof conversionFailure>;

const settings = z.record(z.string(), z.json());

const common = recordBase.extend({
  locations: conversionLocations,
  /** As they were given with the order; without them a settings file beside the model counts. */
  settings: settings.optional(),
  startedAt: instant.optional(),
  /** How often the converter was started for it; more than once only where its host died. */
  attempts: z.int().nonnegative(),
  /** How often something else than the model kept it from its end, as a storage that refuses. */
  faults: z.int().nonnegative().default(0),
  contentKey: z.string().optional(),
  /** What that settings file says, where the content was made with one. */
  settingsOfFile: settings.optional(),
  /** How far it was when it was last looked at. */
  progress: conversionProgress.optional(),
  desired: desired.optional(),
});

const schema = z.discriminatedUnion('state', [
  common.extend({ state: z.enum(['not_started', 'running']) }),
  common.extend({ state: z.literal('succeeded'), endedAt: instant, result: conversionResult }),
  common.extend({ state: z.literal('failed'), endedAt: instant, failure: conversionFailure }),
  common.extend({ state: z.literal('cancelled'), endedAt: instant, ending }),
]);

export type ConversionRecord = z.output<typeof schema>;

export const conversionDefinition: RecordDefinition<ConversionRecord> = {
  kind: 'conversion',
  schema,
  rank: { not_started: 1, running: 2, succeeded: 3, failed: 3, cancelled: 3 },
  isTerminal: ({ state }) => state === 'succeeded' || state === 'failed' || state === 'cancelled',
};
