import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { demoReport } from '../../infra/local/demo/report.ts';
import { temporaryDirectory } from './stack.ts';

const execute = promisify(execFile);
const program = fileURLToPath(new URL('../../infra/local/demo.ts', import.meta.url));
const publishedSchema = new URL('../../docs/demo-report.schema.json', import.meta.url);

/** What the demo command did, and what it left. */
export interface DemoRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Files of `--out` by name. */
  readonly outputs: ReadonlyMap<string, Uint8Array>;
  /** Folders of machines that the stack still knows. */
  readonly machines: readonly string[];
  /** Processes that still run, as `ps` shows them. */
  readonly left: readonly string[];
}

/** Runs `npm run demo` as a person would, in a temporary directory of its own, with a lease of a few seconds. */
export async function runDemo(...options: readonly string[]): Promise<DemoRun> {
  return await interruptDemo(undefined, ...options);
}

/** The same, with Ctrl-C as soon as it prints something: the signal goes to the command and all that it started in its terminal. */
export async function interruptDemo(at: RegExp | undefined, ...options: readonly string[]): Promise<DemoRun> {
  await using directory = await temporaryDirectory();
  const out = join(directory.path, 'out');
  const state = join(directory.path, 'state');
  const child = spawn(
    process.execPath,
    [program, '--port', '0', '--directory', state, '--lease', 'PT4S', '--out', out, '--json', ...options],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let interrupted = false;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (printed: string) => {
    stderr += printed;
    if (interrupted || at === undefined || !at.test(stderr) || child.pid === undefined) return;
    interrupted = true;
    process.kill(-child.pid, 'SIGINT');
  });
  const [stdout, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const machines = (await namesIn(join(state, 'machines'))).filter((name) => !name.startsWith('.'));
  const outputs = new Map<string, Uint8Array>();
  for (const name of await namesIn(out)) outputs.set(name, await readFile(join(out, name)));
  const { stdout: processes } = await execute('ps', ['-eo', 'pid=,args=', '-ww']);
  const left = processes.split('\n').filter((line) => line.includes(directory.path));
  return { exitCode: z.number().nullable().parse(exitCode), stdout, stderr, outputs, machines, left };
}

/** The one line on stdout, checked against the schema that is published. */
export async function reportIn({ stdout }: DemoRun): Promise<z.output<typeof demoReport>> {
  const [line, ...rest] = stdout.split('\n');
  if (rest.join('') !== '') throw new Error(`More than one line on stdout: ${stdout}`);
  const report: unknown = JSON.parse(line ?? '');
  z.fromJSONSchema(JSON.parse(await readFile(publishedSchema, 'utf8'))).parse(report);
  return demoReport.parse(report);
}

function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
