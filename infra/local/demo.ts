import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../build.ts';
import { readPort, runCommand } from './arguments.ts';
import { adviceOn } from './demo/advice.ts';
import { parseDuration } from './demo/duration.ts';
import { download, follow, pipelineOf, upload } from './demo/journey.ts';
import { type ModelFiles, modelFiles } from './demo/model-files.ts';
import { describeReport, Progress } from './demo/progress.ts';
import { type DemoReport, reportOf } from './demo/report.ts';
import { StackError } from './stack-error.ts';
import { stopMachines } from './stop-machines.ts';
import { type StackEndpoints, startStack } from './supervisor.ts';

const help = `
npm run demo: the main job on one machine. Starts the embedded stack, uploads a model, and shows upload, conversion, session, lease and
the machine's end; then stops the stack. Exits with 0 when the machine was seen stopped, with 1 when the pipeline failed.

Usage: npm run demo -- [options]

  --model PATH    a model file (.glb, .gltf) or a folder with a model of several files; default: a model of the demo's own
  --lease PT15S   how long the session may run once it is ready, an ISO 8601 duration
  --out DIR       keeps the converted asset, info and result there
  --keep          leaves the stack up afterwards, until Ctrl-C
  --port N        port of the app (7071); 0 chooses a free one
  --json          prints one JSON document to stdout, as docs/demo-report.schema.json says
  --help          this text
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));
/** The demo uploads a model after all that it refers to, so that a file that is missing then will not come. */
const WAIT_FOR_FILES_SECONDS = '3';

const options = {
  model: { type: 'string' },
  lease: { type: 'string', default: 'PT15S' },
  out: { type: 'string' },
  keep: { type: 'boolean', default: false },
  port: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

await runCommand({ help, options }, async (given) => {
  const { out, keep, json } = given;
  const port = readPort(given.port);
  const leaseSeconds = parseDuration(given.lease);
  const files = await modelFiles(given.model);
  const progress = new Progress(process.stderr);
  progress.line('building', 'the app, the converter and the session host');
  await build();
  using interrupt = listenForInterrupt();
  progress.line('booting', 'the embedded stack');
  const stack = await startStack({
    directory: join(scriptRoot, '.local'),
    scriptRoot,
    ...(port !== undefined && { port }),
    environment: { LEASE_SECONDS: String(leaseSeconds), WAIT_FOR_FILES_SECONDS, UPLOAD_POLICY: 'convert-and-start' },
    beforeStop: stopMachines,
    signal: interrupt.signal,
  });
  void stack.failed.then((error) => interrupt.abort(error));
  try {
    const report = await run(stack.endpoints, files, progress, interrupt.signal);
    if (out !== undefined) await keepOutputs(stack.endpoints, report.pipelineId, out, progress);
    for (const line of describe(report)) process.stderr.write(`${line}\n`);
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    if (keep) await keepUp(stack.endpoints, progress, interrupt.signal);
    return report.status === 'failed' ? 1 : 0;
  } catch (error) {
    if (!interrupt.asked) throw interrupt.signal.aborted ? interrupt.signal.reason : error;
    progress.line('interrupted', 'stopping the machines and the stack');
    return 1;
  } finally {
    await stack.stop();
  }
});

async function run(
  endpoints: StackEndpoints,
  files: ModelFiles,
  progress: Progress,
  signal: AbortSignal,
): Promise<DemoReport> {
  const uploadedAt = new Date();
  const folder = `demo-${uploadedAt.toISOString().replace(/[^0-9]/g, '')}`;
  const bytes = files.files.reduce((sum, file) => sum + file.bytes, 0);
  progress.line(
    'uploading',
    `${files.files.length} file(s), ${bytes.toLocaleString('en-US')} bytes, to models/${folder}/`,
  );
  await upload(endpoints, 'models', folder, files);
  const id = await pipelineOf(endpoints, `${folder}/${files.model}`, signal);
  const pipeline = await follow(endpoints, id, signal, (now, remaining) => progress.show(now, remaining));
  return reportOf(pipeline, uploadedAt, `${endpoints.blob}/assets`);
}

function describe(report: DemoReport): string[] {
  const lines = describeReport(report);
  if (report.status === 'failed') {
    lines.push(`Failed: ${report.reason}. ${report.evidence ?? ''}`, `What to do: ${adviceOn(report.reason)}`, '');
  }
  return lines;
}

async function keepOutputs(endpoints: StackEndpoints, id: string, out: string, progress: Progress): Promise<void> {
  const directory = resolve(out);
  await mkdir(directory, { recursive: true });
  const saved = await download(endpoints, 'assets', `${id}/`, (name) => join(directory, basename(name)));
  progress.line('kept', saved.length > 0 ? saved.join(', ') : 'nothing: the conversion wrote nothing');
}

/** Until Ctrl-C, or until the stack ends by itself. */
async function keepUp(endpoints: StackEndpoints, progress: Progress, signal: AbortSignal): Promise<void> {
  progress.line('kept up', `${endpoints.app} answers until Ctrl-C`);
  if (!signal.aborted) await once(signal, 'abort');
  if (signal.reason instanceof StackError) throw signal.reason;
}

interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** True where a person asked for the end, and not the stack. */
  readonly asked: boolean;
  abort(reason: Error): void;
}

function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  let asked = false;
  const ask = () => {
    asked = true;
    controller.abort(new Error('The demo was interrupted.'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, ask);
  return {
    signal: controller.signal,
    get asked() {
      return asked;
    },
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, ask);
    },
  };
}
