import { mkdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { build } from '../../infra/build.ts';
import { runCommand, UsageError } from '../../infra/local/arguments.ts';
import { temporaryDirectory } from '../support/stack.ts';
import { modelsIn, sizeOf, writeLargeModels } from './conversion-models.ts';
import { type Run, runTool, type Tool, tools } from './conversion-tools.ts';

const help = `
npm run bench:conversion: how long the converter takes and how small its output is, beside "gltf-transform optimize --compress meshopt
--texture-compress webp" and gltfpack -cc (which leaves textures as they are), on the same models in the same run: whole processes, which
take turns; the median of the runs, summed over the models that all of them convert. Judged: at most the time of gltf-transform, at no more
bytes; two models at once at most 1.1 times one after the other. Exits with 1 where a target is missed.

Usage: npm run bench:conversion -- [--runs 5] [--models DIRECTORY]
DIRECTORY holds glTF models; that of Debian's package assimp-testmodels is taken without it.
`;

interface Row {
  readonly name: string;
  readonly input: number;
  readonly runs: Readonly<Record<Tool, readonly Run[]>>;
}

const options = {
  runs: { type: 'string', default: '5' },
  models: { type: 'string', default: '/usr/share/assimp/models/glTF2' },
} as const;

await runCommand({ help, options }, async ({ runs, models }) => {
  const count = z.coerce.number().int().min(1).max(100).safeParse(runs);
  if (!count.success) throw new UsageError('--runs takes a whole number from 1 to 100.');
  const found = await modelsIn(models).catch(() => []);
  if (found.length === 0)
    throw new UsageError(`There is no model in ${models}: install assimp-testmodels, or name a directory.`);
  await using directory = await temporaryDirectory();
  await build();
  await mkdir(join(directory.path, 'output'));
  const large = await writeLargeModels(directory.path);
  const rows = await measure([...found, ...large], count.data, join(directory.path, 'output'));
  report(rows);
  const [first, second] = large.slice(-2);
  const together = await measurePair([first ?? '', second ?? ''], count.data, directory.path);
  const missed = judge(rows, together);
  for (const target of missed) process.stdout.write(`MISSED: ${target}\n`);
  return missed.length === 0 ? 0 : 1;
});

/** Every program on every model in turn; models that one of them does not convert are left out. */
async function measure(models: readonly string[], count: number, output: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const model of models) {
    const runs: Record<Tool, Run[]> = { converter: [], 'gltf-transform': [], gltfpack: [] };
    for (let i = 0; i < count && tools.every((tool) => runs[tool].length === i); i += 1) {
      for (const tool of tools) {
        const run = await runTool(tool, model, output);
        if (run !== undefined) runs[tool].push(run);
      }
    }
    if (tools.every((tool) => runs[tool].length === count)) {
      rows.push({ name: basename(model, extname(model)), input: await sizeOf(model), runs });
    }
  }
  return rows;
}

function report(rows: readonly Row[]): void {
  print(['', 'converter', '', '', 'gltf-transform', '', '', 'gltfpack', '', '']);
  print(['model', ...tools.flatMap(() => ['ms', 'KB', 'MB peak'])]);
  for (const { name, input, runs } of rows) {
    print([`${name} (${kilobytes(input)} KB)`, ...tools.flatMap((tool) => cells(runs[tool]))]);
  }
  const sums = tools.flatMap((tool) => [time(rows, tool).toFixed(0), kilobytes(bytes(rows, tool)), '']);
  print([`sum of ${rows.length}`, ...sums]);
}

function judge(rows: readonly Row[], together: number): string[] {
  const [ours, theirs] = [time(rows, 'converter'), time(rows, 'gltf-transform')];
  const size = bytes(rows, 'converter') / bytes(rows, 'gltf-transform');
  process.stdout.write(
    `\nOf gltf-transform optimize: ${(ours / theirs).toFixed(2)} of the time, ${size.toFixed(3)} of the bytes. ` +
      `Two models at once: ${together.toFixed(2)} times one after the other.\n`,
  );
  return [
    ...(ours <= theirs ? [] : ['at most the time of gltf-transform optimize']),
    ...(size <= 1 ? [] : ['no more bytes than gltf-transform optimize']),
    ...(together <= 1.1 ? [] : ['two models at once: at most 1.1 times one after the other']),
  ];
}

/** How long two models take at once, as a multiple of one after the other. */
async function measurePair(models: readonly [string, string], count: number, directory: string): Promise<number> {
  const outputs = await Promise.all(
    models.map(async (_, i) => {
      const output = join(directory, `output-${i}`);
      await mkdir(output);
      return output;
    }),
  );
  const runs = models.map((model, i) => () => runTool('converter', model, outputs[i] ?? directory));
  const ratios: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const start = performance.now();
    for (const run of runs) await run();
    const middle = performance.now();
    await Promise.all(runs.map((run) => run()));
    ratios.push((performance.now() - middle) / (middle - start));
  }
  return median(ratios);
}

function cells(runs: readonly Run[]): string[] {
  const peak = Math.max(...runs.map((run) => run.peak));
  return [
    median(runs.map((run) => run.milliseconds)).toFixed(0),
    kilobytes(runs[0]?.bytes ?? 0),
    (peak / 2 ** 20).toFixed(0),
  ];
}

function time(rows: readonly Row[], tool: Tool): number {
  return rows.reduce((sum, { runs }) => sum + median(runs[tool].map((run) => run.milliseconds)), 0);
}

function bytes(rows: readonly Row[], tool: Tool): number {
  return rows.reduce((sum, { runs }) => sum + (runs[tool][0]?.bytes ?? 0), 0);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function kilobytes(count: number): string {
  return (count / 1024).toFixed(count < 10 * 1024 ? 1 : 0);
}

function print([name = '', ...rest]: readonly string[]): void {
  process.stdout.write(`${name.slice(0, 46).padEnd(47)}${rest.map((cell) => cell.padStart(9)).join('')}\n`);
}
