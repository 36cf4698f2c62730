import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect } from 'vitest';
import { z } from 'zod';
import { build } from '../../infra/build.ts';
import { StackError } from '../../infra/local/stack-error.ts';
import { stopMachines } from '../../infra/local/stop-machines.ts';
import { connectionString } from '../../infra/local/storage-account.ts';
import { type Stack, type StackEndpoints, type StackOptions, startStack } from '../../infra/local/supervisor.ts';
import { type Callers, callersOf } from './callers.ts';
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
  /** The caller's; null sends none. The Administrator ada calls where nothing is given. */
  readonly token?: string | null;
}

export interface TestStack extends Callers, AsyncDisposable {
  readonly endpoints: StackEndpoints;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Uploads to the container of models, as `folder/file`. */
  upload(path: string, bytes: Uint8Array): Promise<void>;
  /** Every line that the stack's children have printed so far. */
  log(): readonly string[];
}

export interface TestStackOptions {
  /** Another stack, whose certificates this one has too, so that the two trust each other. */
  readonly certificatesOf?: TestStack;
}

/** A stack that starts at the same time may take a port between this one's choice and its use; then others are chosen. */
async function startOnFreePorts(options: StackOptions): Promise<Stack> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startStack(options);
    } catch (error) {
      if (!(error instanceof StackError) || error.code !== 'port-taken' || attempt === 3) throw error;
      await rm(join(options.directory, 'ports.json'), { force: true });
    }
  }
}

/** Builds the app and starts the whole stack around it, in a temporary directory and on free ports. */
export async function startTestStack(
  environment: Readonly<Record<string, string>>,
  { certificatesOf }: TestStackOptions = {},
): Promise<TestStack> {
  const directory = await temporaryDirectory();
  if (certificatesOf !== undefined) {
    const certificates = dirname(certificatesOf.endpoints.caCertificate);
    await cp(certificates, join(directory.path, 'certificates'), { recursive: true });
  }
  const lines: string[] = [];
  await build();
  const stack = await startOnFreePorts({
    directory: directory.path,
    scriptRoot,
    port: 0,
    environment,
    beforeStop: stopMachines,
    onLog: (_child, line) => lines.push(line),
  });
  const { endpoints } = stack;
  const models = BlobServiceClient.fromConnectionString(connectionString(endpoints)).getContainerClient('models');
  const callers = callersOf(endpoints, directory.path);
  const ada = await callers.tokenFor('administrator', 'ada');
  return {
    ...callers,
    endpoints,
    call: (method, path, { token = ada, ...call } = {}) => send(`${endpoints.app}${path}`, method, { ...call, token }),
    async upload(path, bytes) {
      await models.getBlockBlobClient(path).uploadData(Buffer.from(bytes));
    },
    log: () => lines,
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

async function send(url: string, method: string, { body, headers, token }: Call): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(typeof token === 'string' && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  // Whatever a caller sends, nothing of the inside may come back.
  expect(text).not.toMatch(/node_modules|\.[mc]?[jt]s:\d+|AccountKey|ZodError/);
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}
