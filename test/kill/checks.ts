import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import {
  ACCOUNT,
  type ConversionRecord,
  conversionDefinition,
  openTable,
  type PipelineRecord,
  pipelineDefinition,
  type RecordBase,
  type RecordKind,
  RecordStore,
  type SessionRecord,
  SessionSlots,
  sessionDefinition,
  terminalStateOf,
} from '#lib/records';
import { connectionString } from '../../infra/local/storage-account.ts';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import { sessionHostsOf } from '../support/processes.ts';
import type { Ledger } from './journeys.ts';
import type { Journey } from './plan.ts';

/** Longer than the reaper's round, and than a conversion. */
const SETTLE_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 250;

export interface Checked {
  /** What does not hold, in words; empty where everything does. */
  readonly problems: readonly string[];
  readonly pipelines: number;
  readonly conversions: number;
  readonly sessions: number;
  /** Contents that the converter converted, and how often it was started for them. */
  readonly contents: number;
  readonly converterRuns: number;
}

/** Waits until the stack has come to rest, then holds what its records, blobs and processes say against what was asked of it. */
export async function check(
  endpoints: StackEndpoints,
  directory: string,
  journeys: readonly Journey[],
  { acknowledged, unanswered }: Ledger,
  kills: number,
): Promise<Checked> {
  const unrest = await settle(endpoints, directory);
  const after = await read(endpoints);
  const { conversions, sessions } = after;
  const succeeded = conversions.filter((conversion) => conversion.state === 'succeeded');
  const problems = [
    ...unrest,
    ...after.gaps,
    ...checkUploads(after.pipelines, acknowledged, unanswered),
    ...journeys.flatMap((journey) => checkJourney(journey, after, acknowledged)),
    ...after.pipelines.flatMap(checkReason),
    ...checkContents(conversions, kills),
    ...(await checkOutputs(endpoints, succeeded)),
    ...checkOrphans(after.pipelines, [...conversions, ...sessions]),
  ];
  return {
    problems,
    pipelines: after.pipelines.length,
    conversions: after.conversions.length,
    sessions: after.sessions.length,
    contents: new Set(succeeded.map(({ contentKey }) => contentKey)).size,
    converterRuns: after.conversions.reduce((sum, { attempts }) => sum + attempts, 0),
  };
}

interface Records {
  readonly pipelines: readonly PipelineRecord[];
  readonly conversions: readonly ConversionRecord[];
  readonly sessions: readonly SessionRecord[];
  /** Records whose events are not numbered 1, 2, 3 … to the record's own number. */
  readonly gaps: readonly string[];
  /** How often each conversion succeeded, by id. */
  readonly successes: ReadonlyMap<string, number>;
}

async function read(endpoints: StackEndpoints): Promise<Records> {
  const stores = recordsOf(endpoints);
  const [pipelines, conversions, sessions] = await Promise.all([
    readKind('pipeline', stores.pipelines),
    readKind('conversion', stores.conversions),
    readKind('session', stores.sessions),
  ]);
  return {
    pipelines: pipelines.records,
    conversions: conversions.records,
    sessions: sessions.records,
    gaps: [pipelines, conversions, sessions].flatMap(({ gaps }) => gaps),
    successes: conversions.successes,
  };
}

/** The records of a stack, read past its app: what is checked must not be what answers. */
export function recordsOf(stack: StackEndpoints) {
  const table = openTable(storageOf(stack));
  const now = () => new Date();
  return {
    pipelines: new RecordStore(table, pipelineDefinition, ACCOUNT, now),
    conversions: new RecordStore(table, conversionDefinition, ACCOUNT, now),
    sessions: new RecordStore(table, sessionDefinition, ACCOUNT, now),
    slots: new SessionSlots(table, 0),
  };
}

function storageOf(stack: StackEndpoints) {
  return { kind: 'connection-string', connectionString: connectionString(stack) } as const;
}

async function readKind<R extends RecordBase>(kind: RecordKind, store: RecordStore<R>) {
  const records = await store.list();
  const gaps: string[] = [];
  const successes = new Map<string, number>();
  for (const { id, sequence } of records) {
    const history = await store.history(id);
    const numbers = history.map((event) => event.sequence).join(' ');
    const expected = Array.from({ length: sequence }, (_, index) => index + 1).join(' ');
    if (numbers !== expected) gaps.push(`The events of ${kind} ${id} are ${numbers}, not ${expected}.`);
    successes.set(id, history.filter(({ type, state }) => type === 'state' && state === 'succeeded').length);
  }
  return { records, gaps, successes };
}

/** Waits until nothing is active, held or running. @returns what still is when the time is over */
async function settle(endpoints: StackEndpoints, directory: string): Promise<readonly string[]> {
  const deadline = performance.now() + SETTLE_MILLISECONDS;
  for (;;) {
    const unrest = await unrestIn(endpoints, directory);
    if (unrest.length === 0 || performance.now() > deadline) return unrest;
    await wait(POLL_MILLISECONDS);
  }
}

async function unrestIn(endpoints: StackEndpoints, directory: string): Promise<string[]> {
  const table = openTable(storageOf(endpoints));
  const unrest: string[] = [];
  const filter = "RowKey ge 'a~' and RowKey lt 'a~~'";
  for await (const { partitionKey, rowKey } of table.listEntities({ queryOptions: { filter } })) {
    unrest.push(`The row ${partitionKey} ${rowKey} says that something is active.`);
  }
  for (const holder of await recordsOf(endpoints).slots.holders()) unrest.push(`The session ${holder} holds a slot.`);
  const machines = await readdir(join(directory, 'machines')).catch(() => []);
  for (const machine of machines.filter((name) => !name.startsWith('.'))) {
    unrest.push(`The machine ${machine} has a folder.`);
  }
  for (const { pid, commandLine } of await sessionHostsOf(directory)) {
    unrest.push(`The session host ${pid} runs: ${commandLine}`);
  }
  return unrest;
}

