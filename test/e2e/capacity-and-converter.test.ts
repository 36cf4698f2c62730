import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { build } from '../../infra/build.ts';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import { recordsOf } from '../kill/checks.ts';
import { askFor } from '../kill/clients.ts';
import { callersOf } from '../support/callers.ts';
import { boxGlb, sheetGlb } from '../support/models/index.ts';
import { killAll, processesOf, sessionHostsOf, treeOf } from '../support/processes.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/stack.ts';
import { type StackProcess, spawnStack } from '../support/stack-process.ts';

// A converter gives way to whatever else a busy computer does.
vi.setConfig({ testTimeout: 120_000 });
const within = { timeout: 100_000, interval: 50 };
const pipelineAnswer = z.object({ state: z.string(), reason: z.string().nullable(), evidence: z.string().nullable() });

/** The tests are one story: each goes on with the stack that the one before has left. */
let directory: TemporaryDirectory;
let stack: StackProcess;
let endpoints: StackEndpoints;
let authorization: string;

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
  authorization = `Bearer ${await callersOf(endpoints, directory.path).tokenFor('administrator', 'ada')}`;
}

async function put(id: string, model: string, session: { readonly maxLeaseSeconds: number } | null): Promise<void> {
  const response = await fetch(`${endpoints.app}/api/pipelines/${id}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', Authorization: authorization },
    body: JSON.stringify({ model, session }),
  });
  expect(response.status).toBe(201);
}

/** Waits until a pipeline is in a state; another end fails at once, with what it says of itself. */
async function until(id: string, state: string) {
  return vi.waitFor(async () => {
    const response = await fetch(`${endpoints.app}/api/pipelines/${id}`, {
      headers: { Authorization: authorization },
    });
    const pipeline = pipelineAnswer.parse(await response.json());
    expect(pipeline, JSON.stringify(pipeline)).toMatchObject({ state });
    return pipeline;
  }, within);
}

const upload = (model: string, bytes: Uint8Array) => askFor({ model, bytes, id: undefined }, endpoints);

const processIds = async () => (await sessionHostsOf(directory.path)).map(({ pid }) => pid);

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

test('A converter that is killed fails its conversion with what ended it, and the same bytes are converted when asked again', async () => {
  expect(await upload('sheet/sheet.glb', sheetGlb(100_000))).toBe(true);
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
