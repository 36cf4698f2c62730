import { z } from 'zod';
import type { PipelineBody } from '#lib/api';
import type { Config } from '#lib/config';
import { ConversionError, conversionSettings, isModelFile, parseConversionSettings } from '#lib/conversion';
import { firstIssue } from '#lib/http';
import type { PipelineRequest } from '#lib/records';
import { PipelineError } from './pipeline-error.ts';

/** Ids of pipelines that uploads and Idempotency-Keys start: callers may not take them. */
export const RESERVED_PREFIXES = ['blob-', 'key-'] as const;

/** They are kept in records, which are small documents. */
const MAX_SETTINGS_CHARACTERS = 8192;

/**
 * What a pipeline is asked for, with the defaults of the settings filled in.
 * @throws PipelineError `invalid`, naming the field
 */
export function pipelineRequestOf(
  { model, settings, session, readers }: PipelineBody,
  config: Config,
): PipelineRequest {
  if (!isModelFile(model)) {
    throw new PipelineError('invalid', 'must be a model of a format that is converted, as .glb, .fbx or .obj', 'model');
  }
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
    // Without any, a settings file beside the model counts: nobody gave settings is not the same as somebody gave none of them.
    ...(settings !== undefined && { settings: parseSettings(settings) }),
    session: wanted === null ? null : { size: wanted?.size ?? config.SESSION_SIZE, maxLeaseSeconds },
    ...(readers !== undefined && { readers }),
  };
}

/** Checks settings and keeps them as they were given: every default is the conversion's to fill in. */
function parseSettings(settings: unknown): NonNullable<PipelineRequest['settings']> {
  const { length } = JSON.stringify(settings);
  if (length > MAX_SETTINGS_CHARACTERS) {
    const detail = `may have ${MAX_SETTINGS_CHARACTERS} characters of JSON; these have ${length}`;
    throw new PipelineError('invalid', detail, 'settings');
  }
  try {
    parseConversionSettings(settings);
    return conversionSettings.pipe(z.record(z.string(), z.json())).parse(settings);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const setting = error.cause instanceof z.ZodError ? firstIssue(error.cause).field : undefined;
    const field = setting === undefined ? 'settings' : `settings.${setting}`;
    throw new PipelineError('invalid', error.message, field, { cause: error });
  }
}

/** @throws PipelineError `invalid` for an id that only the suite itself gives */
export function refuseReservedId(id: string): void {
  if (!RESERVED_PREFIXES.some((prefix) => id.startsWith(prefix))) return;
  throw new PipelineError(
    'invalid',
    `must not start with ${RESERVED_PREFIXES.join(' or ')}: those ids are given by the suite`,
    'id',
  );
}