/** Each acknowledged upload has one pipeline; one that was never answered has one at most; there are no others. */
function checkUploads(
  pipelines: readonly PipelineRecord[],
  acknowledged: Ledger['acknowledged'],
  unanswered: Ledger['unanswered'],
): string[] {
  const count = (model: string) => pipelines.filter((each) => isUploadOf(each, model)).length;
  const known = new Set([...acknowledged.values(), ...unanswered]);
  return [
    ...[...acknowledged.values()].flatMap((model) =>
      count(model) === 1 ? [] : [`The upload ${model} was acknowledged and has ${count(model)} pipelines.`],
    ),
    ...unanswered.flatMap((model) => (count(model) <= 1 ? [] : [`The upload ${model} has ${count(model)} pipelines.`])),
    ...pipelines.flatMap((each) =>
      known.has(modelOf(each)) ? [] : [`The pipeline ${each.id} is of ${modelOf(each)}, which nobody uploaded.`],
    ),
  ];
}

function checkJourney(journey: Journey, records: Records, acknowledged: Ledger['acknowledged']): string[] {
  const { name, start, mayEnd } = journey;
  const pipeline = records.pipelines.find((each) =>
    start.how === 'put' ? each.id === name : isUploadOf(each, acknowledged.get(name) ?? ''),
  );
  if (pipeline === undefined) return [`${name} has no pipeline.`];
  const { id } = pipeline;
  const ending = 'ending' in pipeline ? pipeline.ending : undefined;
  if (ending === undefined || !mayEnd.includes(ending.reason)) {
    return [`${name} (${id}) may end with ${mayEnd.join(' or ')}; it is ${said(pipeline)}.`];
  }
  if (ending.reason !== 'lease_expired' && ending.reason !== 'completed') return [];
  const session = records.sessions.find((each) => each.id === id);
  const successes = records.successes.get(id) ?? 0;
  return [
    ...(successes === 1 ? [] : [`${name} (${id}) has ${successes} succeeded conversions.`]),
    ...((ending.reason === 'completed') === (session === undefined)
      ? []
      : [`${name} (${id}) ended with ${ending.reason} and ${session === undefined ? 'no' : 'a'} session.`]),
    ...(session === undefined || session.machine?.stoppedAt !== undefined
      ? []
      : [`The machine of ${name} (${id}) was never seen stopped.`]),
  ];
}

function checkReason(pipeline: PipelineRecord): string[] {
  if ('ending' in pipeline && terminalStateOf(pipeline.ending.reason) === pipeline.state) return [];
  return [`The pipeline ${pipeline.id} is ${said(pipeline)}.`];
}

/**
 * The converter ran for one conversion of a content, and again only where it was killed or its conversion was cancelled; all others took its
 * result.
 */
function checkContents(conversions: readonly ConversionRecord[], kills: number): string[] {
  const succeeded = conversions.filter((conversion) => conversion.state === 'succeeded');
  const contents = Map.groupBy(succeeded, ({ result }) => result.contentKey);
  return [...contents].flatMap(([contentKey, ofContent]) => {
    const ran = ofContent.filter(({ attempts }) => attempts > 0);
    const uncached = ofContent.filter(({ result }) => !result.cached);
    const attempts = ran[0]?.attempts ?? 0;
    if (ran.length === 1 && uncached.length === 1 && ran[0] === uncached[0] && attempts <= kills + 1) return [];
    // A conversion that is cancelled when its content is stored already has run the converter for the others.
    const byCancelled = conversions.some(
      (each) => each.state === 'cancelled' && each.contentKey === contentKey && each.attempts > 0,
    );
    if (byCancelled && ran.length === 0 && uncached.length === 0) return [];
    const told = ofContent.map(({ id, result, ...each }) => `${id}: cached ${result.cached}, ${each.attempts} runs`);
    return [`The content ${contentKey} was not converted once: ${told.join('; ')}.`];
  });
}

async function checkOutputs(
  endpoints: StackEndpoints,
  succeeded: readonly Extract<ConversionRecord, { state: 'succeeded' }>[],
): Promise<string[]> {
  const assets = BlobServiceClient.fromConnectionString(connectionString(endpoints)).getContainerClient('assets');
  const sizes = new Map<string, number | undefined>();
  for await (const { name, properties } of assets.listBlobsFlat()) sizes.set(name, properties.contentLength);
  return succeeded.flatMap(({ id, result }) =>
    result.outputs.flatMap(({ name, bytes }) =>
      sizes.get(name) === bytes
        ? []
        : [`The conversion ${id} says that ${name} has ${bytes} bytes; it has ${sizes.get(name) ?? 'none'}.`],
    ),
  );
}

function checkOrphans(pipelines: readonly PipelineRecord[], others: readonly RecordBase[]): string[] {
  const ids = new Set(pipelines.map(({ id }) => id));
  return others.flatMap(({ id }) => (ids.has(id) ? [] : [`${id} is a conversion or session of no pipeline.`]));
}

function isUploadOf(pipeline: PipelineRecord, model: string): boolean {
  return pipeline.id.startsWith('blob-') && modelOf(pipeline) === model;
}

function modelOf({ request }: PipelineRecord): string {
  return `${request.model.folder}/${request.model.file}`;
}

function said(pipeline: PipelineRecord): string {
  if (!('ending' in pipeline)) return pipeline.state;
  const { reason, evidence } = pipeline.ending;
  return `${pipeline.state} with ${reason} (${evidence})`;
}
