import type { TableClient } from '@azure/data-tables';
import type { Config } from '#lib/config';
import type { LiveEvents } from '#lib/pubsub';
import {
  ACCOUNT,
  type ConversionRecord,
  conversionDefinition,
  Outboxes,
  type PipelineRecord,
  pipelineDefinition,
  type RecordKind,
  RecordStore,
  type Revocations,
  type SessionRecord,
  sessionDefinition,
} from '#lib/records';
import { LiveFeed } from './live-events.ts';
import { keptOut, type Live } from './live-events-connections.ts';
import { LiveEventPauses } from './live-events-pauses.ts';
import { PresentStates } from './present-states.ts';

export interface Records {
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly conversions: RecordStore<ConversionRecord>;
  readonly sessions: RecordStore<SessionRecord>;
  /** Undefined where there is nobody to publish to: then no record has an outbox. */
  readonly live: Live | undefined;
  readonly presentStates: PresentStates | undefined;
}

type LiveConfig = Pick<Config, 'CLIENT_TOKEN_MAX_MINUTES' | 'EVENT_BACKLOG' | 'STS_ACCOUNT_ID'>;

/** The records of all kinds, whose events are published where there is somebody to publish to. */
export function openRecords(
  table: TableClient,
  config: LiveConfig,
  now: () => Date,
  events: LiveEvents | undefined,
  revocations: Pick<Revocations, 'latest'>,
): Records {
  const told = events && toldOf(table, config, now, events, revocations);
  const hook = (kind: RecordKind) => told?.feed.afterCommit.bind(told.feed, kind);
  return {
    pipelines: new RecordStore(table, pipelineDefinition, ACCOUNT, now, hook('pipeline')),
    conversions: new RecordStore(table, conversionDefinition, ACCOUNT, now, hook('conversion')),
    sessions: new RecordStore(table, sessionDefinition, ACCOUNT, now, hook('session')),
    live: events && told && { feed: told.feed, connections: events },
    presentStates: told?.presentStates,
  };
}

function toldOf(
  table: TableClient,
  config: LiveConfig,
  now: () => Date,
  events: Pick<LiveEvents, 'publish' | 'repeat'>,
  revocations: Pick<Revocations, 'latest'>,
): { readonly feed: LiveFeed; readonly presentStates: PresentStates } {
  // Both only read records: they need no stores that tell them of commits.
  const records = {
    pipeline: new RecordStore(table, pipelineDefinition, ACCOUNT, now),
    conversion: new RecordStore(table, conversionDefinition, ACCOUNT, now),
    session: new RecordStore(table, sessionDefinition, ACCOUNT, now),
  };
  const pauses = new LiveEventPauses(now);
  const { EVENT_BACKLOG: backlog, STS_ACCOUNT_ID: accountId } = config;
  const outboxes = new Outboxes(table, ACCOUNT);
  const parts = {
    events,
    outboxes,
    records,
    accountId,
    keptOut: () => keptOut(revocations, { config, now }),
    pauses,
    now,
  };
  return { feed: new LiveFeed({ ...parts, backlog }), presentStates: new PresentStates(parts) };
}
