import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { type Config, parseConfig } from '#lib/config';
import {
  ACCOUNT,
  ContentClaims,
  type ConversionRecord,
  conversionDefinition,
  Heartbeats,
  type NewRecord,
  type PipelineRecord,
  pipelineDefinition,
  RecordStore,
  type SessionRecord,
  SessionSlots,
  sessionDefinition,
} from '#lib/records';

/** Where every test's clock begins. */
export const START = new Date('2026-03-01T12:00:00.000Z');

/** A clock that stands still until it is told. */
export interface TestClock {
  readonly now: () => Date;
  advance(seconds: number): void;
}

export function testClock(): TestClock {
  let time = START.getTime();
  return {
    now: () => new Date(time),
    advance(seconds) {
      time += seconds * 1000;
    },
  };
}

/** A point in time so many seconds after the clocks' beginning. */
export function at(seconds: number): Date {
  return new Date(START.getTime() + seconds * 1000);
}

/** What an app must be told beside its storage account: whose callers it lets in, and for which account it issues tokens. */
const REQUIRED = {
  ENTRA_TENANT_IDS: '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11',
  ENTRA_AUDIENCES: 'api://remote-rendering-functions',
  STS_ACCOUNT_ID: 'd0f3c0de-5e1a-4b5c-8a57-0c4f4f2f7f10',
};

/** An app's settings for tests: every default but what has none, and what is given. */
export function testConfig(connectionString: string, given: Readonly<Record<string, string>> = {}): Config {
  return parseConfig({
    ...REQUIRED,
    AzureWebJobsStorage: connectionString,
    CONTROL_PLANE_URL: 'http://app.test',
    ...given,
  });
}

/** All stores over one table. */
export interface TestRecords {
  readonly table: TableClient;
  readonly clock: TestClock;
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly conversions: RecordStore<ConversionRecord>;
  readonly sessions: RecordStore<SessionRecord>;
  readonly heartbeats: Heartbeats;
  readonly slots: SessionSlots;
  readonly claims: ContentClaims;
}

/** A new and empty table of its own, so that what one test leaves is not there for the next. */
export async function openRecords(connectionString: string, maxSessions = 8): Promise<TestRecords> {
  const name = `records${randomUUID().replaceAll('-', '')}`;
  const table = TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
  await table.createTable();
  const clock = testClock();
  return {
    table,
    clock,
    pipelines: new RecordStore(table, pipelineDefinition, ACCOUNT, clock.now),
    conversions: new RecordStore(table, conversionDefinition, ACCOUNT, clock.now),
    sessions: new RecordStore(table, sessionDefinition, ACCOUNT, clock.now),
    heartbeats: new Heartbeats(table, ACCOUNT),
    slots: new SessionSlots(table, maxSessions),
    claims: new ContentClaims(table),
  };
}

/** A pipeline that waits for its files. */
export function newPipeline(id: string, change: Partial<Pick<PipelineRecord, 'request' | 'warnings'>> = {}) {
  return {
    id,
    owner: 'ada',
    readers: ['clients'],
    request: {
      model: { folder: 'chair', file: 'chair.glb' },
      session: { size: 'Standard', maxLeaseSeconds: 60 },
    },
    waitUntil: at(300).toISOString(),
    missingFiles: [],
    warnings: [],
    state: 'waiting',
    ...change,
  } satisfies NewRecord<PipelineRecord>;
}

/** A session that has no machine yet, with a lease of 60 s that may grow to 600 s. */
export function newSession(id: string) {
  return {
    id,
    owner: 'ada',
    readers: ['clients'],
    size: 'Standard',
    requestedLeaseSeconds: 60,
    lease: { revision: 1, maxLeaseSeconds: 60, hardCapSeconds: 600 },
    startBy: at(600).toISOString(),
    state: 'starting',
  } satisfies NewRecord<SessionRecord>;
}

/** A conversion that nobody has begun. */
export function newConversion(id: string) {
  return {
    id,
    owner: 'ada',
    readers: ['clients'],
    locations: {
      input: { container: 'models', blobPrefix: 'chair/', relativeInputAssetPath: 'chair.glb' },
      output: { container: 'assets', blobPrefix: `${id}/`, outputAssetFilename: 'chair.glb' },
    },
    attempts: 0,
    faults: 0,
    state: 'not_started',
  } satisfies NewRecord<ConversionRecord>;
}
