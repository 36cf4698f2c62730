import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseConversionSettings } from '#lib/conversion';
import type { ConverterOrder } from '../../lib/conversion/converter-protocol.ts';
import { limits } from '../support/models/index.ts';

/** A program that makes a small GLB of a model. */
export type Tool = 'converter' | 'gltf-transform' | 'gltfpack';
export const tools: readonly Tool[] = ['converter', 'gltf-transform', 'gltfpack'];

/** What one run of a program took, from its start until it was gone. */
export interface Run {
  readonly milliseconds: number;
  /** Of the output. */
  readonly bytes: number;
  /** Largest resident memory, in bytes. */
  readonly peak: number;
}

const PEAK_MILLISECONDS = 10;
const MAX_MILLISECONDS = 300_000;
const converter = fileURLToPath(new URL('../../dist/functions/converter.mjs', import.meta.url));

/** Runs one program on one model; undefined where it makes no output of it. */
export async function runTool(tool: Tool, model: string, directory: string): Promise<Run | undefined> {
  const output = join(directory, 'asset.glb');
  await rm(output, { force: true });
  const start = performance.now();
  const child = starters[tool](model, directory, output);
  const deadline = setTimeout(() => child.kill('SIGKILL'), MAX_MILLISECONDS);
  const gone = new AbortController();
  const [code, peak] = await Promise.all([ended(child).finally(() => gone.abort()), peakOf(child, gone.signal)]);
  clearTimeout(deadline);
  const milliseconds = performance.now() - start;
  const found = await stat(output).catch(() => undefined);
  return code === 0 && found !== undefined ? { milliseconds, bytes: found.size, peak } : undefined;
}

const starters: Readonly<Record<Tool, (model: string, directory: string, output: string) => ChildProcess>> = {
  /** As `convert` starts it; the app that does is running already, as the shell that starts the others. */
  converter: (model, directory) => {
    const child = fork(converter, [], { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const job = { directory: dirname(model), file: basename(model), outputDirectory: directory };
    const order: ConverterOrder = {
      parent: process.pid,
      job: { ...job, settings: parseConversionSettings(undefined), limits: { ...limits, texturePixels: 2 ** 28 } },
    };
    child.send(order);
    return child;
  },
  'gltf-transform': (model, _directory, output) =>
    start('@gltf-transform/cli/bin/cli.js', [
      'optimize',
      model,
      output,
      '--compress',
      'meshopt',
      '--texture-compress',
      'webp',
    ]),
  gltfpack: (model, _directory, output) => start('gltfpack/cli.js', ['-cc', '-i', model, '-o', output]),
};

/** Programs of packages are none of their modules: they are found by their path. */
function start(program: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(`../../node_modules/${program}`, import.meta.url));
  return spawn(process.execPath, [path, ...args], { stdio: 'ignore' });
}

async function ended(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code) => resolve(code));
  });
}

/** Linux keeps the peak itself; it is read until there is no process to ask. */
async function peakOf(child: ChildProcess, gone: AbortSignal): Promise<number> {
  let peak = 0;
  while (!gone.aborted) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0));
    await sleep(PEAK_MILLISECONDS);
  }
  return peak;
}
