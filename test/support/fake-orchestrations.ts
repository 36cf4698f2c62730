import type { Orchestrations } from '#lib/durable';
import type { RecordKind } from '#lib/records';

/** Orchestrations that run nothing: they remember what was started and woken, as `kind id`. */
export class FakeOrchestrations implements Orchestrations {
  readonly live = new Set<string>();
  readonly started: string[] = [];
  readonly woken: string[] = [];
  /** True where Durable Functions do not answer. */
  down = false;

  async start(kind: RecordKind, id: string): Promise<void> {
    this.#answer();
    this.started.push(`${kind} ${id}`);
    this.live.add(`${kind} ${id}`);
  }

  async wake(kind: RecordKind, id: string): Promise<void> {
    this.#answer();
    this.woken.push(`${kind} ${id}`);
  }

  async isLive(kind: RecordKind, id: string): Promise<boolean> {
    this.#answer();
    return this.live.has(`${kind} ${id}`);
  }

  #answer(): void {
    if (this.down) throw new Error('Durable Functions gave no answer');
  }
}
