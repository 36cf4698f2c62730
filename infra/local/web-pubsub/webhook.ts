import { setTimeout as wait } from 'node:timers/promises';

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Gives the credential for each try. */
  readonly authorization?: (() => Promise<string>) | undefined;
  /** Milliseconds before each repetition after 408, 5xx and no answer. */
  readonly retryDelays: readonly number[];
  readonly signal: AbortSignal;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

const ANSWER_MILLISECONDS = 30_000;
const VALIDATION_MILLISECONDS = 10_000;
const BODY_LIMIT = 16 * 1024 * 1024;

/** The webhook is away, or does not want to hear from here. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/** Posts events to webhooks that have said, once, that they want them (CloudEvents HTTP Web Hook, abuse protection). */
export class Webhooks {
  /** By URL: validations under way or passed. */
  readonly #validated = new Map<string, Promise<void>>();
  readonly #origin: string;

  /** @param origin the host's name that they are asked to allow, without a port */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /**
   * @param validationUrl of the same handler, its event called `validate`
   * @throws WebhookError after the last repetition
   */
  async post(request: WebhookRequest, validationUrl: string): Promise<WebhookAnswer> {
    const [delay, ...retryDelays] = request.retryDelays;
    try {
      await this.#validate(validationUrl, request.signal);
      const answer = await this.#postOnce(request);
      if (delay === undefined || !isTransient(answer.status)) return answer;
    } catch (error) {
      if (delay === undefined || request.signal.aborted) throw error;
    }
    await wait(delay, undefined, { signal: request.signal });
    return await this.post({ ...request, retryDelays }, validationUrl);
  }

  async #postOnce({ url, headers, body, authorization, signal }: WebhookRequest): Promise<WebhookAnswer> {
    const credential = authorization && { authorization: await authorization() };
    const response = await ask(url, ANSWER_MILLISECONDS, signal, {
      method: 'POST',
      headers: { ...headers, ...credential, 'webhook-request-origin': this.#origin },
      body: new Uint8Array(body),
    });
    return { status: response.status, headers: response.headers, body: await readBody(response) };
  }

  async #validate(url: string, signal: AbortSignal): Promise<void> {
    const known = this.#validated.get(url);
    if (known) return await known;
    const validation = this.#askForPermission(url, signal);
    this.#validated.set(url, validation);
    try {
      await validation;
    } catch (error) {
      this.#validated.delete(url);
      throw error;
    }
  }

  async #askForPermission(url: string, signal: AbortSignal): Promise<void> {
    const headers = { 'webhook-request-origin': this.#origin, 'ce-awpsversion': '1.0' };
    const asked = await ask(url, VALIDATION_MILLISECONDS, signal, { method: 'OPTIONS', headers });
    await asked.body?.cancel();
    const response =
      asked.status === 404 ? await ask(url, VALIDATION_MILLISECONDS, signal, { method: 'GET', headers }) : asked;
    if (response !== asked) await response.body?.cancel();
    const allowed = (response.headers.get('webhook-allowed-origin') ?? '').split(',').map((each) => each.trim());
    const isAllowed = allowed.some((each) => each === '*' || each.replace(/:\d+$/, '').toLowerCase() === this.#origin);
    if (!response.ok || !isAllowed) {
      throw new WebhookError(
        `The event handler does not allow requests from ${this.#origin}: it answered ${response.status}.`,
      );
    }
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status >= 500;
}

async function ask(url: string, milliseconds: number, signal: AbortSignal, init: RequestInit): Promise<Response> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
    return await fetch(url, { ...init, redirect: 'manual', signal: limit });
  } catch (error) {
    throw new WebhookError('The event handler does not answer.', { cause: error });
  }
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new WebhookError('The answer of the event handler is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
