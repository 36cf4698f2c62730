import { TableClient } from '@azure/data-tables';
import * as df from 'durable-functions';
import { clientOrchestrations, type Orchestrations, registerProcess } from '#lib/durable';
import { ACCOUNT, type RecordStore } from '#lib/records';
import { type CounterRecord, counterStore } from './counter-record.ts';

/** A Functions app of one process over one kind of record, and a route that reaches its orchestrations. */
const table = TableClient.fromConnectionString(process.env['STORAGE'] ?? '', process.env['TABLE'] ?? '', {
  allowInsecureConnection: true,
});
const counters = counterStore(table);

registerProcess<RecordStore<CounterRecord>, 'counterApply'>({
  kind: 'session',
  account: ACCOUNT,
  services: async () => counters,
  async next(store, id) {
    const record = await store.read(id);
    return record && { step: record.state === 'done' ? null : 'counterApply' };
  },
  steps: { counterApply },
});

async function counterApply(store: RecordStore<CounterRecord>, id: string): Promise<Date> {
  const { failures } = await store.get(id);
  if (failures > 0) {
    await store.update(id, (current) => ({ record: { ...current, failures: failures - 1 } }));
    throw new Error('not this time');
  }
  const record = await store.update(id, (current) =>
    current.state === 'done'
      ? undefined
      : { record: { ...current, applied: current.wanted, passes: current.passes + 1 } },
  );
  return new Date(Date.now() + record.sleepMilliseconds);
}

type Call = Exclude<keyof Orchestrations, symbol>;

df.app.client.http('orchestrations', {
  route: 'orchestrations/{call}/{id}',
  methods: ['POST'],
  handler: async (request, client) => {
    const orchestrations = clientOrchestrations(client, ACCOUNT);
    const id = request.params['id'] ?? '';
    const calls: Readonly<Record<Call, () => Promise<unknown>>> = {
      start: () => orchestrations.start('session', id),
      wake: () => orchestrations.wake('session', id),
      isLive: () => orchestrations.isLive('session', id),
    };
    const call = Object.entries(calls).find(([name]) => name === request.params['call'])?.[1];
    return { jsonBody: { answer: (await call?.()) ?? null } };
  },
});
