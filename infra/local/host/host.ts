import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type AppConfiguration, readConfiguration } from './configuration.ts';
import { durableClientData, type ManagementDoor } from './durable/client-binding.ts';
import { createEngine, type DurableEngine } from './durable/engine.ts';
import { managementApi } from './durable/management-api.ts';
import { DurableStore } from './durable/store.ts';
import { eventGridWebhook } from './event-grid.ts';
import { type FunctionIndex, indexFunctions } from './function-index.ts';
import { provideFunctionsCore } from './functions-core.ts';
import { HostError, messageOf } from './host-error.ts';
import { type HostLog, logToStderr } from './host-log.ts';
import { type Endpoint, type HttpServer, type HttpsOptions, listen, sendEmpty } from './http-server.ts';
import { httpTriggers } from './http-triggers.ts';
import { createInvoker, type Invoker } from './invoker.ts';
import { type LoadedApp, loadApp } from './load-app.ts';
import { systemKeyGuard } from './system-key.ts';
import { createTimerStatuses } from './timer-statuses.ts';
import { startTimers } from './timers.ts';

export interface HostOptions {
  /** The app's folder: package.json with `main`, and host.json. */
  readonly scriptRoot: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Serves the same over HTTPS too. */
  readonly https?: HttpsOptions | undefined;
  /** What opens `/runtime/webhooks/`, as in Azure: letters, digits, - and _. Open to everybody where none is given. */
  readonly systemKey?: string | undefined;
  /** Path of the SQLite file that keeps orchestrations and timers, or ':memory:'. */
  readonly database: string;
  /** The app's settings: written into process.env before the app loads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log?: HostLog;
}

export interface Host {
  /** Without a slash at its end. */
  readonly url: string;
  readonly httpsUrl: string | undefined;
  /** Lets what runs end, for at most three seconds, then closes everything. Nothing of the host is left running. */
  stop(): Promise<void>;
}

const settleLimitMs = 3000;

/**
 * Starts the app in this process and serves it on 127.0.0.1: HTTP, timer, Event Grid and durable functions. One host per process.
 * Throws HostError when the port is taken, or the app or its configuration cannot be served.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const log = options.log ?? logToStderr;
  const configuration = await readConfiguration(options.scriptRoot);
  const server = await listen(options.port, options.https, log);
  try {
    prepareEnvironment(options, server.url);
    const app = await loadApp(configuration, provideFunctionsCore(log));
    const index = indexFunctions(app.functions, { routePrefix: configuration.routePrefix, settings: process.env });
    const host = serve({ options, configuration, server, app, index, log });
    log('information', 'host', greeting(server.url, app));
    return host;
  } catch (error) {
    await server.close();
    throw error;
  }
}

interface Parts {
  readonly options: HostOptions;
  readonly configuration: AppConfiguration;
  readonly server: HttpServer;
  readonly app: LoadedApp;
  readonly index: FunctionIndex;
  readonly log: HostLog;
}

function serve({ options, configuration, server, app, index, log }: Parts): Host {
  const { hubName, maxConcurrentActivities } = configuration;
  const { url, httpsUrl } = server;
  const { systemKey } = options;
  const door: ManagementDoor = { url, hubName, systemKey };
  const database = openDatabase(options.database);
  const invoker = createInvoker(app.model, durableClientData(door), log);
  const { orchestrators, activities } = index;
  const store = new DurableStore(database);
  const common = { store, invoker, orchestrators, activities, log, now: Date.now, newId: randomUUID };
  const engine = createEngine({ ...common, maxConcurrentActivities });
  const statuses = createTimerStatuses(database);
  const management = managementApi({ instances: engine.instances, orchestrators, door, newId: randomUUID });
  const guards = systemKey === undefined ? [] : [systemKeyGuard(systemKey)];
  server.serve([...guards, management, eventGridWebhook(index, invoker, log), httpTriggers(index, invoker, log)]);
  engine.start();
  const timers = startTimers(index.timers, { invoker, statuses, log, now: Date.now });
  return {
    url,
    httpsUrl,
    stop: async () => {
      timers.stop();
      await shutDown({ engine, invoker, server, endpoints: [...guards, management], log });
      database.close();
    },
  };
}

/** What still runs may reach its orchestrations through the management API until the end; everybody else gets 503. */
async function shutDown(parts: {
  readonly engine: DurableEngine;
  readonly invoker: Invoker;
  readonly server: HttpServer;
  /** What is answered until the end. */
  readonly endpoints: readonly Endpoint[];
  readonly log: HostLog;
}): Promise<void> {
  const { engine, invoker, server, endpoints, log } = parts;
  engine.stop();
  server.serve([...endpoints, refuse]);
  const left = await invoker.settle(settleLimitMs);
  if (left.length > 0) log('warning', 'host', `Still running at the stop, and cut off: ${left.join(', ')}.`);
  // What follows an invocation (its commit, its answer) happens in the same turn of the event loop.
  await new Promise(setImmediate);
  engine.close();
  await server.close();
}

const refuse: Endpoint = async ({ response }) => {
  sendEmpty(response, 503);
  return true;
};

/** The names that the real host sets, and that @azure/functions and durable-functions read. */
function prepareEnvironment(options: HostOptions, url: string): void {
  Object.assign(process.env, options.environment, {
    WEBSITE_HOSTNAME: new URL(url).host,
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AzureWebJobsScriptRoot: options.scriptRoot,
  });
}

/** Opens the file for this process alone: two hosts on one database would run everything twice. */
function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  try {
    const database = new DatabaseSync(path);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    return database;
  } catch (error) {
    const message = `${path} cannot be opened (${messageOf(error)}): is another host running on it?`;
    throw new HostError('conflict', message, { cause: error });
  }
}

function greeting(url: string, app: LoadedApp): string {
  return (
    `Embedded Functions host, for one machine and for tests; the distributed engine is Azure's. ` +
    `${app.functions.length} functions at ${url}`
  );
}
