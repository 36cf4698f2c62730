import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AppConfiguration } from './configuration.ts';
import type { AppRegistration, RegisteredFunction } from './functions-core.ts';
import { HostError, messageOf } from './host-error.ts';
import type { ProgrammingModel } from './rpc.ts';

export interface LoadedApp {
  readonly model: ProgrammingModel;
  readonly functions: readonly RegisteredFunction[];
}

/** Capabilities that Azure's Node worker announces by itself; the app's `app.setup` may add to them. */
const workerCapabilities: Readonly<Record<string, string>> = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
};

/** Loads the app's entry file, which registers its functions. Throws HostError `app-load` or `unsupported`. */
export async function loadApp(configuration: AppConfiguration, registration: AppRegistration): Promise<LoadedApp> {
  const { entry } = configuration;
  if (!existsSync(entry)) {
    throw new HostError('app-load', `${entry} (package.json "main") does not exist: build the app first.`);
  }
  try {
    await loadEntry(entry, configuration.moduleType);
  } catch (error) {
    const message = `Worker was unable to load entry point "${entry}": ${messageOf(error)}`;
    throw new HostError('app-load', message, { cause: error });
  }
  const { functions, model } = registration;
  if (functions.length === 0 || model === undefined) {
    throw new HostError('app-load', `${entry} registered no function: register one with @azure/functions.`);
  }
  const capabilities = await model.getCapabilities({ ...workerCapabilities });
  if (capabilities['HttpUri'] !== undefined) {
    throw new HostError(
      'unsupported',
      'The embedded host does not stream HTTP: remove enableHttpStream from app.setup.',
    );
  }
  registration.lock();
  return { model, functions };
}

async function loadEntry(entry: string, moduleType: 'commonjs' | 'module'): Promise<void> {
  const extension = extname(entry);
  if (extension === '.mjs' || (moduleType === 'module' && extension !== '.cjs')) {
    await import(pathToFileURL(entry).href);
  } else {
    createRequire(entry)(entry);
  }
}
