import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { instanceIdOf } from '#lib/durable';
import { ACCOUNT } from '#lib/records';
import { build } from '../../infra/build.ts';
import { connectionString } from '../../infra/local/storage-account.ts';
import { recordsOf } from '../kill/checks.ts';
import { askFor, endpointsOf } from '../kill/clients.ts';
import { sessionHosts } from '../kill/processes.ts';
import { callersOf } from '../support/callers.ts';
import { boxGlb, sheetGlb } from '../support/models/index.ts';
import { allProcesses, treeOf } from '../support/processes.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/stack.ts';

// On a busy computer the stack takes long to start; a session host that nobody answers waits 60 s for it.
vi.setConfig({ testTimeout: 120_000 });
const within = { timeout: 50_000, interval: 50 };
const program = fileURLToPath(new URL('../kill/stack.ts', import.meta.url));
const pipelineAnswer = z.object({
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  model: z.string(),
});

let directory: TemporaryDirectory;
let child: ChildProcess;
let stack: Awaited<ReturnType<typeof started>>;

beforeAll(async () => {
  await build();
  directory = await temporaryDirectory();
  stack = await started();
});
afterAll(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await directory.remove();
});

/** Starts the stack, or starts it again after its end, and waits until it answers. */
async function started() {
  child = spawn(process.execPath, [program, directory.path], { detached: true, stdio: 'ignore' });
  const endpoints = await vi.waitFor(async () => {
    const found = await endpointsOf(directory.path);
    expect((await fetch(`${found?.app}/api/health/ready`)).status).toBe(200);
    return found ?? expect.fail('It answers, and says nowhere where.');
  }, within);
  const token = await callersOf(endpoints, directory.path).tokenFor('administrator', 'ada');
  return { endpoints, records: recordsOf(endpoints), authorization: `Bearer ${token}` };
}

async function read(id: string) {
  const headers = { Authorization: stack.authorization };
  const response = await fetch(`${stack.endpoints.app}/api/pipelines/${id}`, { headers });
  return pipelineAnswer.parse(await response.json());
}

async function until(id: string, state: string) {
  return vi.waitFor(async () => {
    const pipeline = await read(id);
    expect(pipeline.state).toBe(state);
    return pipeline;
  }, within);
}

