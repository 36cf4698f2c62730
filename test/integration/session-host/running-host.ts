import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { sessionHostBuilds } from '../../../infra/session-host/build.ts';
import { type ControlServer, SECRET } from './control-server.ts';
import { waitFor } from './wait-for.ts';

export interface BuiltSessionHost extends AsyncDisposable {
  /** The bundled program. */
  readonly program: string;
}

/** Builds the session host and its viewer as they are shipped, into a folder of their own. */
export async function buildSessionHost(): Promise<BuiltSessionHost> {
  const directory = await mkdtemp(join(tmpdir(), 'session-host-'));
  await Promise.all(sessionHostBuilds(directory).map((options) => build(options)));
  return {
    program: join(directory, 'main.mjs'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

export interface RunningHost extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly directory: string;
  /** Where it says it serves, once it has told the control server. */
  address(): Promise<string>;
  /** What it wrote to its log so far. */
  log(): string;
  /** Its exit code, or the signal that ended it, once it has ended. */
  ended(): Promise<number | string | null>;
}

/** Starts a session host as a machine does: a folder of its own, and its settings in the environment. */
export async function startHost(
  program: string,
  control: Pick<ControlServer, 'heartbeatUrl' | 'latest'>,
  settings: Readonly<Record<string, string>> = {},
  given?: string,
): Promise<RunningHost> {
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'machine-')));
  const child = spawn(process.execPath, [program, '--machine=one', `--directory=${directory}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      SESSION_ID: 'session-one',
      HEARTBEAT_URL: control.heartbeatUrl,
      HEARTBEAT_SECRET: SECRET,
      SILENCE_SECONDS: '30',
      ...settings,
    },
  });
  let log = '';
  child.stdout.on('data', (chunk) => (log += chunk));
  child.stderr.on('data', (chunk) => (log += chunk));
  // 'close' rather than 'exit': only then all that it said has arrived.
  const closed = once(child, 'close').then(([code, signal]) => code ?? signal);
  return {
    process: child,
    directory,
    log: () => log,
    ended: () => closed,
    address: () =>
      waitFor(() => {
        const said = control.latest();
        if (said === undefined) throw new Error(`No heartbeat yet. Log: ${log}`);
        return `http://${said.hostname}:${said.ports.inspector}`;
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
