import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from '../../infra/build.ts';
import { runCommand, UsageError } from '../../infra/local/arguments.ts';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import { activeRecords, findings, recordsOf } from './checks.ts';
import { askFor, askToStop, endpointsOf } from './clients.ts';
import { type Planned, planPipelines, randomFrom } from './plan.ts';
import { killTree, sessionHosts } from './processes.ts';

const help = `
npm run test:kill: kills the whole stack with SIGKILL at random moments while pipelines run, starts it again each time, and checks that
nothing is lost, nothing happens twice, and no machine is left. Session hosts are machines: they live through the kills.

Usage: npm run test:kill -- [options]

  --pipelines N   how many pipelines are asked for (50)
  --seed N        makes a run repeatable as far as the machine's speed allows (the time)
  --json          print one JSON document to stdout: what was done, and what did not hold
  --help          this text
`;

const options = {
  pipelines: { type: 'string', default: '50' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  json: { type: 'boolean', default: false },
} as const;

/** How long a stack lives before it is killed, and how long the last one may take to come to rest, in ms. */
const LIFE = { shortest: 500, longest: 4000 };
/** The pause between two requests is up to this, in ms. */
const PAUSE = 800;
const QUIET_MILLISECONDS = 240_000;

await runCommand({ help, options }, async ({ pipelines, seed, json }) => {
  const random = randomFrom(whole('--seed', seed));
  const planned = planPipelines(whole('--pipelines', pipelines), random);
  const directory = await mkdtemp(join(tmpdir(), 'rendering-kill-'));
  say(`seed ${seed}, ${planned.length} pipelines; the stack's log is ${directory}.log`);
  await build();
  const started = performance.now();
  const { kills, readopted } = await liveThroughKills(directory, planned, random);
  const { found, active, reasons } = await comeToRest(directory, planned);
  const seconds = Math.round((performance.now() - started) / 1000);
  say(
    `${kills} kills, ${readopted} running session hosts taken up again, ${seconds} s; reasons: ${JSON.stringify(reasons)}`,
  );
  for (const line of found) say(`does not hold: ${line}`);
  if (json)
    process.stdout.write(`${JSON.stringify({ seed, kills, readopted, seconds, active, reasons, findings: found })}\n`);
  if (found.length > 0) return 1;
  say('everything holds');
  await rm(directory, { recursive: true, force: true });
  await rm(`${directory}.log`, { force: true });
  return 0;
});

/** Asks for pipelines while the stack is killed and started again, until all are acknowledged; a kill for every four at least. */
async function liveThroughKills(directory: string, planned: readonly Planned[], random: () => number) {
  const waiting = [...planned];
  let kills = 0;
  let readopted = 0;
  while (waiting.length > 0 || kills < planned.length / 4) {
    const stack = await startStack(directory);
    readopted += (await sessionHosts(directory)).length;
    const doom = wait(LIFE.shortest + random() * (LIFE.longest - LIFE.shortest));
    const dying = new AbortController();
    const asking = ask(waiting, stack.endpoints, random, dying.signal);
    await doom;
    await killTree(stack.pid);
    dying.abort();
    await asking;
    kills += 1;
    say(`killed ${kills} times; ${planned.length - waiting.length} of ${planned.length} pipelines acknowledged`);
  }
  return { kills, readopted };
}

async function ask(
  waiting: Planned[],
  endpoints: StackEndpoints,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  for (let next = waiting[0]; next !== undefined && !signal.aborted; next = waiting[0]) {
    if (await askFor(next, endpoints)) {
      waiting.shift();
      if (next.stopped && next.id !== undefined) await askToStop(next.id, endpoints);
    }
    await wait(random() * PAUSE, undefined, { signal }).catch(() => undefined);
  }
}

/** Starts the stack a last time, waits until no record is active, checks, and stops it in order. */
async function comeToRest(directory: string, planned: readonly Planned[]) {
  const stack = await startStack(directory);
  const records = recordsOf(stack.endpoints);
  const deadline = performance.now() + QUIET_MILLISECONDS;
  let active = await activeRecords(records);
  while (active > 0 && performance.now() < deadline) {
    await wait(500);
    active = await activeRecords(records);
  }
  const reasons: Record<string, number> = {};
  for (const record of await records.pipelines.list()) {
    const reason = 'ending' in record ? record.ending.reason : record.state;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const found = await findings(records, planned, directory);
  stack.child.kill('SIGTERM');
  await once(stack.child, 'exit');
  return { active, reasons, found };
}

async function startStack(directory: string): Promise<{ child: ChildProcess; pid: number; endpoints: StackEndpoints }> {
  const program = fileURLToPath(new URL('./stack.ts', import.meta.url));
  // The endpoints of a stack that was killed are still written there.
  await rm(join(directory, 'endpoints.json'), { force: true });
  const child = spawn(process.execPath, [program, directory], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(`${directory}.log`, { flags: 'a' });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  for (;;) {
    const endpoints = await endpointsOf(directory);
    if (endpoints !== undefined && child.pid !== undefined) return { child, pid: child.pid, endpoints };
    if (child.exitCode !== null) throw new Error(`The stack did not start again; ${directory}.log says why.`);
    await wait(50);
  }
}

function whole(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number, not "${text}".`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
