import { createHash } from 'node:crypto';
import { ComputeError } from '#lib/compute';
import type { NextStep } from '#lib/durable';
import {
  type Change,
  type Ending,
  type Heartbeat,
  type Reason,
  type SessionRecord,
  sessionDefinition,
  terminalStateOf,
} from '#lib/records';
import { leaseEnd, nextWarning, remainingSeconds, startLease } from '../lease.ts';
import type { SelfHostedParts } from './parts.ts';

/** Between two looks at a machine that starts or stops, and at one that runs. */
const MOVING_SECONDS = 0.5;
const RUNNING_SECONDS = 5;

/** The steps of a session's orchestration: each is one activity. */
export type SessionStep = 'sessionStartMachine' | 'sessionAwaitHost' | 'sessionWatch' | 'sessionStop';

/** Which step a session's record names. */
export function nextSessionStep(record: SessionRecord, now: Date): NextStep & { readonly step: SessionStep | null } {
  switch (record.state) {
    case 'stopped':
    case 'failed':
      return { step: null };
    case 'stopping':
      return { step: 'sessionStop' };
    case 'starting':
      if (record.desired !== undefined) return { step: 'sessionStop' };
      return { step: record.machine === undefined ? 'sessionStartMachine' : 'sessionAwaitHost' };
    case 'ready':
      return { step: record.desired !== undefined || leaseEnd(record.lease, now) ? 'sessionStop' : 'sessionWatch' };
  }
}

/**
 * Claims a slot and asks the provider for the machine. The hash of the heartbeat secret is in the record before the machine exists; if
 * the process dies in between, the machine is not there, and the next run makes a new secret.
 * @returns when to look again
 */
export async function startMachine(parts: SelfHostedParts, id: string): Promise<Date> {
  const before = await parts.sessions.get(id);
  if (before.state !== 'starting' || before.desired !== undefined) return parts.now();
  if (parts.now().toISOString() > before.startBy) {
    return close(parts, id, 'start_timeout', `${startTimeout(parts)}; no machine was had.`);
  }
  // A run that is repeated because its end was lost: the machine has the secret of the first, whose hash is in the record.
  if (before.machine !== undefined && (await parts.machines.get(before.machine.name)) !== undefined) {
    return soon(parts, MOVING_SECONDS);
  }
  if (!(await parts.slots.claim(id))) {
    return close(parts, id, 'capacity', `All ${parts.config.MAX_SESSIONS} slots of MAX_SESSIONS are taken.`);
  }
  const secret = parts.newSecret();
  const secretHash = hashSecret(secret);
  const name = id;
  const record = await parts.sessions.update(id, (current) =>
    current.state !== 'starting' || current.desired !== undefined
      ? undefined
      : {
          record: { ...current, machine: { name, secretHash, accepted: false, startedAt: parts.now().toISOString() } },
        },
  );
  if (record.machine?.secretHash !== secretHash) return parts.now();
  try {
    await parts.machines.start({
      name,
      size: record.size,
      sessionId: id,
      host: {
        heartbeatUrl: `${parts.config.controlPlaneUrl}/api/sessions/${encodeURIComponent(id)}/heartbeats`,
        heartbeatSecret: secret,
        silenceSeconds: parts.config.HEARTBEAT_SILENCE_SECONDS,
      },
    });
  } catch (error) {
    await parts.sessions.update(id, withoutMachine);
    return close(parts, id, refusalOf(error), error instanceof Error ? error.message : String(error));
  }
  await parts.sessions.update(id, (current) =>
    current.machine?.secretHash === secretHash && !sessionDefinition.isTerminal(current)
      ? { record: { ...current, machine: { ...current.machine, accepted: true } } }
      : undefined,
  );
  return soon(parts, MOVING_SECONDS);
}

