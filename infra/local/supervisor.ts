import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appSettings } from './app-settings.ts';
import { type LogLine, type RunningChild, startChild } from './child-process.ts';
import { endMachines } from './end-machines.ts';
import { writeJson } from './json-file.ts';
import { choosePorts, type StackPorts } from './ports.ts';
import { type RestartingChild, startRestarting } from './restarting-child.ts';
import { StackError } from './stack-error.ts';
import { lockStack, type StackLock } from './stack-lock.ts';
import { connectionString, type StorageEndpoints } from './storage-account.ts';

/** Where the stack answers: URLs without a slash at their end. */
export interface StackEndpoints extends StorageEndpoints {
  readonly app: string;
}

export interface StackOptions {
  /** Where the stack keeps its state; one stack at a time. */
  readonly directory: string;
  /** The folder with the app's package.json and host.json. */
  readonly scriptRoot: string;
  /** The app's port, 7071 where none is given; 0 stands for a free one that is kept over restarts. */
  readonly port?: number;
  /** App settings that override the local ones and the caller's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Forgets the state of earlier runs first. */
  readonly clean?: boolean;
  readonly onLog?: LogLine;
  /** Runs once the directory is this stack's own and the ports are free, before anything is started: the build. */
  readonly prepare?: () => Promise<void>;
  /** Runs first when the stack stops, while everything still answers. The signal ends it after 12 s. */
  readonly beforeStop?: (endpoints: StackEndpoints, signal: AbortSignal) => Promise<void>;
  /** Told what a stop is waiting for, step by step. */
  readonly onStopping?: (waitingFor: string) => void;
  /** The host's program and how long it may take to start; the embedded one where none is given. */
  readonly host?: { readonly program: string; readonly startMilliseconds: number };
  /** Gives a start up. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  readonly endpoints: StackEndpoints;
  /** Fulfilled when a child that the stack cannot do without has ended by itself and the stack was stopped for it. */
  readonly failed: Promise<StackError>;
  /** Stops everything in order, within 25 s. May be called again. */
  stop(): Promise<void>;
}

const defaultPort = 7071;
const beforeStopMilliseconds = 12_000;
const endMachinesMilliseconds = 4000;
const startMilliseconds = 15_000;
/** Whose connection string names an account that is not asked for anything. */
const noStorage: StorageEndpoints = { blob: 'http://127.0.0.1', queue: 'http://127.0.0.1', table: 'http://127.0.0.1' };
const embeddedHost = { program: programOf('./host/main.ts'), startMilliseconds };
/** How long each child has to end well. With the work before, and half a second for each that must be killed, less than 25 s in all. */
const graces = { blobEvents: 1000, host: 4000, azurite: 3000 } as const;

/**
 * Starts storage, app and blob events, each a child in a process group of its own, and writes `endpoints.json` when all answer.
 * @throws StackError; nothing is left running then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true });
  const lock = await lockStack(directory);
  try {
    if (options.clean) await lock.clean();
    await rm(endpointsFile(directory), { force: true });
    const ports = await choosePorts(directory, options.port ?? defaultPort);
    await options.prepare?.();
    const children = await startChildren({ ...options, directory }, ports, lock);
    await writeJson(endpointsFile(directory), children.endpoints);
    return supervise({ ...options, directory }, children, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** In the order of their start. */
interface Children {
  readonly azurite: RunningChild;
  readonly blobEvents: RestartingChild;
  readonly host: RunningChild;
  readonly endpoints: StackEndpoints;
  /** The app's settings. */
  readonly settings: Readonly<Record<string, string>>;
}

async function startChildren(options: StackOptions, ports: StackPorts, lock: StackLock): Promise<Children> {
  const { directory, scriptRoot, environment, host: hostProgram = embeddedHost } = options;
  const started: { stop(graceMilliseconds: number): Promise<void> }[] = [];
  const storageLost = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, storageLost.signal]) : storageLost.signal;
  const common = { onLog: options.onLog, onSpawn: lock.remember, signal, startMilliseconds };
  try {
    const azurite = await startChild({
      ...common,
      name: 'Azurite',
      program: programOf('./azurite.ts'),
      options: { directory: join(directory, 'storage'), ports },
    });
    started.unshift(azurite);
    void azurite.ended.then((how) => storageLost.abort(endedByItself(azurite.name, how)));
    const { blob = '', queue = '', table = '' } = azurite.endpoints;
    const endpoints = { app: `http://127.0.0.1:${ports.app}`, blob, queue, table };
    const local = appSettings({ directory, scriptRoot, ports, storage: endpoints, caller: process.env });
    const settings = { ...local, ...environment };

    const blobEvents = await startRestarting({
      ...common,
      name: 'Blob events',
      program: programOf('./blob-events.ts'),
      options: {
        connectionString: connectionString(endpoints),
        app: endpoints.app,
        stateFile: join(directory, 'blob-events.json'),
        containers: { models: settings.MODELS_CONTAINER, assets: settings.ASSETS_CONTAINER },
        functionName: 'model-on-uploaded',
      },
    });
    started.unshift(blobEvents);

    const host = await startChild({
      ...common,
      ...hostProgram,
      name: 'Functions host',
      options: { scriptRoot, port: ports.app, database: join(directory, 'durable.sqlite'), environment: settings },
    });
    return { azurite, blobEvents, host, endpoints, settings };
  } catch (error) {
    for (const child of started) await child.stop(graces.azurite);
    // Machines of an earlier run live on to be taken up again; where nothing starts, nobody will.
    const settings = appSettings({ directory, scriptRoot, ports, storage: noStorage, caller: process.env });
    await attempt(options, endMachinesMilliseconds, (until) => endMachines({ ...settings, ...environment }, until));
    throw error;
  }
}

function supervise(options: StackOptions, children: Children, lock: StackLock): Stack {
  const { azurite, blobEvents, host, endpoints, settings } = children;
  const failed = Promise.withResolvers<StackError>();
  let stopped: Promise<void> | undefined;

  const stopAll = async () => {
    options.onStopping?.('the machines to stop');
    await attempt(options, beforeStopMilliseconds, (signal) => options.beforeStop?.(endpoints, signal));
    options.onStopping?.('the app to end');
    await Promise.all([blobEvents.stop(graces.blobEvents), host.stop(graces.host)]);
    await attempt(options, endMachinesMilliseconds, (signal) => endMachines(settings, signal));
    options.onStopping?.('the storage to end');
    await azurite.stop(graces.azurite);
    await rm(endpointsFile(options.directory), { force: true });
    await lock.release();
  };
  const stop = () => {
    stopped ??= stopAll();
    return stopped;
  };
  for (const child of [azurite, host]) {
    void child.ended.then(async (how) => {
      if (stopped) return;
      options.onLog?.(child.name, `ended with ${how}; the stack stops`);
      await stop();
      failed.resolve(endedByItself(child.name, how));
    });
  }
  return { endpoints, failed: failed.promise, stop };
}

/** Does a part of the stop. Whatever keeps it from its work must not keep the stack from stopping. */
async function attempt(
  { onLog }: StackOptions,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<void> | undefined,
): Promise<void> {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    await Promise.race([work(signal), once(signal, 'abort').then(() => signal.throwIfAborted())]);
  } catch (error) {
    onLog?.('Stack', `a part of the stop failed: ${String(error)}`);
  }
}

function endedByItself(name: string, how: string): StackError {
  return new StackError(
    'child-ended',
    `${name} ended by itself with ${how}, so the stack was stopped. Start it again: it goes on where it was.`,
  );
}

function endpointsFile(directory: string): string {
  return join(directory, 'endpoints.json');
}

function programOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
