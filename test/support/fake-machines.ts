import type { ComputeError, Machine, MachineRequest, VmProvider } from '#lib/compute';

/** A provider whose machines are entries of a list: they move only as the test says. */
export class FakeMachines implements VmProvider {
  /** Every start that was accepted, in order. */
  readonly started: MachineRequest[] = [];
  /** Every stop that was asked for, in order. */
  readonly stopped: string[] = [];
  /** Thrown by the next starts, where it is set. */
  refusal: ComputeError | undefined;
  /** Names whose stop fails. */
  readonly unstoppable = new Set<string>();
  /** False where a stopped machine lingers as `stopping` until it is taken away. */
  stopsAtOnce = true;
  readonly #machines = new Map<string, Machine>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  async start(request: MachineRequest): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    if (this.#machines.has(request.name)) return;
    this.started.push(request);
    this.put(request.name, { sessionId: request.sessionId, size: request.size });
  }

  async get(name: string): Promise<Machine | undefined> {
    return this.#machines.get(name);
  }

  async stop(name: string): Promise<void> {
    if (this.unstoppable.has(name)) throw new Error(`${name} cannot be stopped now`);
    this.stopped.push(name);
    if (this.stopsAtOnce) this.takeAway(name);
    else this.put(name, { state: 'stopping' });
  }

  async *list(): AsyncIterable<Machine> {
    yield* [...this.#machines.values()];
  }

  /** Makes a machine, or changes one. */
  put(name: string, change: Partial<Machine> = {}): void {
    const fresh = { name, sessionId: name, size: 'Standard', state: 'running', requestedAt: this.#now() } as const;
    this.#machines.set(name, { ...fresh, ...this.#machines.get(name), ...change });
  }

  /** The machine is gone, whoever ended it. */
  takeAway(name: string): void {
    this.#machines.delete(name);
  }

  get names(): string[] {
    return [...this.#machines.keys()];
  }
}