/** Looks whether the session host is up; Ready starts the lease's clock. @returns when to look again */
export async function awaitHost(parts: SelfHostedParts, id: string): Promise<Date> {
  const record = await parts.sessions.get(id);
  if (record.state !== 'starting' || record.machine === undefined) return parts.now();
  const up = await parts.heartbeats.read(id);
  if (up !== undefined && up.at >= record.machine.startedAt) {
    await parts.sessions.update(id, (current) => readied(current, up, parts.now()));
    return parts.now();
  }
  const machine = await parts.machines.get(record.machine.name);
  if (machine === undefined) return restartOrLose(parts, record);
  if (machine.state === 'failed') {
    const evidence = machine.evidence ?? 'The provider says that the machine failed to start.';
    return close(parts, id, 'provider_error', evidence);
  }
  if (parts.now().toISOString() > record.startBy) {
    return close(parts, id, 'start_timeout', `${startTimeout(parts)}; the machine is ${machine.state}.`);
  }
  return soon(parts, MOVING_SECONDS);
}

/**
 * Looks whether the machine still runs and its session host still speaks, tells of an asset that nobody sees, and warns of the lease's end.
 * @returns when to look again: the next warning, or the lease's end, at the latest
 */
export async function watchSession(parts: SelfHostedParts, id: string): Promise<Date> {
  const record = await parts.sessions.get(id);
  if (record.state !== 'ready' || record.machine === undefined) return parts.now();
  const silence = parts.config.HEARTBEAT_SILENCE_SECONDS;
  const last = await parts.heartbeats.read(id);
  const silentSince = last === undefined ? record.updatedAt : last.at;
  if ((await parts.machines.get(record.machine.name)) === undefined) {
    const evidence = 'The provider has no such machine any more: it ended by itself or was taken away.';
    return close(parts, id, 'host_lost', evidence);
  }
  if (parts.now().getTime() - Date.parse(silentSince) > silence * 1000) {
    return close(parts, id, 'host_lost', `The last heartbeat was at ${silentSince}, over ${silence} s ago.`);
  }
  await tellOfAsset(parts, record, last);
  const { lease, warned } = await warn(parts, record);
  const next = soon(parts, RUNNING_SECONDS);
  const due = [nextWarning(lease, warned, parts.now())?.dueAt ?? next, new Date(lease.expiresAt ?? next)];
  return due.reduce(earlier, next);
}

/** Closes the lease, has the machine stopped, and sees it stopped before the record says so. @returns when to look again */
export async function stopSession(parts: SelfHostedParts, id: string): Promise<Date> {
  const record = await parts.sessions.update(id, (current) => closed(current, parts.now()));
  if (record.state !== 'stopping') return parts.now();
  const name = record.machine?.name ?? id;
  if ((await parts.machines.get(name)) !== undefined) {
    await parts.machines.stop(name);
    if ((await parts.machines.get(name)) !== undefined) return soon(parts, MOVING_SECONDS);
  }
  await parts.slots.release(id);
  await parts.sessions.update(id, (current) => ended(current, parts.now()));
  return parts.now();
}

/** The SHA-256 of a heartbeat secret, as the record keeps it. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Ends a session for a reason that was found out, unless it is ending for another already; what follows is to be done at once. */
async function close(parts: SelfHostedParts, id: string, reason: Reason, evidence: string): Promise<Date> {
  await parts.sessions.update(id, (current) =>
    current.state === 'starting' || current.state === 'ready'
      ? { record: { ...current, state: 'stopping', ending: { reason, evidence, at: parts.now().toISOString() } } }
      : undefined,
  );
  return parts.now();
}

function startTimeout(parts: SelfHostedParts): string {
  return `The session host was not up after ${parts.config.SESSION_START_TIMEOUT_SECONDS} s (SESSION_START_TIMEOUT_SECONDS)`;
}

/** A machine that was refused never was: nothing of it is to be told or stopped. */
function withoutMachine(current: SessionRecord): Change<SessionRecord> | undefined {
  if (current.state !== 'starting') return undefined;
  const { machine: _refused, ...rest } = current;
  return { record: rest };
}

