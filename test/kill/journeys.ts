import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { connectionString } from '../../infra/local/storage-account.ts';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import type { Journey } from './plan.ts';

const RETRY_MILLISECONDS = 200;
const POLL_MILLISECONDS = 400;
/** A request that is under way when the stack is killed may never be answered. */
const ANSWER_MILLISECONDS = 10_000;

const pipeline = z.object({ id: z.string(), model: z.string(), state: z.string() });
const list = z.object({ pipelines: z.array(pipeline) });
export type Pipeline = z.output<typeof pipeline>;

const isOver = ({ state }: Pipeline) => ['stopped', 'converted', 'failed'].includes(state);

/** What the clients of a stack that keeps dying were told. */
export interface Ledger {
  /** The model of each upload that was acknowledged, as `folder/file`, by the journey's name. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Models whose upload was never answered: they may be there or not. */
  readonly unanswered: readonly string[];
}

/** The clients of one run: each carries journeys from their start to their end, whatever is killed meanwhile. */
export class Clients {
  readonly #endpoints: StackEndpoints;
  readonly #token: () => Promise<string>;
  readonly #signal: AbortSignal;
  readonly #acknowledged = new Map<string, string>();
  readonly #unanswered: string[] = [];
  readonly #onEnd: (journey: Journey, pipeline: Pipeline) => void;

  /** @param token gives the bearer token of an Administrator, whether the stack answers or not */
  constructor(
    endpoints: StackEndpoints,
    token: () => Promise<string>,
    signal: AbortSignal,
    onEnd: (journey: Journey, pipeline: Pipeline) => void,
  ) {
    this.#endpoints = endpoints;
    this.#token = token;
    this.#signal = signal;
    this.#onEnd = onEnd;
  }

  get ledger(): Ledger {
    return { acknowledged: this.#acknowledged, unanswered: this.#unanswered };
  }

  /** Carries all journeys to their end, so many at a time. */
  async carry(journeys: readonly Journey[], atATime: number): Promise<void> {
    const queue = [...journeys];
    const client = async () => {
      for (let journey = queue.shift(); journey !== undefined; journey = queue.shift()) {
        if (!this.#isReady(journey)) {
          queue.push(journey);
          await wait(POLL_MILLISECONDS, undefined, { signal: this.#signal });
        } else await this.#carry(journey);
      }
    };
    await Promise.all(Array.from({ length: atATime }, client));
  }

  /** A pipeline is put for a model that has been uploaded. */
  #isReady({ start }: Journey): boolean {
    return start.how === 'upload' || this.#acknowledged.has(start.modelOf);
  }

  async #carry(journey: Journey): Promise<void> {
    const { name, start, deleteAfterSeconds } = journey;
    const isOurs =
      start.how === 'put' ? await this.#put(name, start) : await this.#upload(name, start.files, start.model);
    if (deleteAfterSeconds !== undefined) {
      await wait(deleteAfterSeconds * 1000, undefined, { signal: this.#signal });
      const { id } = await this.#find(isOurs);
      await this.#request('DELETE', `/api/pipelines/${id}`);
    }
    this.#onEnd(journey, await this.#find((each) => isOurs(each) && isOver(each)));
  }

  /** A retry puts the same: whether the first was taken or not, there is one pipeline. */
  async #put(
    id: string,
    { modelOf, leaseSeconds }: { readonly modelOf: string; readonly leaseSeconds: number | null },
  ): Promise<(each: Pipeline) => boolean> {
    const session = leaseSeconds === null ? null : { maxLeaseSeconds: leaseSeconds };
    await this.#request('PUT', `/api/pipelines/${id}`, { model: this.#acknowledged.get(modelOf), session });
    return (each) => each.id === id;
  }

  /** A retry goes to another folder: the blobs of the first may be there, and would be another version of the same model. */
  async #upload(
    name: string,
    files: Readonly<Record<string, Uint8Array>>,
    model: string,
  ): Promise<(each: Pipeline) => boolean> {
    const service = BlobServiceClient.fromConnectionString(connectionString(this.#endpoints), {
      retryOptions: { maxTries: 1, tryTimeoutInMs: ANSWER_MILLISECONDS },
    });
    const container = service.getContainerClient('models');
    const references = Object.keys(files).filter((file) => file !== model);
    for (let attempt = 1; ; attempt += 1) {
      const folder = `${name}-${attempt}`;
      try {
        for (const file of [...references, model]) {
          const bytes = Buffer.from(files[file] ?? new Uint8Array(0));
          await container
            .getBlockBlobClient(`${folder}/${file}`)
            .upload(bytes, bytes.length, { abortSignal: this.#signal });
        }
        this.#acknowledged.set(name, `${folder}/${model}`);
        return (each) => each.model === `${folder}/${model}` && each.id.startsWith('blob-');
      } catch {
        this.#signal.throwIfAborted();
        this.#unanswered.push(`${folder}/${model}`);
        await wait(RETRY_MILLISECONDS, undefined, { signal: this.#signal });
      }
    }
  }

  async #find(isIt: (each: Pipeline) => boolean): Promise<Pipeline> {
    for (;;) {
      const { pipelines } = list.parse(await this.#request('GET', '/api/pipelines?limit=1000'));
      const found = pipelines.find(isIt);
      if (found !== undefined) return found;
      await wait(POLL_MILLISECONDS, undefined, { signal: this.#signal });
    }
  }

  /** Asks until it is answered; a refusal is an error of the run's own, or of the app's. */
  async #request(method: string, path: string, body?: unknown): Promise<unknown> {
    for (;;) {
      const answer = await this.#attempt(method, path, body);
      if (answer !== undefined) return answer;
      await wait(RETRY_MILLISECONDS, undefined, { signal: this.#signal });
    }
  }

  async #attempt(method: string, path: string, body: unknown): Promise<unknown> {
    try {
      const response = await fetch(`${this.#endpoints.app}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${await this.#token()}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(ANSWER_MILLISECONDS)]),
      });
      if (response.ok) return await response.json();
      const text = await response.text();
      if (response.status < 500) throw new Refusal(`${method} ${path} was answered ${response.status}: ${text}`);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.#signal.throwIfAborted();
      return undefined;
    }
  }
}

class Refusal extends Error {}
