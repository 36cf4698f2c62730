/**
 * The seam between sessions and whoever starts and stops the machines behind them.
 *
 * Start and stop are long operations, as in Azure: a call that returns was *accepted*, and only `get` says what came of it.
 * Every call is idempotent by the machine's name, so that an activity which runs twice starts one machine.
 * Machines outlive the process that started them: whoever makes the same provider again finds them by `get` and `list`.
 */
export interface VmProvider {
  /**
   * Asks for a machine. A second call for a name that exists changes nothing: the machine keeps what the first call told it,
   * its heartbeat secret too, so that a caller who may be run again must hand in the same secret again.
   * A call that did not return, its process killed, may have started the machine or left nothing: `get` tells after a while.
   * @throws ComputeError `capacity` (nothing free now), `quota` (the owner's limit) or `provider` (anything else)
   */
  start(request: MachineRequest): Promise<void>;

  /** The machine as the provider sees it now; undefined when there is none (never started, stopped, or ended by itself). */
  get(name: string): Promise<Machine | undefined>;

  /**
   * Asks for the machine's end. A name that is not there, or is stopping already, is a success. A `failed` machine is stopped
   * like any other, to be cleared away. The end is seen, and a machine that will not end is forced, by later calls of `get` or `list`.
   */
  stop(name: string): Promise<void>;

  /** Every machine tagged with this deployment, and no other. */
  list(): AsyncIterable<Machine>;
}

export type SessionSize = 'Standard' | 'Premium';

export interface MachineRequest {
  /** Unique in the deployment; letters, digits, `-` and `_`, at most 256: a session's id will do. */
  readonly name: string;
  readonly size: SessionSize;
  /** The session that the machine is for: kept as a tag, shown by `list`. */
  readonly sessionId: string;
  /** What the session host is told at its start. */
  readonly host: SessionHostSettings;
}

export interface SessionHostSettings {
  /** Where heartbeats are posted, an absolute URL. */
  readonly heartbeatUrl: string;
  /** The bearer secret of this machine's heartbeats; known to it and, as a hash, to the session's record. */
  readonly heartbeatSecret: string;
  /** After so long without an answered heartbeat the session host ends itself (its dead-man switch). */
  readonly silenceSeconds: number;
}

export interface Machine {
  readonly name: string;
  readonly sessionId: string;
  readonly size: SessionSize;
  /** `running` says that the machine is there; that its session host is up, only a heartbeat says. `failed` waits to be stopped. */
  readonly state: 'starting' | 'running' | 'stopping' | 'failed';
  /** When the provider accepted the start. */
  readonly requestedAt: Date;
  /** What the provider knows of a failure, for people. */
  readonly evidence?: string;
}
