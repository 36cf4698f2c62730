import { z } from 'zod';
import type { Config } from '#lib/config';
import { ConversionError, isModelFile, parseConversionSettings } from '#lib/conversion';
import { firstIssue } from '#lib/http';
import type { PipelineRequest } from '#lib/records';
import { PipelineError } from './pipeline-error.ts';

/** Ids of pipelines that uploads and Idempotency-Keys start: callers may not take them. */
export const RESERVED_PREFIXES = ['blob-', 'key-'] as const;

/** A blob name has 1,024 characters at most, and a model lies in a folder. */
const modelPath = z
  .string()
  .max(1024)
  .regex(/^[^/\\]+(\/[^/\\]+)+$/, "must be 'folder/file', the model's path in the container of models")
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'must not hold . or ..')
  .refine(isModelFile, 'must be a model of a format that is converted: .glb or .gltf');

const pipelineBody = z.strictObject({
  model: modelPath,
  settings: z.unknown().optional(),
  session: z
    .strictObject({
      size: z.enum(['Standard', 'Premium']).optional(),
      maxLeaseSeconds: z.int().positive().optional(),
    })
    .nullable()
    .optional(),
});

/**
 * What a body of `POST /api/pipelines` or `PUT /api/pipelines/{id}` asks for, with the defaults of the settings filled in.
 * @throws PipelineError `invalid`, naming the field
 */
export function parsePipelineRequest(body: unknown, config: Config): PipelineRequest {
  const parsed = pipelineBody.safeParse(body);
  if (!parsed.success) {
    const { field = 'body', message } = firstIssue(parsed.error);
    throw new PipelineError('invalid', message, field);
  }
  const { model, settings, session } = parsed.data;
  const wanted = session === undefined && config.UPLOAD_POLICY === 'convert' ? null : session;
  const maxLeaseSeconds = wanted?.maxLeaseSeconds ?? Math.min(config.LEASE_SECONDS, config.MAX_LEASE_SECONDS);
  if (maxLeaseSeconds > config.MAX_LEASE_SECONDS) {
    throw new PipelineError(
      'invalid',
      `may be ${config.MAX_LEASE_SECONDS} at most (MAX_LEASE_SECONDS); ${maxLeaseSeconds} is more`,
      'session.maxLeaseSeconds',
    );
  }
  const slash = model.indexOf('/');
  return {
    model: { folder: model.slice(0, slash), file: model.slice(slash + 1) },
    settings: parseSettings(settings ?? {}),
    session: wanted === null ? null : { size: wanted?.size ?? config.SESSION_SIZE, maxLeaseSeconds },
  };
}

function parseSettings(settings: unknown): PipelineRequest['settings'] {
  try {
    return parseConversionSettings(settings);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const setting = error.cause instanceof z.ZodError ? firstIssue(error.cause).field : undefined;
    const field = setting === undefined ? 'settings' : `settings.${setting}`;
    throw new PipelineError('invalid', error.message, field, { cause: error });
  }
}

/** Contract 1.3: letters, digits, `-` and `_`; a session and a conversion take the id too, and a machine its name. */
export function checkPipelineId(id: string): void {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) {
    throw new PipelineError('invalid', 'must have 1 to 128 letters, digits, - and _', 'id');
  }
  if (RESERVED_PREFIXES.some((prefix) => id.startsWith(prefix))) {
    throw new PipelineError(
      'invalid',
      `must not start with ${RESERVED_PREFIXES.join(' or ')}: those ids are given by the suite`,
      'id',
    );
  }
}
