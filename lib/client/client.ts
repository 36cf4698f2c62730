import type { z } from 'zod';
import {
  type AssetAnswer,
  assetAnswer,
  type ClientTokenAnswer,
  clientTokenAnswer,
  type LeaseAnswer,
  type LiveEvent,
  leaseAnswer,
  type PipelineAnswer,
  type PipelineBody,
  type PipelineWithHistory,
  pipelineAnswer,
  pipelineList,
  pipelineWithHistory,
  type Role,
  type RouteName,
  revocationAnswer,
  revocationList,
  routes,
  type StsTokenAnswer,
  stsTokenAnswer,
  type UploadAnswer,
  uploadAnswer,
} from '#lib/api';
import { ClientError } from './client-error.ts';
import { answerOf, problemOf } from './read-answer.ts';
import { watchPipeline } from './watch.ts';

export interface ClientOptions {
  /** Base URL of the app. */
  readonly url: string;
  /** An access token of Microsoft Entra for the app; asked for each request, so that whoever gives it may renew it. */
  readonly token: () => string | Promise<string>;
  readonly fetch?: typeof fetch;
}

/** What every call takes beside its own. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A lease with the ETag that a renewal needs. */
export interface ClientLease extends LeaseAnswer {
  readonly etag: string;
}

interface Question {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * A client of the suite's own routes that needs `fetch` and nothing else.
 * Every call throws ClientError where the service refuses or does not answer.
 */
export class RemoteRenderingClient {
  readonly #url: string;
  readonly #token: ClientOptions['token'];
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: fetchWith = fetch }: ClientOptions) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
    this.#fetch = (input, init) => fetchWith(input, init);
  }

  /** A Mixed Reality access token; of a role of the caller's own, the widest where none is named. */
  async stsToken(role?: Role, options?: CallOptions): Promise<StsTokenAnswer> {
    return await this.#ask('sts-tokens-post', { body: { ...(role && { role }) } }, stsTokenAnswer, options);
  }

  /** A Web PubSub client token: for the caller's own events, and the groups of these pipelines. */
  async clientToken(
    wanted: {
      readonly minutes?: number;
      readonly pipelines?: readonly string[];
      readonly roles?: readonly string[];
    } = {},
    options?: CallOptions,
  ): Promise<ClientTokenAnswer> {
    return await this.#ask('client-tokens-post', { body: wanted }, clientTokenAnswer, options);
  }

  /** URLs for the files of one model; `uploadFile` sends each, the model last. Sizes in bytes. */
  async createUpload(
    files: readonly { readonly name: string; readonly bytes: number }[],
    options?: CallOptions,
  ): Promise<UploadAnswer> {
    return await this.#ask('uploads-post', { body: { files } }, uploadAnswer, options);
  }

  /** Sends one file of an upload, in one request. */
  async uploadFile(
    file: Pick<UploadAnswer['files'][number], 'name' | 'url'>,
    bytes: Uint8Array<ArrayBuffer> | Blob,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const response = await this.#send(file.url, {
      method: 'PUT',
      headers: { 'x-ms-blob-type': 'BlockBlob', 'Content-Type': 'application/octet-stream' },
      body: bytes,
      ...(signal && { signal }),
    });
    await response.body?.cancel();
    if (response.ok) return;
    const status = response.status;
    throw new ClientError('upload-refused', `The storage refused ${file.name}: HTTP ${status}.`, { status });
  }

  /** Asks for a pipeline under an id of the caller's own; the same request again is the same pipeline. */
  async putPipeline(id: string, body: PipelineBody, options?: CallOptions): Promise<PipelineAnswer> {
    return await this.#ask('pipelines-put', { path: { id }, body }, pipelineAnswer, options);
  }

  /** Asks for a pipeline under an id of the service's; the same `idempotencyKey` again is the same pipeline. */
  async createPipeline(
    body: PipelineBody,
    { idempotencyKey, ...options }: CallOptions & { readonly idempotencyKey?: string } = {},
  ): Promise<PipelineAnswer> {
    const headers = { ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }) };
    return await this.#ask('pipelines-post', { body, headers }, pipelineAnswer, options);
  }

  async pipeline(id: string, options?: CallOptions): Promise<PipelineWithHistory> {
    return await this.#ask('pipelines-get', { path: { id } }, pipelineWithHistory, options);
  }

  /** The newest pipelines first. */
  async pipelines(
    { state, limit }: { readonly state?: PipelineAnswer['state']; readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<PipelineAnswer[]> {
    const query = { state, limit: limit?.toString() };
    return (await this.#ask('pipelines-list', { query }, pipelineList, options)).pipelines;
  }

  /** Asks a pipeline to stop. It is over when its state says so. */
  async stopPipeline(id: string, options?: CallOptions): Promise<PipelineAnswer> {
    return await this.#ask('pipelines-delete', { path: { id } }, pipelineAnswer, options);
  }

  /**
   * What happens to a pipeline, its conversion and its session, live: first the present state, then every event in order and once, over
   * a connection that is made again where it is lost. Ends after the pipeline's end, or when the signal aborts.
   */
  watch(id: string, { signal = new AbortController().signal }: CallOptions = {}): AsyncIterable<LiveEvent> {
    const connectionUrl = async (watched: string, until: AbortSignal) =>
      (await this.clientToken({ pipelines: [watched] }, { signal: until })).url;
    const pipeline = (watched: string, until: AbortSignal) => this.pipeline(watched, { signal: until });
    return watchPipeline({ pipeline, connectionUrl }, id, signal);
  }

  async setReaders(id: string, readers: readonly string[], options?: CallOptions): Promise<PipelineAnswer> {
    return await this.#ask('readers-put', { path: { id }, body: { readers } }, pipelineAnswer, options);
  }

  async lease(id: string, options?: CallOptions): Promise<ClientLease> {
    return await this.#lease('leases-get', { path: { id } }, options);
  }

  /** Sets a larger total, in seconds from Ready, unless somebody has changed the lease since it was read. */
  async renewLease(id: string, maxLeaseSeconds: number, etag: string, options?: CallOptions): Promise<ClientLease> {
    const question = { path: { id }, headers: { 'If-Match': etag }, body: { maxLeaseSeconds } };
    return await this.#lease('leases-put', question, options);
  }

  /** Where one output of the conversion can be read for a short time: by `fetch`, without any token. */
  async asset(id: string, file: 'asset' | 'info' | 'result' = 'asset', options?: CallOptions): Promise<AssetAnswer> {
    return await this.#ask('assets-get', { path: { id }, query: { file } }, assetAnswer, options);
  }

  async revocations(options?: CallOptions): Promise<z.output<typeof revocationAnswer>[]> {
    return (await this.#ask('revocations-list', {}, revocationList, options)).revocations;
  }

  /** Revokes a caller by object id, or a signing key by kid. */
  async revoke(target: string, options?: CallOptions): Promise<z.output<typeof revocationAnswer>> {
    return await this.#ask('revocations-put', { path: { target } }, revocationAnswer, options);
  }

  async restore(target: string, options?: CallOptions): Promise<void> {
    await this.#answer('revocations-delete', { path: { target } }, options);
  }

  async #lease(name: 'leases-get' | 'leases-put', question: Question, options?: CallOptions): Promise<ClientLease> {
    const response = await this.#answer(name, question, options);
    return { ...(await answerOf(response, leaseAnswer)), etag: response.headers.get('etag') ?? '' };
  }

  async #ask<Schema extends z.ZodType>(
    name: RouteName,
    question: Question,
    schema: Schema,
    options?: CallOptions,
  ): Promise<z.output<Schema>> {
    return await answerOf(await this.#answer(name, question, options), schema);
  }

  async #answer(name: RouteName, question: Question, { signal }: CallOptions = {}): Promise<Response> {
    const { path = {}, query = {}, headers, body } = question;
    const route = routes[name];
    const url = new URL(this.#url + route.path.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(path[key] ?? '')));
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
    const response = await this.#send(url.href, {
      method: route.method,
      headers: {
        Accept: 'application/json',
        Authorization: `Bearer ${await this.#token()}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    if (!response.ok) throw await problemOf(response, `${route.method} ${url.pathname}`);
    return response;
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, { ...init, redirect: 'error' });
    } catch (cause) {
      init.signal?.throwIfAborted();
      // Not the whole address: that of an upload or an asset is a secret.
      throw new ClientError('unreachable', `${new URL(url).origin} does not answer.`, {}, { cause });
    }
  }
}
