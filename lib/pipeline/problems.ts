import type { Explain, Problem } from '#lib/http';
import { PubSubError, type PubSubErrorCode } from '#lib/pubsub';
import { RecordsError } from '#lib/records';
import { RenderingError, type RenderingErrorCode } from '#lib/rendering';
import { StsError } from '#lib/sts';
import { PipelineError, type PipelineErrorCode } from './pipeline-error.ts';

type Kind = Pick<Problem, 'status' | 'type' | 'title'>;

const PIPELINE_PROBLEMS: Readonly<Record<PipelineErrorCode, Kind>> = {
  invalid: { status: 400, type: 'invalid-request', title: 'The request is not valid' },
  not_found: { status: 404, type: 'not-found', title: 'There is no such thing' },
  forbidden: { status: 403, type: 'forbidden', title: 'The caller may not do this' },
  conflict: { status: 409, type: 'conflict', title: 'The id is taken' },
  own_access: { status: 409, type: 'own-access', title: 'Nobody revokes themselves' },
  no_asset: { status: 404, type: 'no-asset', title: 'There is no asset' },
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

type PubSubProblem = Kind & { readonly doWhat: string };
const AGAIN = 'Try again later.';
const MEND = "The operator must see to it: the suite's log has the cause.";

/** Undefined for what no request can mend and no other service caused. */
const PUBSUB_PROBLEMS: Readonly<Record<PubSubErrorCode, PubSubProblem | undefined>> = {
  connection_string: undefined,
  invalid: { status: 400, type: 'invalid-request', title: 'The request is not valid', doWhat: '' },
  identity_unavailable: {
    status: 503,
    type: 'identity-unavailable',
    title: "The suite's identity is not to be had at the moment",
    doWhat: AGAIN,
  },
  throttled: { status: 503, type: 'web-pubsub-unavailable', title: 'Web PubSub is asked too often', doWhat: AGAIN },
  unreachable: { status: 503, type: 'web-pubsub-unavailable', title: 'Web PubSub does not answer', doWhat: AGAIN },
  timeout: { status: 504, type: 'web-pubsub-timeout', title: 'Web PubSub did not answer in time', doWhat: AGAIN },
  permission: {
    status: 502,
    type: 'web-pubsub-permission',
    title: "The suite's identity lacks a permission on Web PubSub",
    doWhat: MEND,
  },
  refused: { status: 502, type: 'web-pubsub-refused', title: 'Web PubSub refused the suite', doWhat: MEND },
  bad_answer: {
    status: 502,
    type: 'web-pubsub-bad-answer',
    title: 'Web PubSub gave what must not be passed on',
    doWhat: MEND,
  },
};

/** The problem that an error of pipelines or rendering is to its caller. */
export const explain: Explain = (error) => {
  if (error instanceof PipelineError) {
    return { ...PIPELINE_PROBLEMS[error.code], detail: error.message, field: error.field };
  }
  if (error instanceof RenderingError) {
    const challenge = error.code === 'unauthenticated' && { headers: { 'WWW-Authenticate': 'Bearer' } };
    return { ...RENDERING_PROBLEMS[error.code], detail: error.message, ...challenge };
  }
  if (error instanceof StsError) return problemOfSts(error);
  if (error instanceof PubSubError) return problemOfPubSub(error);
  if (error instanceof RecordsError && error.code === 'unavailable') {
    const headers = { 'Retry-After': '5' };
    return {
      status: 503,
      type: 'storage-unavailable',
      title: 'Storage does not answer',
      detail: error.message,
      headers,
    };
  }
  return undefined;
};

/** An STS elsewhere that fails is no mistake of the caller's. What may pass is 503, what somebody must mend is 502; the log has the rest. */
function problemOfSts({ code, retryAfterSeconds, correlationVector }: StsError): Problem | undefined {
  const asked =
    correlationVector === undefined ? '' : ` It was asked under the correlation vector ${correlationVector}.`;
  switch (code) {
    case 'throttled':
    case 'unavailable':
    case 'credential':
      return {
        status: 503,
        type: 'sts-unavailable',
        title: 'The STS gives no token at the moment',
        detail: `Try again later.${asked}`,
        headers: { 'Retry-After': String(Math.ceil(retryAfterSeconds ?? 5)) },
      };
    case 'unauthorized':
    case 'forbidden':
    case 'bad_request':
    case 'bad_answer':
      return {
        status: 502,
        type: 'sts-refused',
        title: 'The STS gave the suite no token',
        detail: `The suite's identity needs the role Client at that account: its operator must see to it.${asked}`,
      };
    default:
      return undefined;
  }
}

/** As contract 9 has it: what may pass is 503 or 504, what somebody must mend is 502. The service's own words stay in the log. */
function problemOfPubSub({ code, message, dataAction, retryAfterSeconds = 5 }: PubSubError): Problem | undefined {
  const problem = PUBSUB_PROBLEMS[code];
  if (problem === undefined) return undefined;
  const { doWhat, ...kind } = problem;
  const lacking = dataAction === undefined ? '' : `It lacks ${dataAction}. `;
  return {
    ...kind,
    detail: kind.status === 400 ? message : `${lacking}${doWhat}`,
    ...(kind.status === 503 && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
  };
}
