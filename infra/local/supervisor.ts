import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LogLine } from './child-process.ts';
import { endMachines } from './end-machines.ts';
import { endpointsFile, type StackEndpoints } from './endpoints.ts';
import { writeJson } from './json-file.ts';
import { noProxy } from './no-proxy.ts';
import { choosePorts } from './ports.ts';
import { type PreparedStack, prepareStack } from './prepare-stack.ts';
import { type Children, endedByItself, startChildren } from './stack-children.ts';
import type { StackError } from './stack-error.ts';
import { lockStack, type StackLock } from './stack-lock.ts';
import { trustCertificate } from './trusted-certificates.ts';

export type { StackEndpoints } from './endpoints.ts';

export interface StackOptions {
  /** Where the stack keeps its state; one stack at a time. */
  readonly directory: string;
  /** The folder with the app's package.json and host.json. */
  readonly scriptRoot: string;
  /** The app's port, 7071 where none is given; 0 stands for a free one that is kept over restarts. */
  readonly port?: number;
  /**
   * Under 'http' storage takes the account's key in place of tokens, and the app is not served over HTTPS: for a host that is not ours.
   * 'https' where nothing is given.
   */
  readonly storage?: 'https' | 'http';
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
/** How long each child has to end well. With the work before, and half a second for each that must be killed, less than 25 s in all. */
const graces = { blobEvents: 1000, host: 4000, azurite: 3000, identity: 3000, webPubSub: 1000 } as const;

/**
 * Starts identity, storage, app and blob events, each a child in a process group of its own, and writes `endpoints.json` when all answer.
 * From here on this process trusts the stack's certificates, and reaches loopback without a proxy.
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
    const { scriptRoot, storage = 'https', environment = {} } = options;
    const prepared = await prepareStack({ directory, scriptRoot, ports, storage, environment, caller: process.env });
    await trustCertificate(prepared.endpoints.caCertificate);
    process.env['NO_PROXY'] = noProxy(process.env);
    const children = await startAll({ ...options, directory }, prepared, lock);
    await writeJson(endpointsFile(directory), prepared.endpoints);
    return supervise({ ...options, directory }, prepared, children, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function startAll(options: StackOptions, prepared: PreparedStack, lock: StackLock): Promise<Children> {
  try {
    return await startChildren({ ...options, onSpawn: lock.remember }, prepared);
  } catch (error) {
    // Machines of an earlier run live on to be taken up again; where nothing starts, nobody will.
    await attempt(options, endMachinesMilliseconds, (until) => endMachines(prepared.settings, until));
    throw error;
  }
}

function supervise(options: StackOptions, prepared: PreparedStack, children: Children, lock: StackLock): Stack {
  const { identity, webPubSub, azurite, blobEvents, host } = children;
  const { endpoints, settings } = prepared;
  const failed = Promise.withResolvers<StackError>();
  let stopped: Promise<void> | undefined;

  const stopAll = async () => {
    options.onStopping?.('the machines to stop');
    await attempt(options, beforeStopMilliseconds, (signal) => options.beforeStop?.(endpoints, signal));
    options.onStopping?.('the app to end');
    await Promise.all([blobEvents.stop(graces.blobEvents), host.stop(graces.host)]);
    await attempt(options, endMachinesMilliseconds, (signal) => endMachines(settings, signal));
    options.onStopping?.('the storage to end');
    await Promise.all([azurite.stop(graces.azurite), webPubSub.stop(graces.webPubSub), identity.stop(graces.identity)]);
    await rm(endpointsFile(options.directory), { force: true });
    await lock.release();
  };
  const stop = () => {
    stopped ??= stopAll();
    return stopped;
  };
  for (const child of [identity, azurite, host]) {
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
