import type { VmProvider } from '#lib/compute';
import type { Config } from '#lib/config';
import type { Orchestrations } from '#lib/durable';
import type {
  ContentClaims,
  ConversionRecord,
  Heartbeats,
  RecordStore,
  SessionRecord,
  SessionSlots,
} from '#lib/records';
import type { Blobs } from '#lib/storage';
import type { ConversionPlaces } from './conversion-places.ts';

/** What the self-hosted service works with; built once, but for the orchestrations, which each invocation brings. */
export interface SelfHostedParts {
  readonly config: Config;
  readonly conversions: RecordStore<ConversionRecord>;
  readonly sessions: RecordStore<SessionRecord>;
  readonly heartbeats: Heartbeats;
  readonly slots: SessionSlots;
  readonly claims: ContentClaims;
  readonly blobs: Blobs;
  readonly machines: VmProvider;
  readonly places: ConversionPlaces;
  readonly orchestrations: Orchestrations;
  readonly now: () => Date;
  readonly newSecret: () => string;
}
