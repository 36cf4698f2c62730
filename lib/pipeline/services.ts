import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { createLocalProcessProvider } from '#lib/compute';
import type { Config } from '#lib/config';
import type { Orchestrations } from '#lib/durable';
import {
  ACCOUNT,
  ContentClaims,
  conversionDefinition,
  Heartbeats,
  openTable,
  pipelineDefinition,
  RecordStore,
  SessionSlots,
  sessionDefinition,
} from '#lib/records';
import { ConversionPlaces, type SelfHostedParts, selfHosted } from '#lib/rendering';
import { Blobs } from '#lib/storage';
import type { PipelineParts } from './parts.ts';
import type { ReaperParts } from './reaper.ts';

/** What an invocation works with. */
export interface Services extends PipelineParts, SelfHostedParts, ReaperParts {}

/** Makes an invocation's services out of the orchestrations that its durable client reaches. */
export type ServicesFor = (orchestrations: Orchestrations) => Services;

/** Builds everything that lives as long as the app: clients of storage and of the machines, once. */
export async function createServices(config: Config): Promise<ServicesFor> {
  const now = () => new Date();
  const table = openTable(config.AzureWebJobsStorage);
  const blobs = new Blobs(config.AzureWebJobsStorage, now);
  await Promise.all([table.createTable(), blobs.prepare([config.MODELS_CONTAINER, config.ASSETS_CONTAINER])]);
  const fixed = {
    config,
    now,
    newSecret: () => randomBytes(32).toString('base64url'),
    blobs,
    pipelines: new RecordStore(table, pipelineDefinition, ACCOUNT, now),
    conversions: new RecordStore(table, conversionDefinition, ACCOUNT, now),
    sessions: new RecordStore(table, sessionDefinition, ACCOUNT, now),
    heartbeats: new Heartbeats(table, ACCOUNT),
    slots: new SessionSlots(table, config.MAX_SESSIONS),
    claims: new ContentClaims(table),
    places: new ConversionPlaces(Math.max(1, availableParallelism() - 1)),
    machines: createLocalProcessProvider({
      deployment: config.DEPLOYMENT_NAME,
      directory: resolve(config.LOCAL_MACHINES_DIRECTORY),
      program: resolve(config.SESSION_HOST_PROGRAM),
      capacity: config.LOCAL_MACHINE_CAPACITY,
      now,
    }),
  };
  return (orchestrations) => {
    const parts = { ...fixed, orchestrations };
    return { ...parts, rendering: selfHosted(parts) };
  };
}
