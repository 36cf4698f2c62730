import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { RemoteRenderingClient } from '#lib/client';
import { build } from '../../infra/build.ts';
import { runCommand } from '../../infra/local/arguments.ts';
import { connectionString } from '../../infra/local/storage-account.ts';
import { type Stack, startStack } from '../../infra/local/supervisor.ts';
import { callersOf } from '../support/callers.ts';
import { sheetGlb } from '../support/models/index.ts';
import { treeOf } from '../support/processes.ts';
import { temporaryDirectory } from '../support/stack.ts';

const help = `
npm run bench:health: how soon the app answers while it converts. Several models are submitted at once; until the last of them is converted
both health routes are asked, one request after another. Exits with 1 where a target is missed.

Usage: npm run bench:health -- [--models 4] [--triangles 500000]
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));
const ROUTES = ['/api/health/live', '/api/health/ready'] as const;
const PAUSE_MILLISECONDS = 10;
const P99_MILLISECONDS = 100;
/** Between two looks at the processes of this computer, which take time from the very process that measures. */
const WATCH_MILLISECONDS = 500;
const MOST_CONVERTERS = Math.max(1, availableParallelism() - 1);

const options = {
  models: { type: 'string', default: '4' },
  triangles: { type: 'string', default: '500000' },
} as const;

await runCommand({ help, options }, async ({ models, triangles }) => {
  await using directory = await temporaryDirectory();
  await build();
  const environment = { UPLOAD_POLICY: 'convert' };
  const stack = await startStack({ directory: directory.path, scriptRoot, port: 0, environment });
  try {
    const token = await callersOf(stack.endpoints, directory.path).tokenFor('administrator', 'ada');
    const client = new RemoteRenderingClient({ url: stack.endpoints.app, token: () => token });
    const missed = await run(stack, client, Number(models), Number(triangles));
    for (const target of missed) print(`MISSED: ${target}`);
    return missed.length === 0 ? 0 : 1;
  } finally {
    await stack.stop();
  }
});

async function run(
  { endpoints }: Stack,
  client: RemoteRenderingClient,
  models: number,
  triangles: number,
): Promise<readonly string[]> {
  await ask(endpoints.app, () => false, 100);
  report('idle', await ask(endpoints.app, () => false, 300));
  const container = BlobServiceClient.fromConnectionString(connectionString(endpoints)).getContainerClient('models');
  for (let index = 0; index < models; index += 1) {
    // A little different each, so that each is converted.
    await container
      .getBlockBlobClient(`bench/${index}.glb`)
      .uploadData(Buffer.from(sheetGlb(triangles + 1000 * index)));
  }
  const began = performance.now();
  let isOver = false;
  let most = 0;
  const watch = async () => {
    while (!isOver) {
      most = Math.max(most, await converters());
      const states = (await client.pipelines()).map(({ state }) => state);
      isOver = states.length === models && states.every((state) => state === 'converted' || state === 'failed');
      if (isOver && states.includes('failed')) throw new Error('A model was not converted.');
      await wait(WATCH_MILLISECONDS);
    }
  };
  const [times] = await Promise.all([ask(endpoints.app, () => isOver), watch()]);
  const seconds = (performance.now() - began) / 1000;
  print(
    `${models} models of some ${triangles.toLocaleString('en-US')} triangles were converted in ${seconds.toFixed(1)} s, ` +
      `by ${most} converters at a time on ${availableParallelism()} cores`,
  );
  const missed = most <= MOST_CONVERTERS ? [] : [`at most ${MOST_CONVERTERS} converters at a time`];
  for (const [route, p99] of report('converting', times)) {
    if (!(p99 < P99_MILLISECONDS)) missed.push(`${route}: p99 under ${P99_MILLISECONDS} ms`);
  }
  return missed;
}

/** @returns the p99 of each route, in milliseconds */
function report(when: string, times: ReadonlyMap<string, readonly number[]>): [string, number][] {
  return [...times].map(([route, all]) => {
    const sorted = all.toSorted((one, other) => one - other);
    const percentile = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
    const [p50, p99, slowest] = [0.5, 0.99, 1].map((share) => percentile(share).toFixed(1));
    print(`${when}: ${route}: ${all.length} requests, p50 ${p50} ms, p99 ${p99} ms, slowest ${slowest} ms`);
    return [route, percentile(0.99)];
  });
}

/** Asks both routes in turn until it is over, or so many times. @returns the milliseconds of each request */
async function ask(app: string, isOver: () => boolean, times = Number.POSITIVE_INFINITY) {
  const taken = new Map<string, number[]>(ROUTES.map((route) => [route, []]));
  for (let round = 0; round < times && !isOver(); round += 1) {
    for (const route of ROUTES) {
      const began = performance.now();
      const response = await fetch(app + route);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${route} answered HTTP ${response.status}.`);
      taken.get(route)?.push(performance.now() - began);
    }
    await wait(PAUSE_MILLISECONDS);
  }
  return taken;
}

async function converters(): Promise<number> {
  return (await treeOf(process.pid)).filter(({ commandLine }) => commandLine.includes('converter.mjs')).length;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
