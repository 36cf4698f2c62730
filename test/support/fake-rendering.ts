import type { Lease } from '#lib/records';
import type { Conversion, ConversionRequest, RenderingService, Session, SessionRequest } from '#lib/rendering';
import { START } from './records.ts';

type Asset = Parameters<RenderingService['loadAsset']>[1];
type Stop = Parameters<RenderingService['stopSession']>[1];

/** A rendering service of one conversion and one session, which are what the test says that they are. */
export class FakeRendering implements RenderingService {
  conversion: Conversion | undefined;
  session: Session | undefined;
  readonly conversions: (ConversionRequest & { readonly id: string })[] = [];
  readonly sessions: (SessionRequest & { readonly id: string })[] = [];
  readonly assets: Asset[] = [];
  readonly stops: Stop[] = [];
  readonly cancellations: Stop[] = [];
  /** Thrown by the next creations, where it is set. */
  refusal: Error | undefined;

  async startConversion(id: string, request: ConversionRequest): Promise<Conversion> {
    if (this.refusal !== undefined) throw this.refusal;
    this.conversions.push({ id, ...request });
    this.conversion = { state: 'running', retryAfterSeconds: 7 };
    return this.conversion;
  }

  async cancelConversion(_id: string, stop: Stop): Promise<void> {
    this.cancellations.push(stop);
  }

  async getConversion(): Promise<Conversion | undefined> {
    return this.conversion;
  }

  async createSession(id: string, request: SessionRequest): Promise<Session> {
    if (this.refusal !== undefined) throw this.refusal;
    this.sessions.push({ id, ...request });
    this.session = startingSession(id);
    return this.session;
  }

  async getSession(): Promise<Session | undefined> {
    return this.session;
  }

  async updateSession(): Promise<Session> {
    if (this.session === undefined) throw new Error('there is no session to update');
    return this.session;
  }

  async loadAsset(_id: string, asset: Asset): Promise<void> {
    this.assets.push(asset);
  }

  async stopSession(_id: string, stop: Stop): Promise<void> {
    this.stops.push(stop);
  }
}

const lease: Lease = { revision: 1, maxLeaseSeconds: 60, hardCapSeconds: 600 };
const common = { size: 'Standard', retryAfterSeconds: 3, machine: { startedAt: START.toISOString() } } as const;

export function startingSession(id: string): Session {
  return { id, ...common, lease, state: 'starting' };
}

/** @param expiresAt when its lease ends */
export function readySession(
  id: string,
  asset: Extract<Session, { state: 'ready' }>['asset'],
  expiresAt = new Date(START.getTime() + 60_000),
): Session {
  return {
    id,
    ...common,
    lease: { ...lease, startedAt: START.toISOString(), expiresAt: expiresAt.toISOString() },
    state: 'ready',
    readyAt: START.toISOString(),
    hostname: '127.0.0.1',
    ports: { inspector: 4242 },
    asset,
  };
}

export function endingSession(
  id: string,
  state: 'stopping' | 'stopped' | 'failed',
  reason: 'lease_expired' | 'host_lost' | 'capacity' | 'user_stop',
): Session {
  const stoppedAt = new Date(START.getTime() + 60_000).toISOString();
  return {
    id,
    ...common,
    lease,
    machine: state === 'stopping' ? common.machine : { ...common.machine, stoppedAt },
    state,
    ending: { reason, evidence: 'the session says so', at: stoppedAt },
  };
}
