/**
 * How many converters run at a time on this instance. A conversion that finds no place sleeps in its orchestration and asks again: one
 * that waited inside its activity would hold a place that the stop of a machine may need.
 */
export class ConversionPlaces {
  #free: number;

  constructor(capacity: number) {
    this.#free = capacity;
  }

  /** Runs the work if a place is free; undefined if none is. */
  async tryRun<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    try {
      return await work();
    } finally {
      this.#free += 1;
    }
  }
}
