import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../../infra/build.ts';
import { runCommand, UsageError } from '../../infra/local/arguments.ts';
import { callersOf } from '../support/callers.ts';
import { temporaryDirectory } from '../support/stack.ts';
import { type Checked, check } from './checks.ts';
import { Clients, type Pipeline } from './journeys.ts';
import { type Deeds, KilledStack } from './killed-stack.ts';
import { draw, type Journey } from './plan.ts';
import { seeded } from './random.ts';

const help = `
npm run test:kill: kills the whole stack with SIGKILL at random moments while pipelines run, starts it again each time, and checks in
the end that every pipeline has come to its end, once, and that nothing is left running. Session hosts are not killed: they are machines.
Exits with 0 only if everything held.

Usage: npm run test:kill -- [options]

  --pipelines N          how many pipelines run in all (8)
  --seed N               what is run and when it is killed; a number that is printed where none is given
  --seconds-per-kill S   seconds that the stack is left between two kills, on average (3)
  --json                 prints one JSON document to stdout
  --help                 this text
`;

const options = {
  pipelines: { type: 'string', default: '8' },
  seed: { type: 'string' },
  'seconds-per-kill': { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
} as const;

/** Few enough that a short run is long enough to be killed some times. */
const journeysAtATime = (pipelines: number) => Math.min(8, Math.ceil(pipelines / 3));
/** Time enough for all of them, however slow the machine: a run that hangs must end and say where. */
const SECONDS = { base: 180, perPipeline: 20 };

await runCommand({ help, options }, async (given) => {
  const pipelines = readNumber('--pipelines', given.pipelines, 1, 1000);
  const seed = given.seed === undefined ? randomInt(1_000_000) : readNumber('--seed', given.seed, 0, 2 ** 32 - 1);
  const secondsPerKill = readNumber('--seconds-per-kill', given['seconds-per-kill'], 1, 600);
  const began = performance.now();
  say(`Seed ${seed}: ${pipelines} pipelines, a kill about every ${secondsPerKill} s.`);
  await build();
  const { deeds, ...checked } = await run(pipelines, seed, secondsPerKill);
  const seconds = Math.round((performance.now() - began) / 1000);
  const report = { seed, asked: pipelines, ...deeds, ...checked, seconds, held: checked.problems.length === 0 };
  for (const problem of report.problems) say(`Does not hold: ${problem}`);
  say(
    `${report.held ? 'Everything held' : `${report.problems.length} things did not hold`}: ${deeds.kills} kills, ${deeds.killsWhileStarting} of them while it started; ${deeds.readopted} session hosts re-adopted;`,
  );
  say(
    `${checked.pipelines} pipelines, ${checked.sessions} sessions; ${checked.contents} contents, ${checked.converterRuns} converter runs; ${seconds} s, seed ${seed}.`,
  );
  if (given.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.held ? 0 : 1;
});

async function run(pipelines: number, seed: number, secondsPerKill: number): Promise<Checked & { deeds: Deeds }> {
  const random = seeded(seed);
  const journeys = draw(pipelines, random);
  const directory = await temporaryDirectory();
  const stack = new KilledStack(directory.path, {
    MAX_SESSIONS: String(2 * pipelines + 8),
    LOCAL_MACHINE_CAPACITY: '1000',
    LEASE_SECONDS: '3',
    WAIT_FOR_FILES_SECONDS: '4',
  });
  const giveUp = AbortSignal.any([
    interrupted(),
    AbortSignal.timeout((SECONDS.base + SECONDS.perPipeline * pipelines) * 1000),
  ]);
  let held = false;
  try {
    const endpoints = await stack.start();
    const token = () => callersOf(endpoints, directory.path).tokenFor('administrator', 'kill');
    const onEnd = ({ name }: Journey, { id, state }: Pipeline) => say(`${name} (${id}) is ${state}`);
    const clients = new Clients(endpoints, token, giveUp, onEnd);
    const carried = new AbortController();
    const firing = stack.fire(random, secondsPerKill, 2 * pipelines, AbortSignal.any([carried.signal, giveUp]));
    await Promise.race([
      clients.carry(journeys, journeysAtATime(pipelines)),
      firing.then(() => new Promise(() => undefined)),
    ]);
    carried.abort();
    await firing;
    const checked = await check(endpoints, directory.path, journeys, clients.ledger, stack.deeds.kills);
    const problems = [...checked.problems, ...(await checkEnd(stack))];
    held = problems.length === 0;
    return { ...checked, problems, deeds: stack.deeds };
  } finally {
    await stack.destroy();
    if (held) await rm(directory.path, { recursive: true, force: true, maxRetries: 3 });
    else say(`What it left is in ${directory.path}; ${join(directory.path, 'stack.log')} holds what the stack said.`);
  }
}

async function checkEnd(stack: KilledStack): Promise<string[]> {
  const exitCode = await stack.interrupt();
  const left = await stack.left();
  return [
    ...(exitCode === 0 ? [] : [`The stack ended with ${exitCode ?? 'nothing'} after Ctrl-C, not with 0.`]),
    ...left.map(({ pid, commandLine }) => `The process ${pid} still runs: ${commandLine}`),
  ];
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  const ask = () => controller.abort(new Error('Interrupted: nothing was checked.'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
  return controller.signal;
}

function readNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${name} takes a whole number from ${least} to ${most}, not "${text}".`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
