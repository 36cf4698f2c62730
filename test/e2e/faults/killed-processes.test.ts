import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { build } from '../../../infra/build.ts';
import type { StackEndpoints } from '../../../infra/local/supervisor.ts';
import { recordsOf } from '../../kill/checks.ts';
import { askFor } from '../../kill/clients.ts';
import { boxGlb, sheetGlb } from '../../support/models/index.ts';
import { allProcesses, killAll, processesOf, sessionHostsOf, treeOf } from '../../support/processes.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/stack.ts';
import { type StackProcess, spawnStack } from '../../support/stack-process.ts';

/** The tests are one story: each goes on with the stack that the one before has left. */
const within = { timeout: 25_000, interval: 50 };
const pipelineAnswer = z.object({ state: z.string(), reason: z.string().nullable(), evidence: z.string().nullable() });

let directory: TemporaryDirectory;
let stack: StackProcess;
let endpoints: StackEndpoints;

beforeAll(async () => {
  await build();
  directory = await temporaryDirectory();
  await start();
});
afterAll(async () => {
  killAll(await treeOf(stack.pid));
  killAll(await processesOf(directory.path));
  await directory.remove();
});

async function start(): Promise<void> {
  stack = await spawnStack(directory.path, { MAX_SESSIONS: '1', UPLOAD_POLICY: 'convert' });
  endpoints = (await stack.ready) ?? expect.fail('The stack ended before it answered.');
}

async function put(id: string, model: string, session: { readonly maxLeaseSeconds: number } | null): Promise<void> {
  const response = await fetch(`${endpoints.app}/api/pipelines/${id}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model, session }),
  });
  expect(response.status).toBe(201);
}

/** Waits until a pipeline is in a state; another end fails at once, with what it says of itself. */
async function until(id: string, state: string) {
  return vi.waitFor(async () => {
    const response = await fetch(`${endpoints.app}/api/pipelines/${id}`);
    const pipeline = pipelineAnswer.parse(await response.json());
    expect(pipeline, JSON.stringify(pipeline)).toMatchObject({ state });
    return pipeline;
  }, within);
}

const upload = (model: string, bytes: Uint8Array) => askFor({ model, bytes, id: undefined }, endpoints);

const processIds = async () => (await sessionHostsOf(directory.path)).map(({ pid }) => pid);

test('A second stack on the same directory is refused by the name of the one that runs, and does that one no harm', async () => {
  const said: string[] = [];
  const second = await spawnStack(directory.path, {}, (line) => said.push(line));
  expect(await second.ready).toBeUndefined();
  expect(await second.exited).toBe(1);
  expect(said.join('\n')).toContain(`Another stack (process ${stack.pid}) runs in ${directory.path}: stop it first.`);
  expect((await fetch(`${endpoints.app}/api/health/ready`)).status).toBe(200);
});

test('Where every slot is taken a pipeline fails with capacity; where one is given back the next has it', async () => {
  expect(await upload('box/box.glb', boxGlb())).toBe(true);
  await put('first', 'box/box.glb', { maxLeaseSeconds: 600 });
  await until('first', 'ready');
  await put('second', 'box/box.glb', { maxLeaseSeconds: 600 });
  const { reason, evidence } = await until('second', 'failed');
  expect(reason).toBe('capacity');
  expect(evidence).toContain('MAX_SESSIONS');
  expect(await processIds()).toHaveLength(1);
});

test('DELETE has the machine asked to stop within a second, and seen stopped soon after', async () => {
  const asked = Date.now();
  expect((await fetch(`${endpoints.app}/api/pipelines/first`, { method: 'DELETE' })).status).toBe(202);
  expect((await until('first', 'stopped')).reason).toBe('user_stop');
  const records = recordsOf(endpoints);
  const history = await records.sessions.history('first');
  const stopping = history.find(({ state }) => state === 'stopping') ?? expect.fail('The session never closed.');
  expect(Date.parse(stopping.at) - asked).toBeLessThan(1000);
  expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_, index) => index + 1));
  expect(await processIds()).toEqual([]);
  expect(await records.slots.holders()).toEqual([]);
});

test('A converter that is killed fails its conversion with what ended it, and the same bytes are converted when asked again', async () => {
  expect(await upload('sheet/sheet.glb', sheetGlb(400_000))).toBe(true);
  await put('killed', 'sheet/sheet.glb', null);
  await vi.waitFor(async () => {
    const converters = (await treeOf(stack.pid)).filter(({ commandLine }) => commandLine.includes('converter.mjs'));
    expect(converters).not.toEqual([]);
    killAll(converters);
  }, within);
  // The upload started a conversion too: of the two, the one takes over what the other had begun.
  const results = await vi.waitFor(async () => {
    const conversions = await recordsOf(endpoints).conversions.list();
    const sheets = conversions.filter(({ locations }) => locations.input.relativeInputAssetPath === 'sheet.glb');
    expect(sheets.map(({ state }) => state).toSorted()).toEqual(['failed', 'succeeded']);
    return sheets;
  }, within);
  const failed = results.find(({ state }) => state === 'failed') ?? expect.fail('None failed.');
  expect(failed).toMatchObject({ failure: { reason: 'conversion_failed' } });
  expect(failed).toMatchObject({ failure: { message: expect.stringContaining('SIGKILL') } });
  await put('again', 'sheet/sheet.glb', null);
  await until('again', 'converted');
});

test('A supervisor that is killed alone takes every child along but the machine, whose lease ends when it always would have', async () => {
  await put('outlives', 'box/box.glb', { maxLeaseSeconds: 12 });
  await until('outlives', 'ready');
  const machine = await processIds();
  expect(machine).toHaveLength(1);
  const { lease } = await recordsOf(endpoints).sessions.get('outlives');
  const children = (await treeOf(stack.pid)).filter(({ pid }) => pid !== stack.pid);
  expect(children.length).toBeGreaterThanOrEqual(3);
  process.kill(stack.pid, 'SIGKILL');
  await stack.exited;
  await vi.waitFor(async () => {
    const running = new Set((await allProcesses()).map(({ pid }) => pid));
    expect(children.filter(({ pid }) => running.has(pid))).toEqual([]);
  }, within);

  const before = endpoints;
  await start();
  expect(endpoints).toEqual(before);
  expect(await processIds()).toEqual(machine);
  expect(await recordsOf(endpoints).sessions.get('outlives')).toMatchObject({ state: 'ready', lease });
  expect((await until('outlives', 'stopped')).reason).toBe('lease_expired');
  const stopping = (await recordsOf(endpoints).sessions.history('outlives')).find(({ state }) => state === 'stopping');
  const late = Date.parse(stopping?.at ?? '') - Date.parse(lease.expiresAt ?? '');
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThan(1000);
  expect(await processIds()).toEqual([]);
});

test('Ctrl-C with a machine that runs ends every process of the stack within 25 s', async () => {
  await put('interrupted', 'box/box.glb', { maxLeaseSeconds: 600 });
  await until('interrupted', 'ready');
  const began = performance.now();
  process.kill(-stack.pid, 'SIGINT');
  expect(await stack.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(25_000);
  expect(await processesOf(directory.path)).toEqual([]);
});