async function put(id: string, model: string, maxLeaseSeconds: number): Promise<void> {
  const response = await fetch(`${stack.endpoints.app}/api/pipelines/${id}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', Authorization: stack.authorization },
    body: JSON.stringify({ model, session: { maxLeaseSeconds } }),
  });
  expect(response.status).toBe(201);
}

const upload = (model: string, bytes: Uint8Array) => askFor({ model, bytes, id: undefined }, stack.endpoints);

async function machineOf(id: string) {
  const hosts = await sessionHosts(directory.path);
  const [pid] = /^\d+/.exec(hosts.find((host) => host.includes(`--machine=${id} `)) ?? '') ?? [];
  return pid === undefined ? undefined : Number(pid);
}

const uploaded = async (model: string) => {
  const all = await stack.records.pipelines.list();
  return all.filter(({ request }) => `${request.model.folder}/${request.model.file}` === model);
};

describe('an upload', () => {
  test('whose event comes three times at once, and once more after the end, is one pipeline with one machine', async () => {
    expect(await upload('once/box.glb', boxGlb())).toBe(true);
    const [{ id }] = await vi.waitFor(async () => {
      const found = await uploaded('once/box.glb');
      expect(found).toHaveLength(1);
      return z.tuple([z.object({ id: z.string() })]).parse(found);
    }, within);
    const { request } = await stack.records.pipelines.get(id);
    const event = async () => {
      const url = `${stack.endpoints.app}/runtime/webhooks/EventGrid?functionName=model-on-uploaded`;
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'aeg-event-type': 'Notification',
          'Content-Type': 'application/json',
          'x-functions-key': await readFile(join(directory.path, 'system-key'), 'utf8'),
        },
        body: JSON.stringify([await eventOf(`${request.model.folder}/${request.model.file}`)]),
      });
      expect(response.ok).toBe(true);
    };
    await Promise.all([event(), event(), event()]);
    await until(id, 'stopped');
    await event();
    expect(await uploaded('once/box.glb')).toHaveLength(1);
    expect((await stack.records.sessions.list()).filter((session) => session.id === id)).toHaveLength(1);
    expect(await machineOf(id)).toBeUndefined();
  });

  test('of the same bytes under two names at the same moment runs the converter once', async () => {
    const bytes = sheetGlb(3000);
    await Promise.all([upload('twin-a/sheet.glb', bytes), upload('twin-b/sheet.glb', bytes)]);
    const cached = await vi.waitFor(async () => {
      const twins = [...(await uploaded('twin-a/sheet.glb')), ...(await uploaded('twin-b/sheet.glb'))];
      return z.tuple([z.boolean(), z.boolean()]).parse(twins.map((twin) => twin.conversion?.cached));
    }, within);
    expect(cached.sort()).toEqual([false, true]);
  });
});

describe('a lease', () => {
  test('that ends has its stop asked within a second, whatever else goes on', async () => {
    await put('ends', 'once/box.glb', 2);
    await until('ends', 'stopped');
    const { lease } = await stack.records.sessions.get('ends');
    const stopping = (await stack.records.sessions.history('ends')).find(({ state }) => state === 'stopping');
    expect(stopping?.reason).toBe('lease_expired');
    const late = Date.parse(stopping?.at ?? '') - Date.parse(lease.expiresAt ?? '');
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(1000);
  });

  test('renewed a hundred times is extended by what the last one said; of two at once with one ETag one wins', async () => {
    await put('renewed', 'once/box.glb', 100);
    await until('renewed', 'ready');
    const url = `${stack.endpoints.app}/api/pipelines/renewed/lease`;
    const renew = (maxLeaseSeconds: number, etag: string) =>
      fetch(url, {
        method: 'PUT',
        headers: { 'If-Match': etag, 'Content-Type': 'application/json', Authorization: stack.authorization },
        body: JSON.stringify({ maxLeaseSeconds }),
      });
    const first = await fetch(url, { headers: { Authorization: stack.authorization } });
    let etag = first.headers.get('etag') ?? '';
    for (let total = 101; total <= 200; total += 1) {
      const renewed = await renew(total, etag);
      expect(renewed.status).toBe(200);
      etag = renewed.headers.get('etag') ?? '';
    }
    const { lease } = await stack.records.sessions.get('renewed');
    expect(Date.parse(lease.expiresAt ?? '') - Date.parse(lease.startedAt ?? '')).toBe(200_000);
    const both = await Promise.all([renew(300, etag), renew(400, etag)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});

test('A session host that is killed is noticed: the pipeline fails with host_lost, and the slot is free', async () => {
  await put('killed', 'once/box.glb', 100);
  await until('killed', 'ready');
  process.kill((await machineOf('killed')) ?? expect.fail('There is no machine.'), 'SIGKILL');
  expect((await until('killed', 'failed')).reason).toBe('host_lost');
  expect(await stack.records.slots.holders()).not.toContain('killed');
});

test('A supervisor that is killed takes its children with it and leaves the machine, which the next one takes up again', async () => {
  const pid = await machineOf('renewed');
  const before = await stack.records.sessions.get('renewed');
  const supervisor = child.pid ?? expect.fail('The stack has no process.');
  const children = (await treeOf(supervisor)).filter((each) => each.pid !== supervisor);
  expect(children.length).toBeGreaterThanOrEqual(3);
  process.kill(supervisor, 'SIGKILL');
  await once(child, 'exit');
  const pids = new Set(children.map((each) => each.pid));
  await vi.waitFor(async () => {
    expect((await allProcesses()).filter((each) => pids.has(each.pid))).toEqual([]);
  }, within);
  stack = await started();
  await vi.waitFor(async () => {
    const last = z.object({ remainingSeconds: z.number() });
    const machine = await stack.records.sessions.get('renewed');
    const { hostname, ports } = machine.machine ?? {};
    const status = await fetch(`http://${hostname}:${ports?.inspector}/status`);
    expect(last.parse(await status.json()).remainingSeconds).toBeGreaterThan(0);
  }, within);
  expect(await machineOf('renewed')).toBe(pid);
  const after = await stack.records.sessions.get('renewed');
  expect(after.state).toBe('ready');
  expect(after.lease).toEqual(before.lease);
});

test('Ctrl-C in the whole process group stops the machine first, says why, and leaves nothing', async () => {
  const exit = once(child, 'exit');
  process.kill(-(child.pid ?? expect.fail('The stack has no process.')), 'SIGINT');
  expect(await exit).toEqual([0, null]);
  expect(await sessionHosts(directory.path)).toEqual([]);

  const database = new DatabaseSync(join(directory.path, 'durable.sqlite'), { readOnly: true });
  const instance = instanceIdOf('session', ACCOUNT, 'renewed');
  const row = database.prepare('SELECT count(*) AS events FROM history WHERE instance = ?').get(instance);
  database.close();
  // What one execution leaves, however many renewals there were.
  expect(z.object({ events: z.number() }).parse(row).events).toBeLessThan(30);

  stack = await started();
  expect(await stack.records.sessions.get('renewed')).toMatchObject({
    state: 'failed',
    ending: { reason: 'host_lost', evidence: 'stack stopped' },
  });
  expect(await read('renewed')).toMatchObject({ state: 'failed', reason: 'host_lost' });
});

/** The event that Event Grid posts for a blob, as it was posted for the upload. */
async function eventOf(model: string) {
  const client = BlobServiceClient.fromConnectionString(connectionString(stack.endpoints)).getContainerClient('models');
  const { etag } = await client.getBlobClient(model).getProperties();
  return {
    id: 'again',
    topic: '',
    subject: `/blobServices/default/containers/models/blobs/${model}`,
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: new Date().toISOString(),
    data: { eTag: etag },
    dataVersion: '',
    metadataVersion: '1',
  };
}
