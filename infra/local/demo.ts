import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RemoteRenderingClient } from '#lib/client';
import { build } from '../build.ts';
import { readPort, runCommand } from './arguments.ts';
import { clientOf } from './demo/client-of.ts';
import { describeReport } from './demo/describe-report.ts';
import { parseDuration } from './demo/duration.ts';
import { type Interrupt, listenForInterrupt } from './demo/interrupt.ts';
import { download, follow, pipelineOf, upload } from './demo/journey.ts';
import { watchLive } from './demo/live-journey.ts';
import { type ModelFiles, modelFiles } from './demo/model-files.ts';
import { Progress } from './demo/progress.ts';
import { type DemoReport, reportOf } from './demo/report.ts';
import { stackLog } from './demo/stack-log.ts';
import type { StackEndpoints } from './endpoints.ts';
import { StackError } from './stack-error.ts';
import { stopMachines } from './stop-machines.ts';
import { startStack } from './supervisor.ts';

const help = `
npm run demo: the main job on one machine. Starts the embedded stack, uploads a model, and shows upload, conversion, session, lease and
the machine's end; then stops the stack. Exits with 0 when the machine was seen stopped at the session's end, and with 1 when the pipeline
failed, the stack could not start, or Ctrl-C came first.

Usage: npm run demo -- [options]

  --model PATH     a model file (.glb, .gltf) or a folder with a model of several files; default: a model of the demo's own
  --lease PT15S    how long the session may run once it is ready, an ISO 8601 duration up to PT24H
  --out DIR        keeps the converted asset, info and result there
  --keep           leaves the stack up afterwards, until Ctrl-C
  --port N         port of the app (7071); 0 chooses a free one
  --directory DIR  where the stack keeps its state, one stack at a time (.local); demo.log there has what the stack says
  --json           prints one JSON document to stdout, as docs/demo-report.schema.json says; progress goes to stderr
  --help           this text
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));
/** The demo uploads a model after all that it refers to, so that a file that is missing then will not come. */
const WAIT_FOR_FILES_SECONDS = 3;
const DEFAULT_MAX_LEASE_SECONDS = 28_800;
const CONTAINERS = { models: 'models', assets: 'assets' } as const;

const options = {
  model: { type: 'string' },
  lease: { type: 'string', default: 'PT15S' },
  out: { type: 'string' },
  keep: { type: 'boolean', default: false },
  port: { type: 'string' },
  directory: { type: 'string', default: join(scriptRoot, '.local') },
  json: { type: 'boolean', default: false },
} as const;

interface Demo {
  readonly files: ModelFiles;
  readonly leaseSeconds: number;
  /** Absolute, and there. */
  readonly out: string | undefined;
  readonly keep: boolean;
  readonly port: number | undefined;
  readonly directory: string;
  readonly print: (report: DemoReport) => void;
}

await runCommand({ help, options }, async ({ model, lease, out, keep, port, directory, json }) => {
  const demo: Demo = {
    port: readPort(port),
    leaseSeconds: parseDuration(lease),
    files: await modelFiles(model),
    out: out === undefined ? undefined : resolve(out),
    keep,
    directory: resolve(directory),
    print: (report) => json && process.stdout.write(`${JSON.stringify(report)}\n`),
  };
  if (demo.out !== undefined) await mkdir(demo.out, { recursive: true });
  const progress = new Progress(process.stderr);
  using interrupt = listenForInterrupt(() => progress.line('closing', 'already; it takes 25 s at most'));
  try {
    const report = await runDemo(demo, progress, interrupt);
    return report.status === 'failed' ? 1 : 0;
  } catch (error) {
    if (!interrupt.asked) throw interrupt.signal.aborted ? interrupt.signal.reason : error;
    progress.line('interrupted', 'before the journey was over; nothing is left running');
    return 1;
  }
});

async function runDemo(demo: Demo, progress: Progress, interrupt: Interrupt): Promise<DemoReport> {
  using log = stackLog(join(demo.directory, 'demo.log'));
  const stack = await startStack({
    directory: demo.directory,
    scriptRoot,
    ...(demo.port !== undefined && { port: demo.port }),
    environment: environmentOf(demo),
    onLog: log.onLog,
    prepare: async () => {
      progress.line('building', 'the app, the converter and the session host');
      await build();
      progress.line('booting', 'the embedded stack');
    },
    beforeStop: stopMachines,
    signal: interrupt.signal,
  });
  void stack.failed.then((error) => interrupt.abort(error));
  let report: DemoReport;
  try {
    const client = clientOf(stack.endpoints, demo.directory);
    report = await showJourney(client, stack.endpoints, demo.files, progress, interrupt.signal);
    if (demo.out !== undefined) await keepOutputs(client, report.pipelineId, demo.out, progress);
    progress.text(describeReport(report, log.path));
    if (demo.keep) {
      demo.print(report);
      await keepUp(stack.endpoints, progress, interrupt.signal);
    }
  } finally {
    progress.line('closing', 'the machines, the app, the storage');
    await stack.stop();
  }
  progress.line('closed', 'nothing is left running');
  if (!demo.keep) demo.print(report);
  return report;
}

/** What the demo depends on, whatever the caller's own environment says. */
function environmentOf({ leaseSeconds }: Demo): Record<string, string> {
  return {
    MODELS_CONTAINER: CONTAINERS.models,
    ASSETS_CONTAINER: CONTAINERS.assets,
    UPLOAD_POLICY: 'convert-and-start',
    WAIT_FOR_FILES_SECONDS: String(WAIT_FOR_FILES_SECONDS),
    LEASE_SECONDS: String(leaseSeconds),
    MAX_LEASE_SECONDS: String(Math.max(leaseSeconds, DEFAULT_MAX_LEASE_SECONDS)),
  };
}

async function showJourney(
  client: RemoteRenderingClient,
  { blob }: StackEndpoints,
  files: ModelFiles,
  progress: Progress,
  signal: AbortSignal,
): Promise<DemoReport> {
  const uploadedAt = new Date();
  const bytes = files.files.reduce((sum, file) => sum + file.bytes, 0).toLocaleString('en-US');
  const count = files.files.length === 1 ? '1 file' : `${files.files.length} files`;
  progress.line('uploading', `${count}, ${bytes} bytes`);
  const model = await upload(client, files, signal);
  const id = await pipelineOf(client, model, signal);
  const live = watchLive(client, id, signal);
  const pipeline = await follow(client, id, signal, (now, lease) => progress.show(now, lease));
  return reportOf(pipeline, uploadedAt, `${blob}/${CONTAINERS.assets}`, await live.received());
}

async function keepOutputs(client: RemoteRenderingClient, id: string, out: string, progress: Progress): Promise<void> {
  const saved = await download(client, id, (name) => join(out, basename(name)));
  const what = saved.length > 0 ? saved.map((path) => basename(path)).join(', ') : 'nothing: nothing was written';
  progress.line('kept', `${what}, in ${out}`);
}

/** Until Ctrl-C, or until the stack ends by itself. */
async function keepUp(endpoints: StackEndpoints, progress: Progress, signal: AbortSignal): Promise<void> {
  progress.line('kept up', `${endpoints.app} answers until Ctrl-C`);
  if (!signal.aborted) await once(signal, 'abort');
  if (signal.reason instanceof StackError) throw signal.reason;
}
