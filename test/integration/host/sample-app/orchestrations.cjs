const { app } = require('@azure/functions');
const df = require('durable-functions');
const { note, until } = require('./evidence.cjs');

df.app.activity('add', { handler: ({ to, number }) => to + number });
df.app.activity('echo', { handler: (input) => input });
df.app.activity('slow', {
  handler: async ({ name, file }) => {
    note(`start ${name}`);
    await until(file);
    note(`end ${name}`);
    return name;
  },
});
const attempts = new Map();
df.app.activity('flaky', {
  handler: ({ id, failures }) => {
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    if (attempt <= failures) throw new Error(`attempt ${attempt}`);
    return attempt;
  },
});

df.app.orchestration('chain', function* (context) {
  let sum = context.df.getInput().from;
  for (let index = 0; index < 3; index += 1) sum = yield context.df.callActivity('add', { to: sum, number: 1 });
  return { sum };
});
df.app.orchestration('echoes', function* (context) {
  const results = [];
  for (const input of ['Tokyo', 5, 1.5, null, { a: [1] }]) results.push(yield context.df.callActivity('echo', input));
  return results;
});
df.app.orchestration('fan', function* (context) {
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  return yield context.df.Task.all(numbers.map((number) => context.df.callActivity('add', { to: 0, number })));
});
df.app.orchestration('retries', function* (context) {
  const { failures, attempts: most } = context.df.getInput();
  const options = new df.RetryOptions(5, most);
  const input = { id: context.df.instanceId, failures };
  const before = yield context.df.callActivityWithRetry('flaky', options, input);
  return { attempt: before, after: yield context.df.callActivity('add', { to: 1, number: 1 }) };
});
df.app.orchestration('caught', function* (context) {
  try {
    return yield context.df.callActivity('flaky', { id: context.df.instanceId, failures: 1 });
  } catch (error) {
    return error.message;
  }
});
df.app.orchestration('sleeps', function* (context) {
  const start = context.df.currentUtcDateTime.getTime();
  const ms = context.df.getInput().ms;
  yield context.df.createTimer(new Date(start + ms));
  return { slept: context.df.currentUtcDateTime.getTime() - start };
});
df.app.orchestration('waits', function* (context) {
  context.df.setCustomStatus({ waitingFor: 'go' });
  const first = yield context.df.waitForExternalEvent('go');
  const second = yield context.df.waitForExternalEvent('go');
  return [first, second];
});
df.app.orchestration('races', function* (context) {
  const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 400));
  const event = context.df.waitForExternalEvent('go');
  const winner = yield context.df.Task.any([event, timer]);
  if (winner === event && context.df.getInput().cancel) timer.cancel();
  return winner === event ? 'event' : 'timer';
});
df.app.orchestration('counts', function* (context) {
  const { left, seen } = context.df.getInput();
  const next = yield context.df.callActivity('add', { to: seen, number: 1 });
  if (left === 0) return { seen: next };
  context.df.continueAsNew({ left: left - 1, seen: next });
});
df.app.orchestration('slowly', function* (context) {
  const { name, file } = context.df.getInput();
  return { name: yield context.df.callActivity('slow', { name, file }) };
});
df.app.orchestration('replaying', function* (context) {
  const flags = [context.df.isReplaying];
  yield context.df.callActivity('echo', 1);
  flags.push(context.df.isReplaying);
  return flags;
});
df.app.orchestration('breaks', function* (context) {
  yield context.df.callActivity('echo', 1);
  throw new Error('no way');
});
df.app.orchestration('unknownActivity', function* (context) {
  yield context.df.callActivity('nobody', {});
});
df.app.orchestration('parent', function* (context) {
  yield context.df.callSubOrchestrator('chain', { from: 0 });
});
df.app.orchestration('longSleep', function* (context) {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 7 * 86_400_000));
});

/** Calls any method of the real DurableClient: {method, args} -> {result} or {error}. */
app.http('client', {
  methods: ['POST'],
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const { method, args } = await request.json();
    try {
      const result = await client[method](...args.map(revive));
      return { jsonBody: { result: result ?? null } };
    } catch (error) {
      return { jsonBody: { error: error.message } };
    }
  },
});

app.http('check', {
  route: 'check/{id}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => df.getClient(context).createCheckStatusResponse(request, request.params.id),
});

function revive(value) {
  if (typeof value !== 'object' || value === null) return value;
  const { createdTimeFrom } = value;
  return createdTimeFrom ? { ...value, createdTimeFrom: new Date(createdTimeFrom) } : value;
}
