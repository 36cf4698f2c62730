import { z } from 'zod';
import { conversionProgress } from './conversion-progress.ts';
import { instant, readers } from './values.ts';

/** Contract 1.3: letters, digits, `-` and `_`; a conversion, a session and a machine take the id too. */
export const pipelineId = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must have 1 to 128 letters, digits, - and _');

const sessionSize = z.enum(['Standard', 'Premium']);

/** A blob name has 1,024 characters at most, and a model lies in a folder. */
const modelPath = z
  .string()
  .max(1024)
  .refine((path) => path.isWellFormed(), 'must be well-formed Unicode')
  .regex(/^[^/\\\p{Cc}]+(\/[^/\\\p{Cc}]+)+$/u, "must be 'folder/file', the model's path in the container of models")
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'must not hold . or ..')
  .meta({ description: "The model's path in the container of models, as folder/file." });

/** The body of `POST /api/pipelines` and `PUT /api/pipelines/{id}`. */
export const pipelineBody = z
  .strictObject({
    model: modelPath,
    settings: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({
        description:
          'Conversion settings under the names of Azure Remote Rendering; see ConversionSettings. Given, they replace the settings file ' +
          'beside the model.',
      }),
    session: z
      .strictObject({
        size: sessionSize.optional(),
        maxLeaseSeconds: z.int().positive().optional().meta({ description: 'Total lease in seconds from Ready.' }),
      })
      .nullable()
      .optional()
      .meta({ description: 'Null converts only; left out, the setting UPLOAD_POLICY decides.' }),
    readers: readers.optional(),
  })
  .meta({ id: 'PipelineRequest' });
export type PipelineBody = z.output<typeof pipelineBody>;

export const pipelineState = z.enum([
  'waiting',
  'converting',
  'starting',
  'ready',
  'stopping',
  'stopped',
  'converted',
  'failed',
]);

export const pipelinesQuery = z.object({
  state: pipelineState.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const counts = {
  bytes: z.int(),
  triangles: z.int(),
  vertices: z.int(),
  materials: z.int(),
  meshes: z.int(),
};

const conversionAnswer = z.object({
  id: z.string(),
  contentKey: z.string(),
  cached: z.boolean().meta({ description: 'True where the same content had been converted before.' }),
  input: z.object({ ...counts, files: z.int() }),
  output: z.object(counts),
  warnings: z.array(z.object({ code: z.string(), title: z.string(), details: z.record(z.string(), z.string()) })),
  outputs: z.array(z.object({ name: z.string(), bytes: z.int() })),
});

/** A pipeline as clients read it; null where a step was not reached. */
export const pipelineAnswer = z
  .object({
    id: z.string(),
    state: pipelineState,
    reason: z.string().nullable(),
    evidence: z.string().nullable(),
    stopAsked: z.boolean(),
    model: z.string(),
    settings: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'As they were given; null: none were.' }),
    requestedSession: z.object({ size: sessionSize, maxLeaseSeconds: z.int() }).nullable(),
    createdAt: instant,
    updatedAt: instant,
    owner: z.string(),
    readers: z.array(z.string()),
    missingFiles: z.array(z.string()),
    warnings: conversionAnswer.shape.warnings,
    progress: conversionProgress.nullable().meta({ description: 'How far the conversion is, while it runs.' }),
    conversion: conversionAnswer.nullable(),
    session: z
      .object({
        id: z.string(),
        size: z.string(),
        hostname: z.string(),
        ports: z.object({ inspector: z.int() }),
        readyAt: instant,
      })
      .nullable(),
    machine: z.object({ startedAt: instant, stoppedAt: instant.optional() }).nullable(),
  })
  .meta({ id: 'Pipeline' });
export type PipelineAnswer = z.output<typeof pipelineAnswer>;

const history = z.array(
  z.object({
    sequence: z.int(),
    at: instant,
    type: z.string(),
    state: z.string(),
    reason: z.string().nullable(),
    evidence: z.string().nullable(),
    progress: conversionProgress.optional(),
  }),
);
export type HistoryEntry = z.output<typeof history>[number];

/** A pipeline with what happened to it, its conversion and its session, each oldest first. */
export const pipelineWithHistory = pipelineAnswer
  .extend({ history, conversionHistory: history, sessionHistory: history })
  .meta({ id: 'PipelineWithHistory' });
export type PipelineWithHistory = z.output<typeof pipelineWithHistory>;

export const pipelineList = z.object({ pipelines: z.array(pipelineAnswer) });

/** The body of a renewal: the new total, in seconds from Ready. */
export const renewal = z.strictObject({ maxLeaseSeconds: z.int().positive() });

/** The lease of a pipeline's session; times are null before its clock runs. */
export const leaseAnswer = z
  .object({
    maxLeaseSeconds: z.int(),
    hardCapSeconds: z.int(),
    startedAt: instant.nullable(),
    expiresAt: instant.nullable(),
    hardCapAt: instant.nullable(),
    remainingSeconds: z.number().nullable(),
  })
  .meta({ id: 'Lease' });
export type LeaseAnswer = z.output<typeof leaseAnswer>;

export const readersBody = z.strictObject({ readers });

/** Which of a conversion's outputs is asked for. */
export const assetQuery = z.object({ file: z.enum(['asset', 'info', 'result']).default('asset') });

/** Where one output of a conversion can be read, and until when. */
export const assetAnswer = z
  .object({ name: z.string(), bytes: z.int(), url: z.url(), expiresOn: instant })
  .meta({ id: 'Asset' });
export type AssetAnswer = z.output<typeof assetAnswer>;
