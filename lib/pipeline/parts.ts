import type { Config } from '#lib/config';
import type { Orchestrations } from '#lib/durable';
import type { PipelineRecord, RecordStore } from '#lib/records';
import type { RenderingService } from '#lib/rendering';
import type { Blobs } from '#lib/storage';

/** What pipelines work with; built once, but for what the invocation's orchestrations are part of. */
export interface PipelineParts {
  readonly config: Config;
  readonly pipelines: RecordStore<PipelineRecord>;
  readonly rendering: RenderingService;
  readonly orchestrations: Orchestrations;
  readonly blobs: Blobs;
  readonly now: () => Date;
}
