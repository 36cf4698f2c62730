import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect } from 'vitest';
import { z } from 'zod';
import { build } from '../../infra/build.ts';
import { stopMachines } from '../../infra/local/stop-machines.ts';
import { connectionString } from '../../infra/local/storage-account.ts';
import { type StackEndpoints, startStack } from '../../infra/local/supervisor.ts';
import { temporaryDirectory } from './stack.ts';

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));

/** An answer of the app; `body` is undefined where it has none. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Call {
  /** Sent as JSON, unless it is a string: that is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestStack extends AsyncDisposable {
  readonly endpoints: StackEndpoints;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Uploads to the container of models, as `folder/file`. */
  upload(path: string, bytes: Uint8Array): Promise<void>;
}

/** Builds the app and starts the whole stack around it, in a temporary directory and on free ports. */
export async function startTestStack(environment: Readonly<Record<string, string>>): Promise<TestStack> {
  const directory = await temporaryDirectory();
  const stack = await startStack({
    directory: directory.path,
    scriptRoot,
    port: 0,
    environment,
    prepare: build,
    beforeStop: stopMachines,
  });
  const models = BlobServiceClient.fromConnectionString(connectionString(stack.endpoints)).getContainerClient('models');
  return {
    endpoints: stack.endpoints,
    call: (method, path, call = {}) => send(`${stack.endpoints.app}${path}`, method, call),
    async upload(path, bytes) {
      await models.getBlockBlobClient(path).uploadData(Buffer.from(bytes));
    },
    async [Symbol.asyncDispose]() {
      await stack.stop();
      await directory.remove();
    },
  };
}

const problem = z.strictObject({
  type: z.string().regex(/^\/problems\/[a-z-]+$/),
  title: z.string().min(1),
  status: z.number(),
  detail: z.string().min(1),
  field: z.string().optional(),
});

/** The problem that an answer is, RFC 9457, checked to be one. */
export function problemOf({ status, headers, body }: Answer): z.output<typeof problem> {
  expect(headers.get('content-type')).toBe('application/problem+json');
  const said = problem.parse(body);
  expect(said.status).toBe(status);
  return said;
}

async function send(url: string, method: string, { body, headers }: Call): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  // Whatever a caller sends, nothing of the inside may come back.
  expect(text).not.toMatch(/node_modules|\.[mc]?[jt]s:\d+|AccountKey|ZodError/);
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}