function readied(
  current: SessionRecord,
  up: { readonly hostname: string; readonly ports: { readonly inspector: number } },
  now: Date,
): Change<SessionRecord> | undefined {
  if (current.state !== 'starting' || current.machine === undefined) return undefined;
  const machine = { ...current.machine, hostname: up.hostname, ports: up.ports };
  return { record: { ...current, state: 'ready', machine, lease: startLease(current.lease, now) } };
}

/** A machine that was asked for and is not there: asked for again if the start never reached the provider, else lost. */
async function restartOrLose(parts: SelfHostedParts, record: SessionRecord): Promise<Date> {
  if (record.machine?.accepted) {
    return close(parts, record.id, 'host_lost', 'The machine ended before its session host was up.');
  }
  if (parts.now().toISOString() < record.startBy) return startMachine(parts, record.id);
  return close(parts, record.id, 'start_timeout', `${startTimeout(parts)}; no machine was had.`);
}

/** Once for each thing that is wrong with an asset: a heartbeat repeats it. */
async function tellOfAsset(
  parts: SelfHostedParts,
  { id, assetProblem }: SessionRecord,
  last?: Heartbeat,
): Promise<void> {
  const { name, state, error } = last?.asset ?? {};
  const problem = `The asset ${name} is loaded, and ${error}`;
  if (state !== 'loaded' || error === undefined || problem === assetProblem) return;
  await parts.sessions.update(id, (current) =>
    current.state === 'ready'
      ? { record: { ...current, assetProblem: problem }, event: { type: 'asset', evidence: problem } }
      : undefined,
  );
}

async function warn(parts: SelfHostedParts, record: SessionRecord): Promise<SessionRecord> {
  if (withWarning(record, parts.now()) === undefined) return record;
  return await parts.sessions.update(record.id, (current) => withWarning(current, parts.now()));
}

function withWarning(current: SessionRecord, now: Date): Change<SessionRecord> | undefined {
  if (current.state !== 'ready' || current.desired !== undefined) return undefined;
  const warning = nextWarning(current.lease, current.warned, now);
  if (warning === undefined || now < warning.dueAt || leaseEnd(current.lease, now) !== undefined) return undefined;
  const { expiresAt, seconds } = warning;
  const left = Math.ceil(remainingSeconds(current.lease, now) ?? 0);
  const evidence = `The lease ends in ${left} s, at ${expiresAt}.`;
  return { record: { ...current, warned: { expiresAt, seconds } }, event: { type: 'lease_warning', evidence } };
}

function closed(current: SessionRecord, now: Date): Change<SessionRecord> | undefined {
  if (current.state !== 'starting' && current.state !== 'ready') return undefined;
  const end = leaseEnd(current.lease, now);
  const ending: Ending | undefined =
    current.desired ??
    (end && { reason: end, evidence: `The lease ended at ${current.lease.expiresAt}.`, at: now.toISOString() });
  if (ending === undefined) return undefined;
  const { reason, evidence, at } = ending;
  return { record: { ...current, state: 'stopping', ending: { reason, evidence, at } } };
}

function ended(current: SessionRecord, now: Date): Change<SessionRecord> | undefined {
  if (current.state !== 'stopping') return undefined;
  const state = terminalStateOf(current.ending.reason) === 'failed' ? 'failed' : 'stopped';
  const machine = current.machine && { ...current.machine, stoppedAt: now.toISOString() };
  return { record: { ...current, state, ...(machine && { machine }) } };
}

function refusalOf(error: unknown): Reason {
  if (error instanceof ComputeError && error.code !== 'provider') return error.code;
  return 'provider_error';
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function soon(parts: SelfHostedParts, seconds: number): Date {
  return new Date(parts.now().getTime() + seconds * 1000);
}
