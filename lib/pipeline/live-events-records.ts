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
  type SessionRecord,
  sessionDefinition,
} from '#lib/records';
import { LiveFeed } from './live-events.ts';
import type { Live } from './live-events-connections.ts';

export interface Records {
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly conversions: RecordStore<ConversionRecord>;
  readonly sessions: RecordStore<SessionRecord>;
  /** Undefined where there is nobody to publish to: then no record has an outbox. */
  readonly live: Live | undefined;
}

/** The records of all kinds, whose events are published where there is somebody to publish to. */
export function openRecords(
  table: TableClient,
  config: Pick<Config, 'EVENT_BACKLOG' | 'STS_ACCOUNT_ID'>,
  now: () => Date,
  events: LiveEvents | undefined,
): Records {
  const feed = events && feedOf(table, config, now, events);
  const hook = (kind: RecordKind) => feed?.afterCommit.bind(feed, kind);
  return {
    pipelines: new RecordStore(table, pipelineDefinition, ACCOUNT, now, hook('pipeline')),
    conversions: new RecordStore(table, conversionDefinition, ACCOUNT, now, hook('conversion')),
    sessions: new RecordStore(table, sessionDefinition, ACCOUNT, now, hook('session')),
    live: events && feed && { feed, connections: events },
  };
}

function feedOf(
  table: TableClient,
  { EVENT_BACKLOG: backlog, STS_ACCOUNT_ID: accountId }: Pick<Config, 'EVENT_BACKLOG' | 'STS_ACCOUNT_ID'>,
  now: () => Date,
  events: Pick<LiveEvents, 'publish'>,
): LiveFeed {
  // The feed only reads records: it needs no store that tells it of commits.
  const records = {
    pipeline: new RecordStore(table, pipelineDefinition, ACCOUNT, now),
    conversion: new RecordStore(table, conversionDefinition, ACCOUNT, now),
    session: new RecordStore(table, sessionDefinition, ACCOUNT, now),
  };
  return new LiveFeed({ events, outboxes: new Outboxes(table, ACCOUNT), records, accountId, backlog, now });
}
