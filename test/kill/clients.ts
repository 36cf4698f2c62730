import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { z } from 'zod';
import { connectionString } from '../../infra/local/storage-account.ts';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import type { Planned } from './plan.ts';

const endpoints = z.object({ app: z.string(), blob: z.string(), queue: z.string(), table: z.string() });

/** Where the stack of a directory answers; undefined while it does not. */
export async function endpointsOf(directory: string): Promise<StackEndpoints | undefined> {
  const text = await readFile(join(directory, 'endpoints.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : endpoints.parse(JSON.parse(text));
}

/** Asks for a pipeline as a client does that knows of kills: what was not acknowledged is asked again. True once all is acknowledged. */
export async function askFor({ model, bytes, id }: Planned, stack: StackEndpoints): Promise<boolean> {
  try {
    await uploadOnce(model, bytes, stack);
    if (id === undefined) return true;
    const response = await fetch(`${stack.app}/api/pipelines/${id}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ model, session: { maxLeaseSeconds: 3 } }),
      signal: AbortSignal.timeout(5000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

export async function askToStop(id: string, stack: StackEndpoints): Promise<void> {
  const signal = AbortSignal.timeout(5000);
  // Not acknowledged, it may have been lost with the stack; nothing is checked of it then but that the pipeline ends.
  await fetch(`${stack.app}/api/pipelines/${id}`, { method: 'DELETE', signal }).catch(() => undefined);
}

/** An upload that was stored but not acknowledged is not stored again: it would be another blob, and another pipeline. */
async function uploadOnce(model: string, bytes: Uint8Array, stack: StackEndpoints): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connectionString(stack), { retryOptions: { maxTries: 1 } });
  const blob = service.getContainerClient('models').getBlockBlobClient(model);
  try {
    await blob.upload(Buffer.from(bytes), bytes.length, {
      conditions: { ifNoneMatch: '*' },
      abortSignal: AbortSignal.timeout(5000),
    });
  } catch (error) {
    if (!(error instanceof RestError) || (error.statusCode !== 409 && error.statusCode !== 412)) throw error;
  }
}
