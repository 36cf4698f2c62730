import type { HeartbeatBody } from '#lib/api';
import type { SessionRecord } from '#lib/records';
import {
  awaitHost,
  ConversionPlaces,
  nextSessionStep,
  receiveHeartbeat,
  type SelfHostedParts,
  startMachine,
  stopSession,
  watchSession,
} from '#lib/rendering';
import { Blobs } from '#lib/storage';
import { FakeMachines } from '../../support/fake-machines.ts';
import { FakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { openRecords, type TestClock, testConfig } from '../../support/records.ts';

/** The self-hosted service's parts over real storage, with machines and orchestrations that the test moves. */
export interface TestParts extends SelfHostedParts {
  readonly machines: FakeMachines;
  readonly orchestrations: FakeOrchestrations;
  readonly clock: TestClock;
}

export async function openParts(
  connectionString: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestParts> {
  const config = testConfig(connectionString, settings);
  const records = await openRecords(connectionString, config.MAX_SESSIONS);
  const { now } = records.clock;
  let secrets = 0;
  return {
    ...records,
    config,
    now,
    newSecret: () => {
      secrets += 1;
      return `secret-${secrets}`;
    },
    blobs: new Blobs({ kind: 'connection-string', connectionString }, now),
    places: new ConversionPlaces(1),
    machines: new FakeMachines(now),
    orchestrations: new FakeOrchestrations(),
  };
}

const STEPS = {
  sessionStartMachine: startMachine,
  sessionAwaitHost: awaitHost,
  sessionWatch: watchSession,
  sessionStop: stopSession,
} as const;

/** One pass of the session's orchestration: the step that its record names. @returns when it wants to look again, undefined at its end */
export async function pass(parts: TestParts, id: string): Promise<Date | undefined> {
  const { step } = nextSessionStep(await parts.sessions.get(id), parts.now());
  return step === null ? undefined : await STEPS[step](parts, id);
}

/** Passes until the orchestration is at its end, or sleeps. */
export async function passes(parts: TestParts, id: string): Promise<SessionRecord> {
  for (let count = 0; count < 20; count += 1) {
    const wakeAt = await pass(parts, id);
    if (wakeAt === undefined || wakeAt > parts.now()) return parts.sessions.get(id);
  }
  throw new Error(`The session ${id} neither sleeps nor ends.`);
}

/** A session host says that it is up, with the secret that its machine was given. */
export function beat(parts: TestParts, id: string, asset: HeartbeatBody['asset'] = null) {
  const secret = parts.machines.started.findLast(({ sessionId }) => sessionId === id)?.host.heartbeatSecret;
  const said = { state: 'ready', hostname: '127.0.0.1', ports: { inspector: 4242 }, connected: false, asset } as const;
  return receiveHeartbeat(parts, id, secret, async () => said);
}
