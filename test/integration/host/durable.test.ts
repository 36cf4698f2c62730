import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createWorkplace, type HostProcess, startHostProcess, type Workplace } from './host-process.ts';

let workplace: Workplace;
let host: HostProcess;

beforeAll(async () => {
  workplace = await createWorkplace();
  host = await startHostProcess(workplace);
});
afterAll(async () => {
  await host.stop();
  await workplace.remove();
});

const start = (name: string, id: string, input: unknown = {}) =>
  host.client('startNew', name, { instanceId: id, input });

const ended = (id: string) =>
  vi.waitFor(
    async () => {
      const status = await host.status(id);
      expect(['Completed', 'Failed', 'Terminated']).toContain(status.runtimeStatus);
      return status;
    },
    { timeout: 10_000, interval: 10 },
  );

const running = (id: string, customStatus: unknown) =>
  vi.waitFor(async () => expect((await host.status(id)).customStatus).toEqual(customStatus), {
    timeout: 20_000,
    interval: 10,
  });

describe('orchestrations', () => {
  test('a chain of activities passes results on', async () => {
    expect(await start('chain', 'chain-1', { from: 10 })).toBe('chain-1');
    expect(await ended('chain-1')).toMatchObject({
      name: 'chain',
      runtimeStatus: 'Completed',
      input: { from: 10 },
      output: { sum: 13 },
    });
  });

  test('without an id the host makes one', async () => {
    const id = z.string().parse(await host.client('startNew', 'chain', { input: { from: 0 } }));
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await ended(id)).output).toEqual({ sum: 3 });
  });

  test('inputs and results keep their types', async () => {
    await start('echoes', 'echoes');
    expect((await ended('echoes')).output).toEqual(['Tokyo', 5, 1.5, null, { a: [1] }]);
  });

  test('twenty activities side by side', async () => {
    await start('fan', 'fan');
    expect((await ended('fan')).output).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  test('isReplaying is false only for what is new', async () => {
    await start('replaying', 'replaying');
    expect((await ended('replaying')).output).toEqual([true, false]);
  });

  test('a retried activity succeeds at a later attempt, and ids stay in step after it', async () => {
    await start('retries', 'retries', { failures: 2, attempts: 3 });
    expect((await ended('retries')).output).toEqual({ attempt: 3, after: 2 });
  });

  test('after the last attempt the instance fails, with the last reason', async () => {
    await start('retries', 'exhausted', { failures: 9, attempts: 2 });
    const status = await ended('exhausted');
    expect(status.runtimeStatus).toBe('Failed');
    expect(status.output).toContain(
      "Orchestrator function 'retries' failed: Activity function 'flaky' failed:  attempt 2",
    );
  });

  test('a failed activity can be caught', async () => {
    await start('caught', 'caught');
    expect((await ended('caught')).output).toContain("Activity function 'flaky' failed:  attempt 1");
  });

  test('a timer fires at its time', async () => {
    await start('sleeps', 'sleeps', { ms: 60 });
    const { slept } = z.object({ slept: z.number() }).parse((await ended('sleeps')).output);
    expect(slept).toBeGreaterThanOrEqual(60);
  });

  test('an uncanceled timer that lost a race delays the end; a canceled one does not', async () => {
    await Promise.all([start('races', 'delayed', { cancel: false }), start('races', 'prompt', { cancel: true })]);
    await Promise.all([host.client('raiseEvent', 'delayed', 'go'), host.client('raiseEvent', 'prompt', 'go')]);
    expect((await ended('prompt')).output).toBe('event');
    expect((await host.status('delayed')).runtimeStatus).toBe('Running');
    expect((await ended('delayed')).output).toBe('event');
  });

  test('continueAsNew starts over with a new input', async () => {
    await start('counts', 'counts', { left: 5, seen: 0 });
    expect(await ended('counts')).toMatchObject({ input: { left: 0, seen: 5 }, output: { seen: 6 } });
  });

  test.each([
    ['breaks', "Orchestrator function 'breaks' failed: no way"],
    ['unknownActivity', "The activity function 'nobody' is not registered. Registered activities: add, echo,"],
    ['parent', 'The embedded host does not serve sub-orchestrations.'],
    ['longSleep', 'The embedded host does not serve timers of more than six days'],
  ])('%s fails with a reason that is logged', async (name, reason) => {
    await start(name, `fails-${name}`);
    const status = await ended(`fails-${name}`);
    expect(status.runtimeStatus).toBe('Failed');
    expect(status.output).toContain(reason);
    await vi.waitFor(
      () => expect(host.log()).toMatch(new RegExp(`error ${name}: Instance fails-${name}: Orchestrator`)),
      { timeout: 20_000 },
    );
  });
});

