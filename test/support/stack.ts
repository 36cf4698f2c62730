import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningChild, startChild } from '../../infra/local/child-process.ts';
import { connectionString, type StorageEndpoints } from '../../infra/local/storage-account.ts';

export interface TestStorage extends AsyncDisposable {
  readonly child: RunningChild;
  readonly endpoints: StorageEndpoints;
  readonly connectionString: string;
  /** Ends Azurite; removes its data if it had a directory of its own. */
  stop(): Promise<void>;
}

const anyPorts = { blob: 0, queue: 0, table: 0 };

/** Starts our Azurite on free ports, in `directory` or in a temporary one of its own. Nothing is created in the account. */
export async function startStorage(directory?: string, ports = anyPorts): Promise<TestStorage> {
  const own = directory === undefined ? await temporaryDirectory() : undefined;
  const child = await startChild({
    name: 'Azurite',
    program: fileURLToPath(new URL('../../infra/local/azurite.ts', import.meta.url)),
    options: { directory: directory ?? own?.path, ports },
    startMilliseconds: 20_000,
  });
  const { blob = '', queue = '', table = '' } = child.endpoints;
  const endpoints = { blob, queue, table };
  const stop = async () => {
    await child.stop(5000);
    await own?.remove();
  };
  return { child, endpoints, connectionString: connectionString(endpoints), stop, [Symbol.asyncDispose]: stop };
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'rendering-'));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
