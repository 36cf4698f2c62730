import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createWorkplace, type HostProcess, startHostProcess, type Workplace } from './host-process.ts';

let workplace: Workplace;
let host: HostProcess;

beforeAll(async () => {
  workplace = await createWorkplace();
  host = await startHostProcess(workplace, { environment: { TICK_SCHEDULE: '* * * * * *', TICK_ON_STARTUP: 'yes' } });
});
afterAll(async () => {
  await host.stop();
  await workplace.remove();
});

const post = (type: string, body: unknown, name = 'onBlob') =>
  fetch(`${host.url}/runtime/webhooks/EventGrid?functionName=${name}`, {
    method: 'POST',
    headers: { 'aeg-event-type': type },
    body: JSON.stringify(body),
  });

const blobCreated = (id: string, data: object = {}) => ({ id, eventType: 'Microsoft.Storage.BlobCreated', data });

describe('the Event Grid webhook', () => {
  test('answers the validation handshake', async () => {
    const response = await post('SubscriptionValidation', [{ data: { validationCode: 'abc' } }]);
    expect([response.status, await response.json()]).toEqual([200, { validationResponse: 'abc' }]);
  });

  test('runs the function once for each event, then says 202', async () => {
    expect((await post('Notification', [blobCreated('a'), blobCreated('b')])).status).toBe(202);
    const evidence = await workplace.evidence();
    expect(evidence).toContain('event a Microsoft.Storage.BlobCreated');
    expect(evidence).toContain('event b Microsoft.Storage.BlobCreated');
  });

  test('takes a single CloudEvent', async () => {
    expect((await post('Notification', { id: 'c', type: 'blob', data: {} })).status).toBe(202);
    expect(await workplace.evidence()).toContain('event c blob');
  });

  test('says 500 when one of the events failed, so that all are delivered again', async () => {
    const response = await post('Notification', [blobCreated('d'), blobCreated('e', { fail: true })]);
    expect([response.status, await response.text()]).toEqual([500, 'Exception while executing function: onBlob']);
    expect(await workplace.evidence()).toContain('event d Microsoft.Storage.BlobCreated');
  });

  test.each([
    ['Notification', 'nobody', [], 404],
    ['Something', 'onBlob', [], 400],
    ['Notification', 'onBlob', 'text', 400],
    ['SubscriptionValidation', 'onBlob', [{}], 400],
  ])('%s for %s is refused where it makes no sense', async (type, name, body, status) => {
    expect((await post(type, body, name)).status).toBe(status);
  });
});

test('a timer runs at the start when told to, and then on its schedule', async () => {
  const ticks = async () => (await workplace.evidence()).filter((line) => line === 'tick on-time true').length;
  await vi.waitFor(async () => expect(await ticks()).toBeGreaterThanOrEqual(2), { timeout: 5000 });
});
