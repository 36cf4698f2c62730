import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const program = fileURLToPath(new URL('../../../infra/local/host/main.ts', import.meta.url));
const sampleApp = fileURLToPath(new URL('./sample-app', import.meta.url));

const reportSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), endpoints: z.object({ app: z.string(), appHttps: z.string().optional() }) }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);

const statusSchema = z.object({
  name: z.string(),
  runtimeStatus: z.string(),
  input: z.unknown(),
  output: z.unknown(),
  customStatus: z.unknown(),
});

const callSchema = z.object({ result: z.unknown().optional(), error: z.string().optional() });

/** A folder of its own for one test file: the database and the evidence that a killed host leaves. */
export interface Workplace {
  readonly folder: string;
  readonly database: string;
  evidence(): Promise<string[]>;
  remove(): Promise<void>;
}

export async function createWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'functions-host-'));
  return {
    folder,
    database: join(folder, 'state', 'host.sqlite'),
    evidence: async () => {
      const text = await readFile(join(folder, 'evidence'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The embedded host in a process of its own, with the sample app unless told otherwise. */
export interface HostProcess {
  readonly url: string;
  /** Where it was asked to serve HTTPS too. */
  readonly httpsUrl: string | undefined;
  readonly process: ChildProcess;
  log(): string;
  /** Calls a method of the app's real DurableClient. Throws what it throws. */
  client(method: string, ...args: unknown[]): Promise<unknown>;
  status(id: string): Promise<z.infer<typeof statusSchema>>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface HostSettings {
  readonly port?: number;
  readonly scriptRoot?: string;
  readonly database?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly https?: { readonly port: number; readonly certificate: string; readonly key: string };
  readonly systemKey?: string;
}

/** Throws the message that the child reports when the host cannot start. */
export async function startHostProcess(workplace: Workplace, settings: HostSettings = {}): Promise<HostProcess> {
  const options = {
    scriptRoot: settings.scriptRoot ?? sampleApp,
    port: settings.port ?? 0,
    database: settings.database ?? workplace.database,
    https: settings.https,
    systemKey: settings.systemKey,
    environment: {
      EVIDENCE: join(workplace.folder, 'evidence'),
      TICK_SCHEDULE: '0 0 0 1 1 *',
      ...settings.environment,
    },
  };
  const child = fork(program, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8');
  });
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])]);
  const report = reportSchema.safeParse(message);
  if (!report.success) throw new Error(`The host ended before it was ready: ${log}`);
  if (report.data.type === 'failed') throw new Error(report.data.message);
  return controls(child, report.data.endpoints, () => log);
}

function controls(
  child: ChildProcess,
  { app: url, appHttps: httpsUrl }: { readonly app: string; readonly appHttps?: string | undefined },
  log: () => string,
): HostProcess {
  const ended = once(child, 'exit');
  const client = async (method: string, ...args: unknown[]): Promise<unknown> => {
    const response = await fetch(`${url}/client`, { method: 'POST', body: JSON.stringify({ method, args }) });
    const { result, error } = callSchema.parse(await response.json());
    if (error !== undefined) throw new Error(error);
    return result;
  };
  return {
    url,
    httpsUrl,
    process: child,
    log,
    client,
    status: async (id) => statusSchema.parse(await client('getStatus', id)),
    stop: async () => {
      if (child.connected) child.send({ type: 'stop' });
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
