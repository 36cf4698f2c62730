import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { StackEndpoints } from '../../infra/local/supervisor.ts';
import {
  allProcesses,
  killAll,
  processesOf,
  type SystemProcess,
  sessionHostsOf,
  treeOf,
} from '../support/processes.ts';
import { type StackProcess, spawnStack } from '../support/stack-process.ts';
import type { Random } from './random.ts';

/** The share of kills that count from the start, and so may meet it; the others wait until the stack answers. */
const KILLS_WHILE_STARTING = 0.25;
const GONE_MILLISECONDS = 10_000;
const EXIT_MILLISECONDS = 30_000;

/** What was done to the stack so far. */
export interface Deeds {
  kills: number;
  /** Kills that met a stack which had not answered yet. */
  killsWhileStarting: number;
  restarts: number;
  /** Session hosts that lived through a kill until the stack answered again. */
  readopted: number;
}

/** A stack that is killed whole, but for its session hosts, again and again, and comes back on the same directory and ports. */
export class KilledStack {
  readonly deeds: Deeds = { kills: 0, killsWhileStarting: 0, restarts: 0, readopted: 0 };
  readonly #directory: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #seen = new Map<number, string>();
  #stack: StackProcess | undefined;
  #survivors: readonly SystemProcess[] = [];

  constructor(directory: string, environment: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#environment = environment;
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<StackEndpoints> {
    await this.#spawn();
    return await this.#answers();
  }

  /** Kills and restarts at random moments, so many seconds apart on average, until it is told to end or has killed often enough. */
  async fire(random: Random, secondsPerKill: number, maxKills: number, signal: AbortSignal): Promise<void> {
    while (this.deeds.kills < maxKills) {
      if (random.next() > KILLS_WHILE_STARTING) await this.#answers();
      await wait(random.between(0.2, 2 * secondsPerKill - 0.2) * 1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      await this.#kill(random);
      await this.#spawn();
      this.deeds.restarts += 1;
    }
    await this.#answers();
  }

  /** Ctrl-C, as a person stops it. @returns the exit code; undefined where it did not end */
  async interrupt(): Promise<number | null | undefined> {
    if (this.#stack === undefined) return undefined;
    await this.#note();
    process.kill(this.#stack.pid, 'SIGINT');
    return await Promise.race([this.#stack.exited, wait(EXIT_MILLISECONDS, undefined, { ref: false })]);
  }

  /** Every process that was ever seen of the stack, or names its directory, and still runs. */
  async left(): Promise<readonly SystemProcess[]> {
    const running = await allProcesses();
    const seen = running.filter(({ pid, commandLine }) => this.#seen.get(pid) === commandLine);
    return [...new Set([...seen, ...(await processesOf(this.#directory))])];
  }

  /** Whatever happened before: nothing of it runs afterwards. */
  async destroy(): Promise<void> {
    if (this.#stack !== undefined) killAll(await treeOf(this.#stack.pid));
    killAll(await this.left());
  }

  async #spawn(): Promise<void> {
    this.#stack = await spawnStack(this.#directory, this.#environment, (line) => this.#log(line));
    void this.#stack.ready.then(async (endpoints) => {
      if (endpoints === undefined) return;
      const alive = new Set((await sessionHostsOf(this.#directory)).map(({ pid }) => pid));
      this.deeds.readopted += this.#survivors.filter(({ pid }) => alive.has(pid)).length;
      this.#survivors = [];
    });
  }

  async #answers(): Promise<StackEndpoints> {
    const endpoints = await this.#stack?.ready;
    if (endpoints !== undefined) return endpoints;
    throw new Error(`The stack did not start; ${join(this.#directory, 'stack.log')} says why.`);
  }

  async #kill(random: Random): Promise<void> {
    const stack = this.#stack;
    if (stack === undefined) return;
    const state = await Promise.race([
      stack.exited.then(() => 'ended'),
      stack.ready.then(() => 'up'),
      wait(0, 'starting'),
    ]);
    if (state === 'ended')
      throw new Error(`The stack ended by itself; ${join(this.#directory, 'stack.log')} says why.`);
    this.#survivors = await sessionHostsOf(this.#directory);
    const tree = await this.#note();
    killAll(random.shuffle(tree));
    this.#log(`Killed at ${new Date().toISOString()}; ${this.#survivors.length} session hosts live on.`);
    await stack.exited;
    await this.#untilGone(tree);
    this.deeds.kills += 1;
    if (state === 'starting') this.deeds.killsWhileStarting += 1;
  }

  #log(line: string): void {
    void appendFile(join(this.#directory, 'stack.log'), `${line}\n`).catch(() => undefined);
  }

  async #note(): Promise<readonly SystemProcess[]> {
    const tree = this.#stack === undefined ? [] : await treeOf(this.#stack.pid);
    for (const { pid, commandLine } of tree) this.#seen.set(pid, commandLine);
    return tree;
  }

  /** What was started while the others were killed has lost its parent, and is killed too: nothing but machines lives through it. */
  async #untilGone(tree: readonly SystemProcess[]): Promise<void> {
    const deadline = performance.now() + GONE_MILLISECONDS;
    const pids = new Set(tree.map(({ pid }) => pid));
    for (;;) {
      const running = await allProcesses();
      const stragglers = running.filter(
        ({ pid, commandLine }) =>
          pid !== process.pid &&
          !commandLine.includes('--machine=') &&
          (pids.has(pid) || commandLine.includes(this.#directory)),
      );
      if (stragglers.length === 0) return;
      if (performance.now() > deadline) throw new Error(`Processes outlive SIGKILL: ${JSON.stringify(stragglers)}`);
      killAll(stragglers);
      await wait(20);
    }
  }
}
