import { createHash } from 'node:crypto';
import { link, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import validator from 'gltf-validator';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { contentKey, parseConversionSettings } from '#lib/conversion';
import { type ConvertRun, runConvert } from '../../support/convert-command.ts';
import { boxGlb, modelFolder, quadFiles, sheetGlb } from '../../support/models/index.ts';

/** A process for the command and one for its converter, several at a time. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 2 });

const success = z.object({
  status: z.literal('succeeded'),
  out: z.string(),
  files: z.array(z.object({ name: z.string(), bytes: z.number() })),
  summary: z.object({
    input: z.object({ triangles: z.number(), files: z.number() }),
    output: z.object({ bytes: z.number() }),
  }),
  warnings: z.array(z.object({ code: z.string() })),
  validation: z.object({ numErrors: z.literal(0) }),
  seconds: z.number(),
});
const failure = z.object({
  status: z.literal('failed'),
  error: z.object({ code: z.string(), message: z.string() }),
  files: z.array(z.object({ name: z.string() })),
});
const info = z.object({
  files: z.object({ input: z.string() }),
  conversionSettings: z.record(z.string(), z.unknown()),
  outputInfo: z.object({ conversionHash: z.string() }),
});
const validation = z.object({ issues: z.object({ numErrors: z.number() }) });

/** The one line on stdout. */
function lineOf({ stdout }: ConvertRun): unknown {
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout);
}

async function outputsIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}

describe.concurrent('A model is converted', () => {
  test('to a valid GLB, its info and its result', async () => {
    await using model = await modelFolder(quadFiles());
    const run = await runConvert([join(model.input, 'quad.gltf'), '--out', model.output, '--json']);
    expect(run.exitCode, run.stderr).toBe(0);
    const report = success.parse(lineOf(run));
    expect(report).toMatchObject({ out: model.output, summary: { input: { triangles: 2, files: 3 } }, warnings: [] });
    const names = ['quad.glb', 'quad.info.json', 'quad.result.json'];
    expect(report.files.map(({ name }) => name)).toEqual(names);
    expect(await outputsIn(model.output)).toEqual(names);
    const glb = await readFile(join(model.output, 'quad.glb'));
    expect(glb.length).toBe(report.summary.output.bytes);
    expect(validation.parse(await validator.validateBytes(glb)).issues.numErrors).toBe(0);
    const result: unknown = JSON.parse(await readFile(join(model.output, 'quad.result.json'), 'utf8'));
    expect(result).toEqual([{ conversionId: expect.stringMatching(/^[0-9a-f-]{36}$/) }, { result: 'succeeded' }]);
  });

  test('under the hash that the service gives to the same content', async () => {
    const files = quadFiles();
    await using model = await modelFolder(files);
    await runConvert([join(model.input, 'quad.gltf'), '--out', model.output]);
    const { outputInfo } = info.parse(JSON.parse(await readFile(join(model.output, 'quad.info.json'), 'utf8')));
    const hashed = Object.entries(files).map(([path, bytes]) => {
      return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
    });
    const key = contentKey({ files: hashed, settings: parseConversionSettings(undefined) });
    expect(outputInfo.conversionHash).toBe(key.slice(0, 16).toUpperCase());
  });

  test('into the folder "converted" where none is given, and tells people what came of it', async () => {
    await using model = await modelFolder({ 'box.glb': boxGlb() });
    const run = await runConvert(['box.glb'], { directory: model.input });
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await outputsIn(join(model.input, 'converted'))).toContain('box.glb');
    for (const line of [
      /^ +[\d.]+ s {2}reading/m,
      /^ +[\d.]+ s {2}converted$/m,
      /^ {2}bytes +1,\d+ in, [\d,]+ out \([\d.]+ %\)$/m,
      /^ {2}triangles +12 in, 12 out$/m,
      /^ {2}valid +0 errors/m,
      /^ {2}output +box.glb \([\d,]+ bytes\), in /m,
    ]) {
      expect(run.stderr).toMatch(line);
    }
  });

  test('with the settings beside it, unless others are given', async () => {
    const beside = Buffer.from('{"scaling": 2}');
    await using model = await modelFolder({ 'box.glb': boxGlb(), 'box.ConversionSettings.json': beside });
    const settings = join(model.input, 'other.json');
    await writeFile(settings, '{"scaling": 3}');
    const path = join(model.input, 'box.glb');
    const settingsUsed = async (...args: readonly string[]) => {
      await runConvert([path, '--out', model.output, ...args]);
      return info.parse(JSON.parse(await readFile(join(model.output, 'box.info.json'), 'utf8'))).conversionSettings;
    };
    expect(await settingsUsed()).toEqual({ scaling: 2 });
    expect(await settingsUsed('--settings', settings)).toEqual({ scaling: 3 });
  });
});

