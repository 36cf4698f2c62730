import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { pipelineBody, ROLES } from '#lib/api';
import type { Caller } from '#lib/http';
import { awaitFiles, convert, createPipeline, nextPipelineStep, startSession, stop, watchSession } from '#lib/pipeline';
import type { PipelineRecord } from '#lib/records';
import { Blobs } from '#lib/storage';
import { FakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { FakeRendering } from '../../support/fake-rendering.ts';
import { openRecords, type TestRecords, testConfig } from '../../support/records.ts';

/** What pipelines work with: real records and blobs, and a rendering service and orchestrations that the test moves. */
export async function openParts(connectionString: string, settings: Readonly<Record<string, string>> = {}) {
  const records: TestRecords = await openRecords(connectionString);
  const models = `models-${randomUUID()}`;
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(models);
  await container.create();
  const config = testConfig(connectionString, {
    MODELS_CONTAINER: models,
    UPLOAD_POLICY: 'convert-and-start',
    LEASE_SECONDS: '60',
    ...settings,
  });
  return {
    ...records,
    now: records.clock.now,
    config,
    blobs: new Blobs({ kind: 'connection-string', connectionString }, records.clock.now),
    rendering: new FakeRendering(),
    orchestrations: new FakeOrchestrations(),
    /** Puts a file into the container of models. */
    upload: async (name: string, content: Uint8Array = Buffer.from('content')) => {
      await container.getBlockBlobClient(name).upload(content, content.length);
    },
  };
}

export type TestParts = Awaited<ReturnType<typeof openParts>>;

/** An Administrator by that name. */
export const administrator = (subject: string): Caller => ({
  subject,
  roles: [ROLES.administrator],
  tenantId: '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11',
});

/** Creates a pipeline as a caller's request does. */
export async function create(parts: TestParts, id: string, body: object = {}): Promise<PipelineRecord> {
  const request = pipelineBody.parse({ model: 'chair/chair.gltf', ...body });
  const { record } = await createPipeline(parts, id, request, 'ada');
  return record;
}

const STEPS = {
  pipelineAwaitFiles: awaitFiles,
  pipelineConvert: convert,
  pipelineStartSession: startSession,
  pipelineWatchSession: watchSession,
  pipelineStop: stop,
} as const;

/** One pass of the pipeline's orchestration: the step that its record names. @returns when it wants to look again, undefined at its end */
export async function pass(parts: TestParts, id: string): Promise<Date | undefined> {
  const { step } = nextPipelineStep(await parts.pipelines.get(id));
  return step === null ? undefined : await STEPS[step](parts, id);
}

/** Passes until the orchestration is at its end, or sleeps. */
export async function passes(parts: TestParts, id: string): Promise<PipelineRecord> {
  for (let count = 0; count < 20; count += 1) {
    const wakeAt = await pass(parts, id);
    if (wakeAt === undefined || wakeAt > parts.now()) return parts.pipelines.get(id);
  }
  throw new Error(`The pipeline ${id} neither sleeps nor ends.`);
}
