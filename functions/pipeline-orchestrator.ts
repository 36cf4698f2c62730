import { registerProcess } from '#lib/durable';
import { awaitFiles, convert, nextPipelineStep, startSession, stop, watchSession } from '#lib/pipeline';
import { ACCOUNT } from '#lib/records';
import { servicesWith } from './services.ts';

/** The orchestrator `renderPipeline` and its activities: the journey of a model, from upload to stopped machine. */
registerProcess({
  kind: 'pipeline',
  account: ACCOUNT,
  services: servicesWith,
  async next({ pipelines }, id) {
    const record = await pipelines.read(id);
    return record && nextPipelineStep(record);
  },
  steps: {
    pipelineAwaitFiles: awaitFiles,
    pipelineConvert: convert,
    pipelineStartSession: startSession,
    pipelineWatchSession: watchSession,
    pipelineStop: stop,
  },
});
