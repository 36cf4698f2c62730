import { z } from 'zod';
import { accessTokenAnswer, clientTokenAnswer, clientTokenBody, clientTokenQuery } from './client-tokens.ts';
import { heartbeatAnswer, heartbeatBody } from './heartbeats.ts';
import {
  assetAnswer,
  assetQuery,
  leaseAnswer,
  pipelineAnswer,
  pipelineBody,
  pipelineId,
  pipelineList,
  pipelinesQuery,
  pipelineWithHistory,
  readersBody,
  renewal,
} from './pipelines.ts';
import { type AppRole, EVENT_SOURCE, ROLES } from './roles.ts';
import {
  accountTokenAnswer,
  jwks,
  revocationAnswer,
  revocationList,
  revocationTarget,
  stsTokenAnswer,
  stsTokenBody,
} from './tokens.ts';
import { uploadAnswer, uploadBody } from './uploads.ts';
import { connectedBody, connectedEvent } from './web-pubsub-events.ts';

/**
 * Who may call a route. `roles`: a caller with one of them; a record's owner and readers narrow that further. `machine`: the session host
 * with its own secret. `account`: a key of the account, or an access token of Microsoft Entra with a role.
 */
export type Access =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'roles'; readonly roles: readonly AppRole[] }
  | { readonly kind: 'machine' }
  | { readonly kind: 'account' };

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root, with `{parameters}`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** Counts against the token requests of the minute of a caller with a role. */
  readonly limited?: true;
  readonly parameters?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly headers?: z.ZodObject }>
  >;
  /** Statuses of problems beside those that follow from the rest: 401, 403, 500 and 503 with a caller, 413 with a body. */
  readonly problems?: readonly number[];
}

const anyone = { kind: 'anyone' } as const;
const administrators = { kind: 'roles', roles: [ROLES.administrator] } as const;
const everyRole = { kind: 'roles', roles: [ROLES.client, ROLES.administrator] } as const;
const webPubSub = { kind: 'roles', roles: [EVENT_SOURCE] } as const;

const ofPipeline = z.object({ id: pipelineId });
const ofRevocation = z.object({ target: revocationTarget });
const health = z.object({ status: z.string(), problems: z.array(z.string()).optional() });
const ifMatch = z.object({ 'If-Match': z.string().max(64).meta({ description: "The lease's ETag as it was read." }) });
const etag = z.object({ ETag: z.string().meta({ description: 'What a renewal gives as If-Match.' }) });
const location = z.object({ Location: z.string().meta({ description: "The pipeline's path." }) });
const idempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'The same key again is the same pipeline.' }),
});

