import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { RemoteRenderingClient } from '#lib/client';
import { build } from '../../infra/build.ts';
import { readArguments, UsageError } from '../../infra/local/arguments.ts';
import { type Stack, startStack } from '../../infra/local/supervisor.ts';
import { callersOf } from '../support/callers.ts';
import { allProcesses } from '../support/processes.ts';
import { temporaryDirectory } from '../support/stack.ts';

const help = `
npm run bench:events: how soon watchers hear of a change of state, on one machine: every Client may read every pipeline, so that each event goes
to all of them. Half of the pipelines are stopped while all is well; the other half while Web PubSub stands still for 30 s (SIGSTOP), which
must not hold a request up for longer than the second that a commit waits for it. Times run from the moment that an event was about to be
written, so that they hold the write too. Exits with 1 where a target is missed.

Usage: npm run bench:events -- [--pipelines 100] [--watchers 200] [--outage 30]
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));
const CHANGES_PER_SECOND = 5;
const SETTLE_SECONDS = 90;
const P50_MILLISECONDS = 50;
const P99_MILLISECONDS = 500;
/** A request to stop makes one commit, which waits a second for Web PubSub at most; the rest is what a request takes at its slowest. */
const SLOWEST_MILLISECONDS = 1000 + 500;

/** What one watcher has heard of its pipeline. */
interface Watcher {
  readonly sequences: number[];
  /** Milliseconds from the write to here, of what came while all was well. */
  readonly delays: number[];
  readonly over: Promise<void>;
}

const settings = readSettings();
await using directory = await temporaryDirectory();
await build();
const stack = await startStack({
  directory: directory.path,
  scriptRoot,
  port: 0,
  environment: { UPLOAD_POLICY: 'convert', WAIT_FOR_FILES_SECONDS: '3600', TOKEN_REQUESTS_PER_MINUTE: '1000000' },
});
let missed: readonly string[];
try {
  missed = await run(stack);
} finally {
  await stack.stop();
}
for (const target of missed) process.stdout.write(`MISSED: ${target}\n`);
process.exit(missed.length === 0 ? 0 : 1);

async function run({ endpoints }: Stack): Promise<readonly string[]> {
  const { tokenFor } = callersOf(endpoints, directory.path);
  const clientOf = async (role: 'client' | 'administrator', name: string) => {
    const token = await tokenFor(role, name);
    return new RemoteRenderingClient({ url: endpoints.app, token: () => token });
  };
  const administrator = await clientOf('administrator', 'ada');
  const ids = Array.from({ length: settings.pipelines }, (_, index) => `pipeline-${index}`);
  for (const id of ids) await administrator.putPipeline(id, { model: `absent/${id}.glb`, session: null });

  const phase = { outage: false };
  const watchers: Watcher[] = [];
  for (let index = 0; index < settings.watchers; index += 1) {
    const client = await clientOf('client', `watcher-${index}`);
    watchers.push(watch(client, ids[index % ids.length] ?? '', phase));
  }
  await until(() => watchers.every(({ sequences }) => sequences.length > 0));
  print(`${ids.length} pipelines, ${watchers.length} watchers; ${CHANGES_PER_SECOND} pipelines a second are stopped`);

  const half = Math.ceil(ids.length / 2);
  await stopAll(administrator, ids.slice(0, half));
  await wait(2000);
  phase.outage = true;
  const [server] = (await allProcesses()).filter(
    ({ commandLine }) => commandLine.includes('web-pubsub.ts') && commandLine.includes(endpoints.authority),
  );
  if (server === undefined) throw new Error('Web PubSub does not run.');
  process.kill(server.pid, 'SIGSTOP');
  const back = wait(settings.outage * 1000).then(() => process.kill(server.pid, 'SIGCONT'));
  const slowest = await stopAll(administrator, ids.slice(half));
  await back;
  print(`Web PubSub stood still for ${settings.outage} s; the slowest request meanwhile took ${slowest.toFixed(0)} ms`);
  await Promise.race([
    Promise.all(watchers.map(({ over }) => over)),
    wait(SETTLE_SECONDS * 1000, undefined, { ref: false }),
  ]);
  const isHeldUp = slowest > SLOWEST_MILLISECONDS;
  return [
    ...(await judge(administrator, ids, watchers)),
    ...(isHeldUp ? [`no request slower than ${SLOWEST_MILLISECONDS} ms while Web PubSub stands still`] : []),
  ];
}

function watch(client: RemoteRenderingClient, id: string, phase: { readonly outage: boolean }): Watcher {
  const sequences: number[] = [];
  const delays: number[] = [];
  const over = (async () => {
    for await (const event of client.watch(id)) {
      if (event.subject !== `/pipelines/${id}`) continue;
      if (!phase.outage && sequences.length > 0) delays.push(Date.now() - Date.parse(event.time));
      sequences.push(event.data.sequence);
    }
  })();
  return { sequences, delays, over };
}

/** @returns how long the slowest request took, in milliseconds */
async function stopAll(administrator: RemoteRenderingClient, ids: readonly string[]): Promise<number> {
  const started = performance.now();
  const asked = ids.map(async (id, index) => {
    await wait(Math.max(0, (index * 1000) / CHANGES_PER_SECOND - (performance.now() - started)));
    const began = performance.now();
    await administrator.stopPipeline(id);
    return performance.now() - began;
  });
  return Math.max(...(await Promise.all(asked)));
}

async function judge(
  administrator: RemoteRenderingClient,
  ids: readonly string[],
  watchers: readonly Watcher[],
): Promise<readonly string[]> {
  const delays = watchers.flatMap((watcher) => watcher.delays).toSorted((one, other) => one - other);
  const percentile = (share: number) =>
    delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? Number.NaN;
  const [p50, p99] = [percentile(0.5), percentile(0.99)];
  let lost = 0;
  let disordered = 0;
  for (const [index, { sequences }] of watchers.entries()) {
    const { history } = await administrator.pipeline(ids[index % ids.length] ?? '');
    const [first = 0] = sequences;
    const heard = new Set(sequences);
    lost += history.filter(({ sequence }) => sequence >= first && !heard.has(sequence)).length;
    disordered += sequences.filter((sequence, at) => at > 0 && sequence <= (sequences[at - 1] ?? 0)).length;
  }
  print(
    `${delays.length} events while all was well: p50 ${p50} ms, p99 ${p99} ms; over all: ${lost} lost, ${disordered} out of order`,
  );
  return [
    ...(p50 <= P50_MILLISECONDS ? [] : [`p50 at most ${P50_MILLISECONDS} ms`]),
    ...(p99 <= P99_MILLISECONDS ? [] : [`p99 at most ${P99_MILLISECONDS} ms`]),
    ...(lost === 0 ? [] : ['no event lost']),
    ...(disordered === 0 ? [] : ['every event in order']),
  ];
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + SETTLE_SECONDS * 1000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('The watchers have not been told the present state.');
    await wait(50);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function readSettings() {
  const options = {
    pipelines: { type: 'string', default: '100' },
    watchers: { type: 'string', default: '200' },
    outage: { type: 'string', default: '30' },
  } as const;
  const whole = z.coerce.number().int().min(1).max(1000);
  const wanted = z.object({ pipelines: whole, watchers: whole, outage: whole });
  const given = wanted.safeParse(readArguments({ help, options }, process.argv.slice(2)));
  if (given.success) return given.data;
  throw new UsageError(`--pipelines, --watchers and --outage take whole numbers from 1 to 1000.\n${help}`);
}
