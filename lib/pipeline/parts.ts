import type { Config } from '#lib/config';
import type { Orchestrations } from '#lib/durable';
import type { PipelineRecord, RecordStore } from '#lib/records';
import type { RenderingService } from '#lib/rendering';
import type { Blobs } from '#lib/storage';
import type { Live } from './live-events-connections.ts';

/** What pipelines work with; built once, but for what the invocation's orchestrations are part of. */
export interface PipelineParts {
  readonly config: Config;
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly rendering: RenderingService;
  readonly orchestrations: Orchestrations;
  readonly blobs: Blobs;
  /** Undefined where no Web PubSub is configured. */
  readonly live?: Live | undefined;
  readonly now: () => Date;
}