describe('the client', () => {
  test('events wait for their waiters, in order', async () => {
    await start('waits', 'waits');
    await host.client('raiseEvent', 'waits', 'go', { number: 1 });
    await host.client('raiseEvent', 'waits', 'go', 'two');
    expect(await ended('waits')).toMatchObject({ output: [{ number: 1 }, 'two'], customStatus: { waitingFor: 'go' } });
  });

  test('an id that is live is refused, one at its end is replaced', async () => {
    await start('waits', 'twice');
    await expect(start('waits', 'twice')).rejects.toThrow('status code: 500');
    await host.client('terminate', 'twice', 'enough');
    expect(await ended('twice')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    await start('chain', 'twice', { from: 1 });
    expect((await ended('twice')).output).toEqual({ sum: 4 });
  });

  test('a suspended instance keeps its events until it is resumed', async () => {
    await start('waits', 'suspended');
    await running('suspended', { waitingFor: 'go' });
    await host.client('suspend', 'suspended', 'pause');
    await host.client('raiseEvent', 'suspended', 'go', 1);
    await host.client('raiseEvent', 'suspended', 'go', 2);
    expect((await host.status('suspended')).runtimeStatus).toBe('Suspended');
    await expect(host.client('suspend', 'suspended', 'again')).rejects.toThrow('already suspended');
    await host.client('resume', 'suspended', 'go on');
    expect((await ended('suspended')).output).toEqual([1, 2]);
    await host.client('resume', 'suspended', 'too late');
  });

  test('what is not there is said so, what is over is quietly accepted', async () => {
    await expect(host.status('nobody')).rejects.toThrow('404');
    await expect(host.client('raiseEvent', 'nobody', 'go')).rejects.toThrow("No instance with ID 'nobody' found.");
    await expect(host.client('terminate', 'nobody', 'x')).rejects.toThrow('No instance');
    await expect(start('nothingLikeIt', 'unknown')).rejects.toThrow('not an orchestrator');
    await start('chain', 'over', { from: 0 });
    await ended('over');
    await host.client('raiseEvent', 'over', 'go');
    await host.client('terminate', 'over', 'x');
    expect((await host.status('over')).runtimeStatus).toBe('Completed');
  });

  test('instances are listed by status and purged', async () => {
    await start('chain', 'purged', { from: 0 });
    await ended('purged');
    await start('waits', 'kept');
    await running('kept', { waitingFor: 'go' });
    const createdTimeFrom = new Date(Date.now() - 60_000).toISOString();
    const completed = await host.client('getStatusBy', { createdTimeFrom, runtimeStatus: ['Completed'] });
    const ids = z
      .array(z.object({ instanceId: z.string() }))
      .parse(completed)
      .map((each) => each.instanceId);
    expect(ids).toContain('purged');
    expect(ids).not.toContain('kept');
    expect(await host.client('purgeInstanceHistory', 'kept')).toEqual({ instancesDeleted: 0 });
    expect(await host.client('purgeInstanceHistory', 'purged')).toEqual({ instancesDeleted: 1 });
    expect(await host.client('purgeInstanceHistory', 'purged')).toEqual({ instancesDeleted: 0 });
    await host.client('purgeInstanceHistoryBy', { createdTimeFrom });
    const left = await host.client('getStatusAll');
    expect(z.array(z.object({ instanceId: z.string() })).parse(left)).toMatchObject([{ instanceId: 'kept' }]);
    await host.client('terminate', 'kept', 'done');
  });

  test('the links of a check-status response work', async () => {
    await start('waits', 'linked');
    const response = await fetch(`${host.url}/check/linked`);
    const links = z.record(z.string(), z.string()).parse(await response.json());
    const raise = links['sendEventPostUri']?.replace('{eventName}', 'go') ?? '';
    const headers = { 'content-type': 'application/json' };
    for (const body of ['1', '2']) expect((await fetch(raise, { method: 'POST', headers, body })).status).toBe(202);
    expect((await fetch(raise, { method: 'POST', headers, body: '{' })).status).toBe(400);
    expect((await fetch(raise, { method: 'POST', body: '1' })).status).toBe(400);
    await ended('linked');
    const status = await fetch(links['statusQueryGetUri'] ?? '');
    expect([status.status, await status.json()]).toMatchObject([200, { output: [1, 2] }]);
    expect((await fetch(raise, { method: 'POST', headers, body: '3' })).status).toBe(410);
    expect((await fetch(links['rewindPostUri'] ?? '', { method: 'POST' })).status).toBe(501);
  });
});

describe('one driver over a record, with wake, timer and continueAsNew', () => {
  const recordSchema = z.object({ applied: z.number(), passes: z.number() });
  const record = async (change?: object) => {
    const init = change ? { method: 'POST', body: JSON.stringify(change) } : {};
    return recordSchema.parse(await (await fetch(`${host.url}/record`, init)).json());
  };

  test('of 100 writes that race with timers, each is applied without waiting for the long timer', async () => {
    await start('drive', 'driver');
    for (let round = 1; round <= 100; round += 1) {
      // Passes follow each other every few milliseconds; the write and its wake hit any moment of one.
      await record({ sleepMs: round % 12, wake: 'driver' });
      await record({ desired: round, sleepMs: 60_000, wake: 'driver' });
      await vi.waitFor(async () => expect((await record()).applied).toBe(round), { timeout: 2000, interval: 1 });
    }
    await record({ terminal: true, wake: 'driver' });
    expect((await ended('driver')).output).toEqual({ applied: 100 });
  });
});
