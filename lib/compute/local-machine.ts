import {
  readIntention,
  readLogTail,
  readProcesses,
  readStopOrder,
  removeMachineFolder,
  type StopOrder,
  writeStopOrder,
} from './machine-folder.ts';
import { isAlive, type ProcessIdentity, signalProcess } from './process-identity.ts';
import type { Machine } from './vm-provider.ts';

/** A process that was started and has not recorded itself for so long will not any more. */
const START_MILLISECONDS = 15_000;
/** A process that was asked to end gets so long to do it. */
const TERM_MILLISECONDS = 3_000;

/** A local machine as its folder and the system's processes tell it at one moment. */
export interface LocalMachine {
  readonly machine: Machine;
  readonly deployment: string;
  readonly alive: readonly ProcessIdentity[];
  /** Nobody runs it and nobody is about to: who wanted to start it ended before. */
  readonly abandoned: boolean;
}

/**
 * Judges a machine, and does what is due: kills one that was asked to end and did not, clears away one that has ended.
 * Level-triggered instead of timers, so that it does not matter which process asks, or whether one was killed in between.
 * @returns undefined where there is no machine
 */
export async function lookAtMachine(folder: string, now: Date): Promise<LocalMachine | undefined> {
  const intention = await readIntention(folder);
  if (intention === undefined) return undefined;
  const order = await readStopOrder(folder);
  const { own, launched } = await readProcesses(folder);
  const alive = await filterAlive(own?.pid === launched?.pid ? [own] : [own, launched]);
  const noProcessYet = own === undefined && launched === undefined;
  const starterAlive = noProcessYet && (await isAlive(intention.starter));
  const late = now.getTime() - intention.requestedAt.getTime() > START_MILLISECONDS;
  const abandoned = noProcessYet && !starterAlive;

  if (order !== undefined) await killOverdue(alive, order, now);
  const state = judge({
    ordered: order !== undefined,
    recorded: own !== undefined,
    alive,
    starterAlive,
    abandoned,
    late,
  });
  if (state === 'gone') {
    await removeMachineFolder(folder);
    return undefined;
  }
  const { name, sessionId, size, requestedAt, deployment } = intention;
  const evidence = state === 'failed' ? { evidence: await evidenceOf(folder, alive) } : {};
  return { machine: { name, sessionId, size, requestedAt, state, ...evidence }, deployment, alive, abandoned };
}

/** Asks a machine's process to end, and clears away one that has none. Returns at once; `lookAtMachine` sees to the rest. */
export async function stopMachine(folder: string, { alive }: LocalMachine, now: Date): Promise<void> {
  await writeStopOrder(folder, { askedAt: now });
  for (const identity of alive) await signalProcess(identity, 'SIGTERM');
  if (alive.length === 0) await lookAtMachine(folder, now);
}

async function filterAlive(identities: readonly (ProcessIdentity | undefined)[]): Promise<ProcessIdentity[]> {
  const known = identities.filter((identity) => identity !== undefined);
  const alive = await Promise.all(known.map(isAlive));
  return known.filter((_, index) => alive[index]);
}

interface Facts {
  readonly ordered: boolean;
  readonly recorded: boolean;
  readonly alive: readonly ProcessIdentity[];
  readonly starterAlive: boolean;
  readonly abandoned: boolean;
  readonly late: boolean;
}

function judge({ ordered, recorded, alive, starterAlive, abandoned, late }: Facts): Machine['state'] | 'gone' {
  if (alive.length > 0 || (starterAlive && !late)) {
    if (ordered) return 'stopping';
    if (recorded) return 'running';
    return late ? 'failed' : 'starting';
  }
  if (ordered || recorded) return 'gone';
  // Its starter was killed before it could note a process: one may still come. If none does, the start was never accepted.
  if (abandoned) return late ? 'gone' : 'starting';
  return 'failed';
}

async function killOverdue(alive: readonly ProcessIdentity[], order: StopOrder, now: Date): Promise<void> {
  if (now.getTime() - order.askedAt.getTime() < TERM_MILLISECONDS) return;
  for (const identity of alive) await signalProcess(identity, 'SIGKILL');
}

async function evidenceOf(folder: string, alive: readonly ProcessIdentity[]): Promise<string> {
  const what = alive.length > 0 ? 'runs, but has not taken its machine over' : 'ended before it took its machine over';
  const said = await readLogTail(folder);
  return `The machine's process ${what}. ${said === '' ? 'It said nothing.' : `It said: ${said}`}`;
}
