import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APP_AUDIENCE } from './app-settings.ts';
import { type LogLine, type RunningChild, startChild } from './child-process.ts';
import { webPubSubRoles } from './identity/directory.ts';
import type { PreparedStack } from './prepare-stack.ts';
import { type RestartingChild, startRestarting } from './restarting-child.ts';
import { StackError } from './stack-error.ts';
import { connectionString } from './storage-account.ts';

export interface ChildrenOptions {
  /** Absolute paths. */
  readonly directory: string;
  readonly scriptRoot: string;
  /** The host's program and how long it may take to start; the embedded one where none is given. */
  readonly host?: { readonly program: string; readonly startMilliseconds: number };
  readonly onLog?: LogLine;
  /** Awaited as soon as a child's process exists. */
  readonly onSpawn: (pid: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** In the order of their start. */
export interface Children {
  readonly identity: RunningChild;
  readonly webPubSub: RestartingChild;
  readonly azurite: RunningChild;
  readonly blobEvents: RestartingChild;
  readonly host: RunningChild;
}

const startMilliseconds = 15_000;
const embeddedHost = { program: programOf('./host/main.ts'), startMilliseconds };
/** A child that started has so long to end well when a later one does not start. */
const giveUpMilliseconds = 3000;

/**
 * Starts the children one after another, each in a process group of its own.
 * @throws StackError; nothing is left running then
 */
export async function startChildren(options: ChildrenOptions, stack: PreparedStack): Promise<Children> {
  const { directory, scriptRoot, onLog, onSpawn, host: hostProgram = embeddedHost } = options;
  const { ports, endpoints, settings, tls, identityHeader, webPubSubHeader, systemKey } = stack;
  const started: { stop(graceMilliseconds: number): Promise<void> }[] = [];
  const lost = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal;
  const environment = { ...process.env, ...stack.environment };
  const common = { onLog, onSpawn, signal, startMilliseconds, environment };
  const keep = (child: RunningChild) => {
    started.unshift(child);
    void child.ended.then((how) => lost.abort(endedByItself(child.name, how)));
    return child;
  };
  const secure = endpoints.appHttps !== undefined;
  try {
    const identity = keep(
      await startChild({
        ...common,
        name: 'Identity',
        program: programOf('./identity.ts'),
        options: { directory, ports, ...tls, audiences: settings.ENTRA_AUDIENCES.split(',') },
        secretOptions: { identityHeader, webPubSubHeader },
      }),
    );
    // Live events are the only thing that is late without it.
    const webPubSub = await startRestarting({
      ...common,
      name: 'Web PubSub',
      program: programOf('./web-pubsub.ts'),
      options: {
        port: ports.webPubSub,
        ...tls,
        authority: endpoints.authority,
        tenantId: endpoints.tenantId,
        roles: webPubSubRoles(),
        eventHandlers: [
          {
            hub: endpoints.hub,
            urlTemplate: `${endpoints.app}/api/web-pubsub/events`,
            systemEvents: ['connected'],
            auth: { resource: APP_AUDIENCE },
          },
        ],
        identityEndpoint: stack.identityEndpoint,
      },
      secretOptions: { identityHeader: webPubSubHeader },
    });
    started.unshift(webPubSub);
    const azurite = keep(
      await startChild({
        ...common,
        name: 'Azurite',
        program: programOf('./azurite.ts'),
        options: { directory: join(directory, 'storage'), ports, ...(secure && { tls }) },
      }),
    );
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
      secretOptions: { systemKey },
    });
    started.unshift(blobEvents);
    const host = await startChild({
      ...common,
      ...hostProgram,
      name: 'Functions host',
      options: {
        scriptRoot,
        port: ports.app,
        ...(secure && { https: { ...tls, port: ports.appHttps } }),
        database: join(directory, 'durable.sqlite'),
      },
      secretOptions: { systemKey, environment: settings },
    });
    return { identity, webPubSub, azurite, blobEvents, host };
  } catch (error) {
    for (const child of started) await child.stop(giveUpMilliseconds);
    throw error;
  }
}

export function endedByItself(name: string, how: string): StackError {
  return new StackError(
    'child-ended',
    `${name} ended by itself with ${how}, so the stack was stopped. Start it again: it goes on where it was.`,
  );
}

function programOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
