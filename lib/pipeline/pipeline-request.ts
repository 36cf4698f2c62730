import { z } from 'zod';
import type { PipelineBody } from '#lib/api';
import type { Config } from '#lib/config';
import { ConversionError, conversionSettings, isModelFile, parseConversionSettings } from '#lib/conversion';
import { firstIssue } from '#lib/http';
import type { PipelineRequest } from '#lib/records';
import { PipelineError } from './pipeline-error.ts';

/** Ids of pipelines that uploads and Idempotency-Keys start: callers may not take them. */
export const RESERVED_PREFIXES = ['blob-', 'key-'] as const;

/**
 * What a pipeline is asked for, with the defaults of the settings filled in.
 * @throws PipelineError `invalid`, naming the field
 */
export function pipelineRequestOf(
  { model, settings, session, readers }: PipelineBody,
  config: Config,
): PipelineRequest {
  if (!isModelFile(model)) {
    throw new PipelineError('invalid', 'must be a model of a format that is converted: .glb or .gltf', 'model');
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
    settings: parseSettings(settings ?? {}),
    session: wanted === null ? null : { size: wanted?.size ?? config.SESSION_SIZE, maxLeaseSeconds },
    ...(readers !== undefined && { readers }),
  };
}

function parseSettings(settings: unknown): PipelineRequest['settings'] {
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
