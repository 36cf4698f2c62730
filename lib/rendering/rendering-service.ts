import type { ConversionFailure, ConversionRecord, ConversionResult, Ending, Lease, Reason } from '#lib/records';

/**
 * The seam between the pipeline and whoever converts and renders. Every call is idempotent: the same question again gives the same
 * object, and what was asked already is not asked twice.
 */
export interface RenderingService {
  /** Starts a conversion, or answers with the one that has this id. @throws RenderingError `conflict` for other settings */
  startConversion(id: string, request: ConversionRequest): Promise<Conversion>;
  /** Asks the conversion to end, leaving its result file alone; one that is over, or not there, is a success. */
  cancelConversion(id: string, stop: Stop): Promise<void>;
  /** Undefined where there is none. */
  getConversion(id: string): Promise<Conversion | undefined>;
  /** Starts a session, or answers with the one that has this id. @throws RenderingError `conflict`, `lease_over_cap` */
  createSession(id: string, request: SessionRequest): Promise<Session>;
  getSession(id: string): Promise<Session | undefined>;
  /**
   * Sets the session's total lease, in seconds from Ready, larger than it is.
   * @param ifMatch the lease's revision that the caller has seen; any where it is left out
   * @throws RenderingError `not_found`, `stale`, `lease_not_larger`, `lease_over_cap`, `closing`
   */
  updateSession(id: string, update: { readonly maxLeaseSeconds: number; readonly ifMatch?: number }): Promise<Session>;
  /** Says which asset the session shows. A session that is closing is left alone. */
  loadAsset(id: string, asset: Asset): Promise<void>;
  /** Asks the session to stop, in every state; one that is over, or not there, is a success. */
  stopSession(id: string, stop: Stop): Promise<void>;
}

/** Why something is to stop, and what says so. */
interface Stop {
  readonly reason: Reason;
  readonly evidence: string;
}

export interface ConversionRequest {
  readonly owner: string;
  readonly readers: readonly string[];
  /** `relativeInputAssetPath` is below `blobPrefix`, which ends with `/` (contract 2.1). */
  readonly input: { readonly container: string; readonly blobPrefix: string; readonly relativeInputAssetPath: string };
  readonly output: { readonly container: string; readonly blobPrefix: string; readonly outputAssetFilename: string };
  /** Conversion settings as `lib/conversion` accepts them; without any, a settings file beside the model counts. */
  readonly settings?: NonNullable<ConversionRecord['settings']>;
}

export type Conversion =
  | {
      readonly state: 'not_started' | 'running';
      readonly retryAfterSeconds: number;
      readonly progress?: NonNullable<ConversionRecord['progress']>;
    }
  | { readonly state: 'succeeded'; readonly result: ConversionResult }
  | { readonly state: 'failed'; readonly failure: ConversionFailure }
  | { readonly state: 'cancelled'; readonly ending: Ending };

export interface SessionRequest {
  readonly owner: string;
  readonly readers: readonly string[];
  readonly size: 'Standard' | 'Premium';
  /** Total lease in seconds from Ready. */
  readonly maxLeaseSeconds: number;
}

export interface Asset {
  readonly container: string;
  readonly blob: string;
}

/** A session as its service tells of it. Ready means that the machine's session host is up. */
export type Session = {
  readonly id: string;
  readonly size: 'Standard' | 'Premium';
  readonly lease: Lease;
  readonly machine?: { readonly startedAt: string; readonly stoppedAt?: string };
  readonly retryAfterSeconds: number;
} & (
  | { readonly state: 'starting' }
  | {
      readonly state: 'ready';
      readonly readyAt: string;
      readonly hostname: string;
      readonly ports: { readonly inspector: number };
      /** What became of the asset that was to be loaded. */
      readonly asset: { readonly state: 'none' | 'loading' | 'loaded' | 'failed'; readonly error?: string };
    }
  | { readonly state: 'stopping' | 'stopped' | 'failed'; readonly ending: Ending }
);
