import { isDeepStrictEqual } from 'node:util';
import { type ConversionRecord, RecordsError, type SessionRecord } from '#lib/records';
import { leaseEnd, newLease, renewLease } from '../lease.ts';
import { RenderingError } from '../rendering-error.ts';
import type {
  Asset,
  Conversion,
  ConversionRequest,
  RenderingService,
  Session,
  SessionRequest,
} from '../rendering-service.ts';
import type { SelfHostedParts } from './parts.ts';

/** How soon to ask again after what is on its way; sooner where it is on its way to its end, so that whoever watches is not late. */
const RETRY_AFTER_SECONDS = 0.5;
const ENDING_RETRY_AFTER_SECONDS = 0.2;

/** The service that this suite itself is: conversions and sessions are records, each moved by its own orchestration. */
export function selfHosted(parts: SelfHostedParts): RenderingService {
  return {
    startConversion: (id, request) => startConversion(parts, id, request),
    async cancelConversion(id, { reason, evidence }) {
      const record = await parts.conversions.read(id);
      if (record === undefined || parts.conversions.isTerminal(record)) return;
      await parts.conversions.update(id, (current) => {
        if (parts.conversions.isTerminal(current) || current.desired !== undefined) return undefined;
        const desired = { state: 'stopped', reason, evidence, at: parts.now().toISOString() } as const;
        return { record: { ...current, desired }, event: { type: 'stop_asked', evidence } };
      });
      await parts.orchestrations.wake('conversion', id);
    },
    async getConversion(id) {
      const record = await parts.conversions.read(id);
      return record && conversionOf(record);
    },
    createSession: (id, request) => createSession(parts, id, request),
    async getSession(id) {
      const record = await parts.sessions.read(id);
      return record && sessionOf(parts, record);
    },
    async updateSession(id, { maxLeaseSeconds, ifMatch }) {
      const record = await updateKnown(parts, id, (current) => {
        refuseClosing(current, parts.now());
        const lease = renewLease(current.lease, maxLeaseSeconds, ifMatch);
        const evidence = `The total is ${maxLeaseSeconds} s, until ${lease.expiresAt ?? 'so long after Ready'}.`;
        return { record: { ...current, lease }, event: { type: 'lease_renewed', evidence } };
      });
      return sessionOf(parts, record);
    },
    async loadAsset(id, asset) {
      await updateKnown(parts, id, (current) => withAsset(current, asset));
    },
    async stopSession(id, { reason, evidence }) {
      await updateKnown(parts, id, (current) => {
        if (current.state !== 'starting' && current.state !== 'ready') return undefined;
        if (current.desired !== undefined) return undefined;
        const desired = { state: 'stopped', reason, evidence, at: parts.now().toISOString() } as const;
        return { record: { ...current, desired }, event: { type: 'stop_asked', evidence } };
      }).catch(tolerateMissing);
      await parts.orchestrations.wake('session', id);
    },
  };
}

async function startConversion(parts: SelfHostedParts, id: string, request: ConversionRequest): Promise<Conversion> {
  const { owner, readers, input, output, settings } = request;
  const { record, created } = await parts.conversions.create({
    id,
    owner,
    readers: [...readers],
    locations: { input, output },
    ...(settings !== undefined && { settings }),
    attempts: 0,
    faults: 0,
    state: 'not_started',
  });
  if (!created && !isDeepStrictEqual([record.locations, record.settings], [{ input, output }, settings])) {
    throw new RenderingError('conflict', `There is a conversion ${id} already, with other settings.`);
  }
  if (created) await parts.orchestrations.start('conversion', id);
  return conversionOf(record);
}

