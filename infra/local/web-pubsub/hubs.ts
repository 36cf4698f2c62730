import { Hub } from './hub.ts';

const GOING_AWAY = 1001;

/** The hubs of the service, by name in lower case. As in Azure, each comes to be when it is first used. */
export class Hubs {
  readonly #byName = new Map<string, Hub>();

  get(name: string): Hub {
    const known = this.#byName.get(name);
    if (known) return known;
    const made = new Hub();
    this.#byName.set(name, made);
    return made;
  }

  /** Ends every connection, those that wait for their client too. */
  endAll(): void {
    for (const hub of this.#byName.values()) {
      for (const connection of [...hub.all()]) connection.end(GOING_AWAY, 'The service stops.');
    }
  }
}
