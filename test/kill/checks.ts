import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ACCOUNT,
  conversionDefinition,
  openTable,
  type PipelineRecord,
  pipelineDefinition,
  RecordStore,
  SessionSlots,
  sessionDefinition,
} from '#lib/records';
import { connectionString } from '../../infra/local/storage-account.ts';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import type { Planned } from './plan.ts';
import { sessionHosts } from './processes.ts';

/** The records of a stack, read past its app: what is checked must not be what answers. */
export function recordsOf(stack: StackEndpoints) {
  const table = openTable(connectionString(stack));
  const now = () => new Date();
  return {
    pipelines: new RecordStore(table, pipelineDefinition, ACCOUNT, now),
    conversions: new RecordStore(table, conversionDefinition, ACCOUNT, now),
    sessions: new RecordStore(table, sessionDefinition, ACCOUNT, now),
    slots: new SessionSlots(table, 0),
  };
}

type Records = ReturnType<typeof recordsOf>;

/** How many records are not terminal. */
export async function activeRecords({ pipelines, conversions, sessions }: Records): Promise<number> {
  const active = await Promise.all([pipelines.listActive(), conversions.listActive(), sessions.listActive()]);
  return active.flat().length;
}

/** Everything that does not hold once all is quiet, in words; nothing where all holds. */
export async function findings(records: Records, planned: readonly Planned[], directory: string): Promise<string[]> {
  const left = await sessionHosts(directory);
  const folders = await readdir(join(directory, 'machines')).catch(() => []);
  const holders = await records.slots.holders();
  return [
    ...(left.length > 0 ? [`session hosts still run: ${left.join(', ')}`] : []),
    ...(folders.length > 0 ? [`machines are left: ${folders.join(', ')}`] : []),
    ...(holders.length > 0 ? [`slots are held by ${holders.join(', ')}`] : []),
    ...(await pipelineFindings(records, planned)),
    ...(await conversionFindings(records)),
  ];
}

async function pipelineFindings(records: Records, planned: readonly Planned[]): Promise<string[]> {
  const all = await records.pipelines.list();
  const found = planned.map(async (plan) => {
    const ours = all.filter(({ request }) => `${request.model.folder}/${request.model.file}` === plan.model);
    const uploads = ours.filter(({ id }) => id.startsWith('blob-')).length;
    const lost = plan.id !== undefined && !ours.some(({ id }) => id === plan.id);
    const each = await Promise.all(ours.map((record) => recordFindings(records, plan, record)));
    return [
      ...(uploads === 1 ? [] : [`${plan.model} was uploaded once and has ${uploads} pipelines`]),
      ...(lost ? [`${plan.id} was acknowledged and is not there`] : []),
      ...each.flat(),
    ];
  });
  return (await Promise.all(found)).flat();
}

async function recordFindings(
  records: Records,
  { broken, stopped }: Planned,
  record: PipelineRecord,
): Promise<string[]> {
  const { id, state } = record;
  const converted = (await records.conversions.read(id))?.state === 'succeeded';
  const sequence = (await records.pipelines.history(id)).map((event) => event.sequence);
  return [
    ...(pipelineDefinition.isTerminal(record) ? [] : [`${id} is ${state}`]),
    ...(broken && converted ? [`${id} is broken and was converted`] : []),
    ...(broken || stopped || converted ? [] : [`${id} has no Succeeded conversion`]),
    ...(sequence.every((number, index) => number === index + 1) ? [] : [`${id} has gaps in its events`]),
  ];
}

/** Whatever died and was started again, only one conversion of a content says that the converter ran for it. */
async function conversionFindings({ conversions }: Records): Promise<string[]> {
  const ran = new Map<string, string[]>();
  for (const record of await conversions.list()) {
    if (record.state !== 'succeeded' || record.result.cached) continue;
    ran.set(record.result.contentKey, [...(ran.get(record.result.contentKey) ?? []), record.id]);
  }
  return [...ran].flatMap(([, ids]) =>
    ids.length > 1 ? [`the same content was converted by ${ids.join(' and ')}`] : [],
  );
}
