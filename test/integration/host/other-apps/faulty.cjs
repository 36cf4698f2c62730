const { app } = require('@azure/functions');

/** Each fault is what one start-up test looks for. */
const faults = {
  empty: () => undefined,
  throws: () => {
    throw new Error('no database');
  },
  duplicate: () => {
    app.http('one', { handler: async () => ({}) });
    app.http('one', { route: 'other', handler: async () => ({}) });
  },
  'other-case': () => {
    app.http('one', { handler: async () => ({}) });
    app.http('One', { route: 'other', handler: async () => ({}) });
  },
  'same-route': () => {
    app.http('first', { route: 'things/{id}', methods: ['GET'], handler: async () => ({}) });
    app.http('second', { route: 'Things/{name}', methods: ['GET', 'PUT'], handler: async () => ({}) });
  },
  queue: () => app.storageQueue('jobs', { queueName: 'jobs', connection: 'Storage', handler: async () => undefined }),
  route: () => app.http('odd', { route: 'a/{x:guid}', handler: async () => ({}) }),
  schedule: () => app.timer('clock', { schedule: '*/5 * * * *', handler: async () => undefined }),
  never: () => app.timer('clock', { schedule: '0 0 0 30 2 *', handler: async () => undefined }),
  setting: () => app.timer('clock', { schedule: '%NO_SUCH_SETTING%', handler: async () => undefined }),
  stream: () => {
    app.setup({ enableHttpStream: true });
    app.http('one', { handler: async () => ({}) });
  },
  hook: () => app.hook.preInvocation(() => undefined),
};

faults[process.env.FAULT]();
