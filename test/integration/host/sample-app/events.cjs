const { app } = require('@azure/functions');
const { note } = require('./evidence.cjs');

app.eventGrid('onBlob', {
  handler: async (event) => {
    note(`event ${event.id} ${event.eventType ?? event.type}`);
    if (event.data.fail) throw new Error('not today');
  },
});

app.timer('tick', {
  schedule: '%TICK_SCHEDULE%',
  runOnStartup: process.env.TICK_ON_STARTUP === 'yes',
  handler: async (timer) => {
    note(`tick ${timer.isPastDue ? 'past-due' : 'on-time'} ${timer.schedule.adjustForDST}`);
  },
});
