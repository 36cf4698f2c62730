import type { Explain, Problem } from '#lib/http';
import { RenderingError, type RenderingErrorCode } from '#lib/rendering';
import { PipelineError, type PipelineErrorCode } from './pipeline-error.ts';

type Kind = Pick<Problem, 'status' | 'type' | 'title'>;

const PIPELINE_PROBLEMS: Readonly<Record<PipelineErrorCode, Kind>> = {
  invalid: { status: 400, type: 'invalid-request', title: 'The request is not valid' },
  not_found: { status: 404, type: 'not-found', title: 'There is no such thing' },
  conflict: { status: 409, type: 'conflict', title: 'The id is taken' },
  no_lease: { status: 404, type: 'no-lease', title: 'There is no lease' },
};

const RENDERING_PROBLEMS: Readonly<Record<RenderingErrorCode, Kind>> = {
  not_found: { status: 404, type: 'not-found', title: 'There is no such thing' },
  conflict: { status: 409, type: 'conflict', title: 'The id is taken' },
  stale: { status: 412, type: 'stale', title: 'The lease has changed' },
  closing: { status: 409, type: 'lease-closing', title: 'The lease is closing' },
  lease_not_larger: { status: 422, type: 'lease-not-larger', title: 'The lease is not larger' },
  lease_over_cap: { status: 422, type: 'lease-over-cap', title: 'The lease is over the cap' },
  unauthenticated: { status: 401, type: 'unauthenticated', title: 'The caller is not known' },
};

/** The problem that an error of pipelines or rendering is to its caller. */
export const explain: Explain = (error) => {
  if (error instanceof PipelineError) {
    return { ...PIPELINE_PROBLEMS[error.code], detail: error.message, field: error.field };
  }
  if (error instanceof RenderingError) return { ...RENDERING_PROBLEMS[error.code], detail: error.message };
  return undefined;
};