async function createSession(parts: SelfHostedParts, id: string, request: SessionRequest): Promise<Session> {
  const { owner, readers, size, maxLeaseSeconds } = request;
  const startBy = new Date(parts.now().getTime() + parts.config.SESSION_START_TIMEOUT_SECONDS * 1000);
  const { record, created } = await parts.sessions.create({
    id,
    owner,
    readers: [...readers],
    size,
    requestedLeaseSeconds: maxLeaseSeconds,
    lease: newLease(maxLeaseSeconds, parts.config.MAX_LEASE_SECONDS),
    startBy: startBy.toISOString(),
    state: 'starting',
  });
  if (!created && (record.size !== size || record.requestedLeaseSeconds !== maxLeaseSeconds)) {
    throw new RenderingError('conflict', `There is a session ${id} already, with other settings.`);
  }
  if (created) await parts.orchestrations.start('session', id);
  return sessionOf(parts, record);
}

function conversionOf(record: ConversionRecord): Conversion {
  switch (record.state) {
    case 'succeeded':
      return { state: record.state, result: record.result };
    case 'failed':
      return { state: record.state, failure: record.failure };
    case 'cancelled':
      return { state: record.state, ending: record.ending };
    default: {
      const { state, desired, progress } = record;
      const retryAfterSeconds = desired === undefined ? RETRY_AFTER_SECONDS : ENDING_RETRY_AFTER_SECONDS;
      return { state, retryAfterSeconds, ...(progress !== undefined && { progress }) };
    }
  }
}

async function sessionOf(parts: SelfHostedParts, record: SessionRecord): Promise<Session> {
  const { id, size, lease, machine } = record;
  const times = machine && {
    startedAt: machine.startedAt,
    ...(machine.stoppedAt !== undefined && { stoppedAt: machine.stoppedAt }),
  };
  const base = { id, size, lease, retryAfterSeconds: retryAfter(parts, record), ...(times && { machine: times }) };
  if (record.state === 'stopping' || record.state === 'stopped' || record.state === 'failed') {
    return { ...base, state: record.state, ending: record.ending };
  }
  const { hostname, ports } = machine ?? {};
  if (record.state === 'starting' || hostname === undefined || ports === undefined)
    return { ...base, state: 'starting' };
  const asset = await assetOf(parts, record);
  return { ...base, state: 'ready', readyAt: record.lease.startedAt ?? record.updatedAt, hostname, ports, asset };
}

function retryAfter(parts: SelfHostedParts, { state, desired, lease }: SessionRecord): number {
  const ends = state === 'stopping' || desired !== undefined || leaseEnd(lease, parts.now()) !== undefined;
  return ends ? ENDING_RETRY_AFTER_SECONDS : RETRY_AFTER_SECONDS;
}

async function assetOf(
  parts: SelfHostedParts,
  record: SessionRecord,
): Promise<Extract<Session, { state: 'ready' }>['asset']> {
  if (record.asset === undefined) return { state: 'none' };
  const said = (await parts.heartbeats.read(record.id))?.asset;
  if (said?.name !== record.asset.blob) return { state: 'loading' };
  return { state: said.state, ...(said.error !== undefined && { error: said.error }) };
}

function withAsset(current: SessionRecord, asset: Asset) {
  if (current.state !== 'starting' && current.state !== 'ready') return undefined;
  if (isDeepStrictEqual(current.asset, asset)) return undefined;
  const evidence = `The session host is to load ${asset.blob}.`;
  return { record: { ...current, asset }, event: { type: 'asset', evidence } } as const;
}

function refuseClosing(current: SessionRecord, now: Date): void {
  const closing = current.state !== 'starting' && current.state !== 'ready';
  if (closing || current.desired !== undefined || leaseEnd(current.lease, now) !== undefined) {
    throw new RenderingError(
      'closing',
      `The lease of session ${current.id} is closing or closed; start another session.`,
    );
  }
}

async function updateKnown(
  parts: SelfHostedParts,
  id: string,
  change: Parameters<SelfHostedParts['sessions']['update']>[1],
): Promise<SessionRecord> {
  try {
    return await parts.sessions.update(id, change);
  } catch (error) {
    if (!(error instanceof RecordsError) || error.code !== 'not_found') throw error;
    throw new RenderingError('not_found', `There is no session ${id}.`, { cause: error });
  }
}

function tolerateMissing(error: unknown): void {
  if (!(error instanceof RenderingError) || error.code !== 'not_found') throw error;
}
