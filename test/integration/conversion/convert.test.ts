import { access, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ConversionProgress, type ConversionRequest, convert, parseConversionSettings } from '#lib/conversion';
import {
  boxGlb,
  limits,
  type ModelFiles,
  modelFolder,
  quadFiles,
  sheetGlb,
  unpack,
} from '../../support/models/index.ts';

async function run(files: ModelFiles, changes: Partial<ConversionRequest> = {}) {
  await using folder = await modelFolder(files);
  const outcome = await convert({
    directory: folder.input,
    file: Object.keys(files)[0] ?? '',
    outputDirectory: folder.output,
    settings: parseConversionSettings({}),
    limits,
    ...changes,
  });
  const path = `${folder.output}/asset.glb`;
  const asset = outcome.status === 'succeeded' ? await readFile(outcome.asset.path) : undefined;
  const left = await access(path).then(
    () => true,
    () => false,
  );
  return { outcome, asset, left };
}

describe('a conversion in a child process', () => {
  it('makes one GLB of a model in several files', async () => {
    const { outcome, asset } = await run(quadFiles());
    expect(outcome).toMatchObject({ status: 'succeeded', warnings: [], validation: { numErrors: 0 } });
    expect((await unpack(asset ?? new Uint8Array(0))).getRoot().listTextures()).toHaveLength(1);
  });

  it('tells of its phases with what is known by then, twice a second at most, and of the last one in any case', async () => {
    const told: (ConversionProgress & { readonly at: number })[] = [];
    const onProgress = (progress: ConversionProgress) => told.push({ ...progress, at: performance.now() });
    const { outcome } = await run({ 'sheet.glb': sheetGlb(60_000) }, { onProgress });
    const phases = told.map(({ phase }) => phase);
    const order = ['reading', 'importing', 'optimising', 'compressing', 'validating', 'writing'];
    expect(phases[0]).toBe('reading');
    expect(phases).toEqual(order.filter((phase) => phases.some((told) => told === phase)));
    const pauses = told.slice(1, -1).map(({ at }, i) => at - (told[i]?.at ?? 0));
    for (const pause of pauses) expect(pause).toBeGreaterThan(490);
    const { summary } = z.object({ summary: z.unknown() }).parse(outcome);
    const { phase, inputBytes, triangles, outputBytes } = told.at(-1) ?? expect.fail('Nothing was told.');
    expect(phase).toBe('writing');
    expect(summary).toMatchObject({ input: { bytes: inputBytes }, output: { bytes: outputBytes, triangles } });
  });

  it('honours its settings', async () => {
    const { outcome } = await run({ 'box.glb': boxGlb() }, { settings: parseConversionSettings({ scaling: 10 }) });
    expect(outcome).toMatchObject({ info: { outputStatistics: { boundingBox: { max: [10, 10, 10] } } } });
  });

  it('fails with the cause of the model', async () => {
    const { 'quad.bin': _buffer, ...files } = quadFiles();
    const { outcome, left } = await run(files);
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'missing_files' } });
    expect(left).toBe(false);
  });

  it('fails at its deadline and names the limit', async () => {
    const { outcome, left } = await run(
      { 'sheet.glb': sheetGlb(100_000) },
      { limits: { ...limits, timeoutSeconds: 0.05 } },
    );
    const message = expect.stringContaining("'sheet.glb' took longer than 0.05 s (timeoutSeconds)");
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'timeout', message } });
    expect(left).toBe(false);
  });

  it('fails at its memory and names the limit', async () => {
    const { outcome } = await run({ 'box.glb': boxGlb() }, { limits: { ...limits, memoryBytes: 32 * 2 ** 20 } });
    const message = expect.stringContaining('(memoryBytes)');
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'memory', message } });
  });

  it('is cancelled while it runs, and before it starts', async () => {
    const cancel = new AbortController();
    const onProgress = () => cancel.abort();
    const running = await run({ 'sheet.glb': sheetGlb(100_000) }, { signal: cancel.signal, onProgress });
    expect(running.outcome).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    expect(running.left).toBe(false);
    const never = await run({ 'box.glb': boxGlb() }, { signal: AbortSignal.abort() });
    expect(never.outcome).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
  });
});
