import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import validator from 'gltf-validator';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type DemoRun, interruptDemo, reportIn, runDemo } from '../support/e2e-demo.ts';
import { boxGlb, modelFolder, quadFiles } from '../support/models/index.ts';

/** Three stacks share two cores. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 3 });

const validation = z.object({ issues: z.object({ numErrors: z.number() }) });

/** What holds of every run that ended well: the whole journey, a machine that came and went, and an asset that is valid. */
async function expectSuccess(run: DemoRun, name: string) {
  expect(run.exitCode, run.stderr).toBe(0);
  expect([run.machines, run.left]).toEqual([[], []]);
  const report = await reportIn(run);
  expect(report).toMatchObject({ status: 'stopped', reason: 'lease_expired' });
  const states = ['waiting', 'converting', 'starting', 'ready', 'stopping', 'stopped'];
  expect(report.history.map(({ state }) => state)).toEqual(states);
  const shown = states.map((state) => run.stderr.search(new RegExp(`^ +[\\d.]+ s {2}${state} `, 'm')));
  expect(shown, run.stderr).toEqual(shown.toSorted((a, b) => a - b));
  expect(shown).not.toContain(-1);
  expect(report.vm?.seconds).toBeGreaterThanOrEqual(1);
  const names = [`${name}.glb`, `${name}.info.json`, `${name}.result.json`];
  expect(report.outputs?.map((output) => output.name)).toEqual(names);
  expect([...run.outputs.keys()].toSorted()).toEqual(names);
  for (const output of report.outputs ?? []) expect(run.outputs.get(output.name)?.length).toBe(output.bytes);
  const glb = run.outputs.get(`${name}.glb`) ?? new Uint8Array(0);
  expect(validation.parse(await validator.validateBytes(glb)).issues.numErrors).toBe(0);
  return report;
}

/** What holds of every run whose pipeline failed before there was a machine. */
async function expectFailure(run: DemoRun, reason: string, name: string) {
  expect(run.exitCode, run.stderr).toBe(1);
  expect([run.machines, run.left]).toEqual([[], []]);
  const report = await reportIn(run);
  expect(report).toMatchObject({ status: 'failed', reason, conversion: null, session: null, vm: null, outputs: null });
  expect(run.stderr).toContain(`failed     ${reason}: ${report.evidence}`);
  expect(run.stderr).toContain('what to do');
  expect(run.stderr).not.toMatch(/\n {4}at /);
  expect([...run.outputs.keys()]).toEqual([`${name}.result.json`]);
  return report;
}

describe('The demo shows the whole journey', () => {
  test.concurrent('of its own model', async () => {
    const report = await expectSuccess(await runDemo(), 'compressor-wheel');
    expect(report.conversion).toMatchObject({ cached: false, input: { files: 1 }, warnings: [] });
    expect(report.conversion?.output.bytes).toBeLessThan(report.conversion?.input.bytes ?? 0);
  });

  test.concurrent('of a folder with a model, its buffer and its texture', async () => {
    await using model = await modelFolder(quadFiles({ bufferUri: 'parts/quad.bin', textureUri: 'textures/wood.png' }));
    const report = await expectSuccess(await runDemo('--model', model.input), 'quad');
    expect(report.conversion).toMatchObject({ input: { files: 3, triangles: 2 }, warnings: [] });
  });

  test.concurrent('of a model file, which brings what it refers to; a texture that is missing is a warning', async () => {
    const uris = { bufferUri: 'b%C3%BCffer%20%231.bin', bufferPath: 'büffer #1.bin' };
    await using model = await modelFolder({ ...quadFiles(uris), 'other.glb': boxGlb() });
    await rm(join(model.input, 'wood.png'));
    const run = await runDemo('--model', join(model.input, 'quad.gltf'));
    const report = await expectSuccess(run, 'quad');
    expect(report.conversion?.input.files).toBe(2);
    expect(report.conversion?.warnings).toMatchObject([{ code: '4004' }]);
    expect(run.stderr).toMatch(/waiting +for wood\.png/);
    expect(run.stderr).toMatch(/warning +4004 .*wood\.png/);
  });
});

describe('The demo fails with a reason and what to do, without a machine', () => {
  test.concurrent('where a buffer is missing', async () => {
    await using model = await modelFolder(quadFiles());
    await rm(join(model.input, 'quad.bin'));
    const report = await expectFailure(await runDemo('--model', model.input), 'missing_files', 'quad');
    expect(report.evidence).toContain('quad.bin');
    expect(report.timings.total).toBeLessThan(15);
  });

  test.concurrent('where the file is no model', async () => {
    await using model = await modelFolder({ 'my model.glb': Buffer.from('This is no model at all.') });
    const run = await runDemo('--model', join(model.input, 'my model.glb'));
    await expectFailure(run, 'input_refused', 'my model');
  });
});

describe('The demo ends at once and leaves nothing behind', () => {
  test.concurrent.each([
    ['while the stack starts', /booting/],
    ['while a machine runs', /ready/],
  ])('where Ctrl-C comes %s', async (_when, at) => {
    const run = await interruptDemo(at, '--lease', 'PT10M');
    expect(run).toMatchObject({ exitCode: 1, stdout: '', machines: [], left: [] });
    expect(run.stderr).toMatch(/interrupted before the journey was over; nothing is left running\n$/);
    expect(run.stderr).not.toMatch(/\n {4}at /);
  });

  test.concurrent('where its port is taken: one line says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = z.object({ port: z.number() }).parse(other.address());
    const run = await runDemo('--port', String(port));
    other.close();
    expect(run).toMatchObject({ exitCode: 1, stdout: '', left: [] });
    expect(run.stderr).toMatch(new RegExp(`^Port ${port}, which the app needs, is taken by another program: .*\\n$`));
  });

  test.concurrent('where --model names no model: one line says so', async () => {
    await using model = await modelFolder({ 'a.glb': boxGlb(), 'b.glb': boxGlb() });
    const run = await runDemo('--model', model.input);
    expect(run).toMatchObject({ exitCode: 1, stdout: '', left: [] });
    expect(run.stderr).toMatch(/^The folder .* holds 2 models \(a\.glb, b\.glb\); name one with --model\.\n$/);
  });
});
