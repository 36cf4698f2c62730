import { registerProcess } from '#lib/durable';
import { ACCOUNT } from '#lib/records';
import { awaitHost, nextSessionStep, startMachine, stopSession, watchSession } from '#lib/rendering';
import { servicesWith } from './services.ts';

/** The orchestrator `holdSession` and its activities: one machine from its start to the moment it is seen stopped. */
registerProcess({
  kind: 'session',
  account: ACCOUNT,
  services: servicesWith,
  async next({ sessions, now }, id) {
    const record = await sessions.read(id);
    return record && nextSessionStep(record, now());
  },
  steps: {
    sessionStartMachine: startMachine,
    sessionAwaitHost: awaitHost,
    sessionWatch: watchSession,
    sessionStop: stopSession,
  },
});
