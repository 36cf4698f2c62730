const { app } = require('@azure/functions');
const df = require('durable-functions');

/** The record lives outside the orchestration, as in the suite: here in memory. */
const record = { desired: 0, applied: 0, passes: 0, sleepMs: 60_000, terminal: false };

df.app.activity('readRecord', { handler: () => ({ ...record }) });
df.app.activity('applyRecord', {
  handler: () => {
    record.applied = record.desired;
    record.passes += 1;
    return { sleepMs: record.sleepMs };
  },
});

df.app.orchestration('drive', function* (context) {
  const { df: durable } = context;
  const read = yield durable.callActivity('readRecord', {});
  if (read.terminal) return { applied: read.applied };
  const { sleepMs } = yield durable.callActivity('applyRecord', {});
  const timer = durable.createTimer(new Date(durable.currentUtcDateTime.getTime() + sleepMs));
  const wake = durable.waitForExternalEvent('wake');
  if ((yield durable.Task.any([wake, timer])) === wake) timer.cancel();
  durable.continueAsNew(durable.getInput());
});

/** Writes the record, and wakes its orchestration if told to. */
app.http('record', {
  methods: ['GET', 'POST'],
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    if (request.method === 'POST') {
      const { wake, ...change } = await request.json();
      Object.assign(record, change);
      if (wake) await df.getClient(context).raiseEvent(wake, 'wake', {});
    }
    return { jsonBody: record };
  },
});
