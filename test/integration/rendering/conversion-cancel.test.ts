import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { runConversion, selfHosted } from '#lib/rendering';
import { boxGlb, sheetGlb } from '../../support/models/index.ts';
import { treeOf } from '../../support/processes.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { type ConversionGround, openGround } from './conversion-ground.ts';

const stop = { reason: 'user_stop', evidence: 'ada asked for it.' } as const;
const large = sheetGlb(400_000);
const within = { timeout: 100_000, interval: 20 };

let storage: TestStorage;
let ground: ConversionGround;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  ground = await openGround(storage.connectionString);
});

const converters = async () =>
  (await treeOf(process.pid)).filter(({ commandLine }) => commandLine.includes('converter-process'));

const cancel = (id: string) => selfHosted(ground.parts).cancelConversion(id, stop);

/** Begins a conversion that takes some seconds, and waits until its converter runs. */
async function begin(id: string): Promise<void> {
  void runConversion(ground.parts, id);
  await vi.waitFor(async () => expect(await converters()).toHaveLength(1), within);
}

describe('a conversion that is cancelled', () => {
  test('while its converter runs is over within two seconds, and leaves its result file alone', async () => {
    const { parts, order, run, written, document } = ground;
    await order('c', { 'chair.glb': large });
    await begin('c');
    const asked = performance.now();
    await cancel('c');
    await vi.waitFor(async () => expect(await converters()).toEqual([]), within);
    expect(performance.now() - asked).toBeLessThan(2000);
    const record = await run('c');
    expect(performance.now() - asked).toBeLessThan(3000);
    expect(record).toMatchObject({ state: 'cancelled', faults: 0, ending: stop });
    expect(await written('')).toEqual(['c/chair.result.json']);
    expect(await document('c/chair.result.json')).toEqual([
      { conversionId: expect.any(String) },
      { error: 'cancelled', title: expect.stringContaining('ada asked for it.'), details: {} },
      { result: 'failed' },
    ]);
    const [, , ...told] = await parts.conversions.history('c');
    expect(told.at(-1)).toMatchObject({ type: 'state', state: 'cancelled', ...stop });
    expect(parts.orchestrations.woken).toEqual(['conversion c']);
    await cancel('c');
    expect(await parts.conversions.get('c')).toEqual(record);
  });

  test('before it has begun never begins', async () => {
    const { parts, order, run, written } = ground;
    await order('c', { 'chair.glb': boxGlb() });
    await cancel('c');
    expect(await run('c')).toMatchObject({ state: 'cancelled', attempts: 0 });
    expect(await written('')).toEqual(['c/chair.result.json']);
    await expect(selfHosted(parts).cancelConversion('nobody', stop)).resolves.toBeUndefined();
  });

  test('while it waits for a place, or for another conversion of the same content, ends there', async () => {
    const { parts, order, run } = ground;
    for (const id of ['first', 'second']) await order(id, { 'chair.glb': large });
    await order('third', { 'chair.glb': boxGlb() });
    await begin('first');
    await runConversion(parts, 'third');
    expect(await parts.conversions.get('third')).toMatchObject({ state: 'running', attempts: 0 });
    await cancel('third');
    expect(await run('third')).toMatchObject({ state: 'cancelled' });
    await cancel('first');
    await run('first');
  });

  test('gives its content to the one that waits for it', async () => {
    const { order, run } = ground;
    const small = sheetGlb(200_000);
    for (const id of ['first', 'second']) await order(id, { 'chair.glb': small });
    await begin('first');
    const second = run('second');
    await cancel('first');
    expect(await run('first')).toMatchObject({ state: 'cancelled' });
    expect(await second).toMatchObject({ state: 'succeeded', attempts: 1, result: { cached: false } });
  });

  test('as it is about to succeed takes back what it has published', async () => {
    const { parts, order, run, written } = ground;
    await order('first', { 'chair.glb': boxGlb() });
    await run('first');
    await order('c', { 'chair.glb': boxGlb() });
    const copy = parts.blobs.copy.bind(parts.blobs);
    vi.spyOn(parts.blobs, 'copy').mockImplementation(async (from, to) => {
      await copy(from, to);
      await cancel('c');
    });
    expect(await run('c')).toMatchObject({ state: 'cancelled' });
    expect(await written('c/')).toEqual(['c/chair.result.json']);
  });
});

describe('the progress of a conversion', () => {
  test('is in its record and its history, each phase at most once and not oftener than twice a second', async () => {
    const { parts, order, run } = ground;
    await order('c', { 'chair.glb': large });
    const ended = run('c');
    await vi.waitFor(async () => {
      const { progress } = await parts.conversions.get('c');
      expect(progress).toMatchObject({ inputBytes: large.length, triangles: expect.any(Number) });
      expect(await selfHosted(parts).getConversion('c')).toMatchObject({ state: 'running', progress });
    }, within);
    await ended;
    const told = (await parts.conversions.history('c')).filter(({ type }) => type === 'progress');
    const phases = told.map(({ progress }) => progress?.phase);
    expect(phases.length).toBeGreaterThan(0);
    expect(phases.length).toBeLessThanOrEqual(6);
    expect(new Set(phases).size).toBe(phases.length);
    expect(told.map(({ evidence }) => evidence)).toEqual(phases);
    expect(told.every(({ state }) => state === 'running')).toBe(true);
  });

  test('of one that is over in a moment is not told', async () => {
    const { parts, order, run } = ground;
    await order('c', { 'chair.glb': boxGlb() });
    await run('c');
    const states = (await parts.conversions.history('c')).filter(({ type }) => type === 'state');
    expect(states.map(({ state }) => state)).toEqual(['not_started', 'running', 'succeeded']);
  });
});

describe('the temporary folder of a conversion', () => {
  const workspaces = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('conversion-'));

  test('is gone after it, and one that a killed process has left goes with the next conversion', async () => {
    const { order, run } = ground;
    await order('c', { 'chair.glb': large });
    await begin('c');
    const [own = ''] = (await workspaces()).filter((name) => name.includes(`-${process.pid}-`));
    // A process that is over: nobody has its id, or somebody who started at another time.
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(child, 'exit');
    const ofDead = own.replace(`-${process.pid}-`, `-${child.pid}-`);
    const ofFormer = own.replace(/-(\d+)-[0-9a-f]{8}-/, '-$1-00000000-');
    const elsewhere = own
      .replace(/^conversion-[0-9a-f]{8}-/, 'conversion-00000000-')
      .replace(`-${process.pid}-`, `-${child.pid}-`);
    for (const name of [ofDead, ofFormer, elsewhere]) await mkdir(join(tmpdir(), name, 'input'), { recursive: true });
    await order('next', { 'chair.glb': boxGlb() });
    await cancel('c');
    await run('c');
    await run('next');
    const left = await workspaces();
    expect(left).not.toContain(ofDead);
    expect(left).not.toContain(ofFormer);
    expect(left).not.toContain(own);
    expect(left).toContain(elsewhere);
    await rm(join(tmpdir(), elsewhere), { recursive: true });
  });
});