/** Every route of the app by the name of its function: who may what, what it takes and what it answers. */
export const routes = {
  'sts-tokens-post': {
    method: 'POST',
    path: '/api/tokens/sts',
    summary: 'A Mixed Reality access token for the caller, with a role of the caller.',
    access: everyRole,
    limited: true,
    body: stsTokenBody,
    answers: { 200: { description: 'The token.', schema: stsTokenAnswer } },
    problems: [400, 415, 429, 502, 503],
  },
  'client-tokens-post': {
    method: 'POST',
    path: '/api/tokens/client',
    summary: 'A Web PubSub client token for the caller, in the groups of what the caller may read.',
    access: everyRole,
    limited: true,
    body: clientTokenBody,
    answers: { 200: { description: 'The token, and where to connect with it.', schema: clientTokenAnswer } },
    problems: [400, 404, 415, 429, 502, 503, 504],
  },
  'client-tokens-get': {
    method: 'GET',
    path: '/api/v1/auth/clientToken',
    summary: 'The same token in the shape of the Web PubSub AAD design spec.',
    access: everyRole,
    limited: true,
    query: clientTokenQuery,
    answers: { 200: { description: 'The token.', schema: accessTokenAnswer } },
    problems: [400, 404, 429, 502, 503, 504],
  },
  'account-tokens-get': {
    method: 'GET',
    path: '/accounts/{accountId}/token',
    summary: 'The Mixed Reality STS, as the retired service spoke it: an account key or a Microsoft Entra token in.',
    access: { kind: 'account' },
    parameters: z.object({ accountId: z.string() }),
    answers: { 200: { description: 'The token.', schema: accountTokenAnswer } },
    problems: [404, 429],
  },
  'jwks-get': {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that Mixed Reality tokens are verified with.',
    access: anyone,
    answers: { 200: { description: 'A JSON Web Key Set.', schema: jwks } },
  },
  'uploads-post': {
    method: 'POST',
    path: '/api/uploads',
    summary: 'URLs to upload the files of one model to, into a new folder.',
    access: administrators,
    body: uploadBody,
    answers: { 201: { description: 'One URL for each file.', schema: uploadAnswer } },
    problems: [400, 415],
  },
  'pipelines-put': {
    method: 'PUT',
    path: '/api/pipelines/{id}',
    summary: 'The whole journey of a model as one resource.',
    access: administrators,
    parameters: ofPipeline,
    body: pipelineBody,
    answers: {
      200: { description: 'There already, with the same body.', schema: pipelineAnswer },
      201: { description: 'Created.', schema: pipelineAnswer, headers: location },
    },
    problems: [400, 409, 415],
  },
  'pipelines-post': {
    method: 'POST',
    path: '/api/pipelines',
    summary: 'The same under an id of ours, which Location tells.',
    access: administrators,
    headers: idempotencyKey,
    body: pipelineBody,
    answers: {
      200: { description: 'There already, from the same Idempotency-Key and body.', schema: pipelineAnswer },
      201: { description: 'Created.', schema: pipelineAnswer, headers: location },
    },
    problems: [400, 409, 415],
  },
  'pipelines-get': {
    method: 'GET',
    path: '/api/pipelines/{id}',
    summary: 'How far a pipeline is, what came of each step, and its history.',
    access: everyRole,
    parameters: ofPipeline,
    answers: { 200: { description: 'The pipeline.', schema: pipelineWithHistory } },
    problems: [404],
  },
  'pipelines-list': {
    method: 'GET',
    path: '/api/pipelines',
    summary: 'The newest pipelines first, of those that the caller may read.',
    access: everyRole,
    query: pipelinesQuery,
    answers: { 200: { description: 'The pipelines.', schema: pipelineList } },
    problems: [400],
  },
  'pipelines-delete': {
    method: 'DELETE',
    path: '/api/pipelines/{id}',
    summary: 'Asks a pipeline to stop; its record stays.',
    access: administrators,
    parameters: ofPipeline,
    answers: { 202: { description: 'It is asked to.', schema: pipelineAnswer } },
    problems: [404],
  },
  'leases-get': {
    method: 'GET',
    path: '/api/pipelines/{id}/lease',
    summary: "The lease of a pipeline's session, with its ETag.",
    access: everyRole,
    parameters: ofPipeline,
    answers: { 200: { description: 'The lease.', schema: leaseAnswer, headers: etag } },
    problems: [404],
  },
  'leases-put': {
    method: 'PUT',
    path: '/api/pipelines/{id}/lease',
    summary: "Renews a lease to a larger total; the pipeline's owner and Administrators may.",
    access: everyRole,
    parameters: ofPipeline,
    headers: ifMatch,
    body: renewal,
    answers: { 200: { description: 'The lease as it is now.', schema: leaseAnswer, headers: etag } },
    problems: [400, 404, 409, 412, 415, 422, 428],
  },
  'readers-put': {
    method: 'PUT',
    path: '/api/pipelines/{id}/readers',
    summary: 'Says who may read a pipeline, and what it led to, beside its owner and Administrators.',
    access: administrators,
    parameters: ofPipeline,
    body: readersBody,
    answers: { 200: { description: 'The pipeline.', schema: pipelineAnswer } },
    problems: [400, 404, 415],
  },
  'assets-get': {
    method: 'GET',
    path: '/api/pipelines/{id}/asset',
    summary: 'A URL that reads one output of the conversion for a short time.',
    access: everyRole,
    parameters: ofPipeline,
    query: assetQuery,
    answers: { 200: { description: 'The URL.', schema: assetAnswer } },
    problems: [400, 404],
  },
  'heartbeats-post': {
    method: 'POST',
    path: '/api/sessions/{id}/heartbeats',
    summary: "A session host says how it is, with its machine's own secret.",
    access: { kind: 'machine' },
    parameters: ofPipeline,
    body: heartbeatBody,
    answers: { 200: { description: 'How long it may run and what to show.', schema: heartbeatAnswer } },
    problems: [400, 415],
  },
  'web-pubsub-events': {
    method: 'POST',
    path: '/api/web-pubsub/events',
    summary: 'Web PubSub tells of a new connection, which is told the present states; OPTIONS is its handshake.',
    access: webPubSub,
    headers: connectedEvent,
    body: connectedBody,
    answers: { 204: { description: 'The connection was told what it may hear, as far as that was possible.' } },
    problems: [400, 415],
  },
  'revocations-list': {
    method: 'GET',
    path: '/api/revocations',
    summary: 'Who and what is revoked.',
    access: administrators,
    answers: { 200: { description: 'The revocations, newest first.', schema: revocationList } },
  },
  'revocations-put': {
    method: 'PUT',
    path: '/api/revocations/{target}',
    summary: 'Revokes a caller, or a signing key of Mixed Reality tokens: it acts within 60 s on every route.',
    access: administrators,
    parameters: ofRevocation,
    answers: {
      200: { description: 'Revoked before.', schema: revocationAnswer },
      201: { description: 'Revoked.', schema: revocationAnswer },
    },
    problems: [400, 409],
  },
  'revocations-delete': {
    method: 'DELETE',
    path: '/api/revocations/{target}',
    summary: 'Takes a revocation back.',
    access: administrators,
    parameters: ofRevocation,
    answers: { 204: { description: 'It is not revoked any more, or never was.' } },
    problems: [400],
  },
  'openapi-get': {
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description.',
    access: anyone,
    answers: { 200: { description: 'An OpenAPI 3.1 document.', schema: z.looseObject({ openapi: z.string() }) } },
  },
  'health-live-get': {
    method: 'GET',
    path: '/api/health/live',
    summary: 'The app runs.',
    access: anyone,
    answers: { 200: { description: 'It does.', schema: health } },
  },
  'health-ready-get': {
    method: 'GET',
    path: '/api/health/ready',
    summary: 'Settings, storage and Durable Functions answer.',
    access: anyone,
    answers: {
      200: { description: 'They do.', schema: health },
      503: { description: 'Some do not.', schema: health },
    },
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;