describe.concurrent('A model that cannot be converted', () => {
  test('leaves its result alone, also of an earlier conversion', async () => {
    await using model = await modelFolder({ 'box.glb': boxGlb() });
    const args = [join(model.input, 'box.glb'), '--out', model.output, '--json'];
    expect((await runConvert(args)).exitCode).toBe(0);
    await writeFile(join(model.input, 'box.glb'), boxGlb().subarray(0, 500));
    const run = await runConvert(args);
    expect(run.exitCode).toBe(1);
    const { error, files } = failure.parse(lineOf(run));
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('cut off') });
    expect(files.map(({ name }) => name)).toEqual(['box.result.json']);
    expect(await outputsIn(model.output)).toEqual(['box.result.json']);
    expect(await readFile(join(model.output, 'box.result.json'), 'utf8')).toContain('"result": "failed"');
    expect(run.stderr).toContain(error.message);
  });

  test('because of its settings, says which', async () => {
    await using model = await modelFolder({ 'box.glb': boxGlb(), 'my.json': Buffer.from('{"scaling": "big"}') });
    const settings = join(model.input, 'my.json');
    const run = await runConvert([
      join(model.input, 'box.glb'),
      '--out',
      model.output,
      '--settings',
      settings,
      '--json',
    ]);
    expect(run.exitCode).toBe(1);
    expect(failure.parse(lineOf(run)).error).toMatchObject({
      code: 'input_refused',
      message: expect.stringMatching(/my\.json.*scaling/s),
    });
  });

  test('because of a limit, says by which setting it is raised', async () => {
    await using model = await modelFolder({ 'box.glb': boxGlb() });
    const environment = { CONVERSION_MAX_INPUT_BYTES: '7' };
    const run = await runConvert([join(model.input, 'box.glb'), '--out', model.output, '--json'], { environment });
    expect(run.exitCode).toBe(1);
    expect(failure.parse(lineOf(run)).error).toMatchObject({
      code: 'limit',
      message: expect.stringContaining('CONVERSION_MAX_INPUT_BYTES'),
    });
  });

  test('because of Ctrl-C, leaves no converter running and no output but its result', async () => {
    await using model = await modelFolder({ 'sheet.glb': sheetGlb(1_000_000) });
    const args = [join(model.input, 'sheet.glb'), '--out', model.output, '--json'];
    const run = await runConvert(args, { interruptAt: /reading|importing|optimising/ });
    expect(run).toMatchObject({ exitCode: 1, left: false });
    expect(failure.parse(lineOf(run)).error.code).toBe('cancelled');
    expect(await outputsIn(model.output)).toEqual(['sheet.result.json']);
  });

  test('because the disk takes no more, says so', async () => {
    await using model = await modelFolder({ 'sheet.glb': sheetGlb(100_000) });
    const args = [join(model.input, 'sheet.glb'), '--out', model.output, '--settings', 'whole.json', '--json'];
    await writeFile(join(model.input, 'whole.json'), '{}');
    const run = await runConvert(args, { directory: model.input, fileSizeLimit: 20 });
    expect(run.exitCode).toBe(1);
    expect(failure.parse(lineOf(run)).error.message).toContain('file too large');
    expect(await outputsIn(model.output)).toEqual(['sheet.result.json']);
  });
});

describe.concurrent('Nothing is overwritten but an earlier conversion:', () => {
  test('a file that is none of ours', async () => {
    await using model = await modelFolder({ 'box.gltf': Buffer.from('{}'), 'out/box.glb': Buffer.from('mine') });
    const run = await runConvert([join(model.input, 'box.gltf'), '--out', join(model.input, 'out'), '--json']);
    expect(run.exitCode).toBe(1);
    expect(failure.parse(lineOf(run)).error).toMatchObject({ code: 'would_overwrite' });
    expect(await outputsIn(join(model.input, 'out'))).toEqual(['box.glb']);
    expect(await readFile(join(model.input, 'out/box.glb'), 'utf8')).toBe('mine');
  });

  test.each([
    ['the model', (from: string, to: string) => link(from, to)],
    ['the model under another name', (from: string, to: string) => symlink(from, to)],
  ])('%s', async (_name, also) => {
    await using model = await modelFolder({ 'box.glb': boxGlb(), 'out/box.result.json': Buffer.from('[]') });
    const out = join(model.input, 'out');
    await also(join(model.input, 'box.glb'), join(out, 'box.glb'));
    const run = await runConvert([join(model.input, 'box.glb'), '--out', out, '--json']);
    expect(failure.parse(lineOf(run)).error).toMatchObject({ code: 'would_overwrite' });
    expect(new Uint8Array(await readFile(join(model.input, 'box.glb')))).toEqual(new Uint8Array(boxGlb()));
  });
});

describe.concurrent('The command line', () => {
  test.each([
    ['a path with nothing at it', ['nothing.glb'], 'nothing.glb cannot be read: the path does not exist'],
    ['a folder, whose models it names', ['models'], 'models is a folder; give the model file in it: a.glb, b.obj.'],
    ['an output folder below a file', ['models/a.glb', '--out', 'models/b.obj/out'], 'a file is in the way'],
    ['an output folder that is a file', ['models/a.glb', '--out', 'models/b.obj'], 'a file is in the way'],
    ['a settings file that is not there', ['models/a.glb', '--settings', 'no.json'], 'no.json cannot be read'],
  ])('may have %s, and fails for it', async (_name, args, message) => {
    await using model = await modelFolder({ 'models/a.glb': boxGlb(), 'models/b.obj': Buffer.from('v 0 0 0') });
    const run = await runConvert([...args, '--json'], { directory: model.input });
    expect(run.exitCode).toBe(1);
    expect(failure.parse(lineOf(run))).toMatchObject({
      error: { message: expect.stringContaining(message) },
      files: [],
    });
    expect(await outputsIn(model.input)).toEqual(['models']);
  });

  test.each([[[]], [['a.glb', 'b.glb']], [['a.glb', '--frob']], [['a.glb', '--out']]])(
    'must be understood: %j',
    async (args) => {
      expect(await runConvert(args)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringContaining('Try --help.'),
      });
    },
  );

  test('explains itself', async () => {
    expect(await runConvert(['--help'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('INPUT'),
      stderr: '',
    });
  });
});
