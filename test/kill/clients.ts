import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { readEndpoints, type StackEndpoints } from '../../infra/local/endpoints.ts';
import { connectionString } from '../../infra/local/storage-account.ts';
import { trustCertificate } from '../../infra/local/trusted-certificates.ts';
import { applicationToken } from '../support/callers.ts';

/** A model to upload and, where it has an id, a pipeline to ask for. */
interface Asked {
  /** Path in the container of models. */
  readonly model: string;
  readonly bytes: Uint8Array;
  readonly id: string | undefined;
}

/** Where the stack of a directory answers, whose certificates this process trusts from then on; undefined while it does not. */
export async function endpointsOf(directory: string): Promise<StackEndpoints | undefined> {
  const endpoints = await readEndpoints(directory);
  if (endpoints !== undefined) await trustCertificate(endpoints.caCertificate);
  return endpoints;
}

/** Asks for a pipeline as a client does that knows of kills: what was not acknowledged is asked again. True once all is acknowledged. */
export async function askFor({ model, bytes, id }: Asked, stack: StackEndpoints): Promise<boolean> {
  try {
    await uploadOnce(model, bytes, stack);
    if (id === undefined) return true;
    const response = await fetch(`${stack.app}/api/pipelines/${id}`, {
      method: 'PUT',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${await applicationToken(stack, 'administrator')}`,
      },
      body: JSON.stringify({ model, session: { maxLeaseSeconds: 3 } }),
      signal: AbortSignal.timeout(5000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
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
