import { join } from 'node:path';
import { downloadGlb } from './download.ts';
import type { AssetOrder, AssetReport } from './heartbeat.ts';
import { isAnotherAsset } from './lifeline.ts';

export interface AssetLoaderOptions {
  /** The machine's folder. */
  readonly directory: string;
  readonly maxBytes: number;
  /** Called after each change of `report`. */
  readonly changed: () => void;
}

/** Holds the one asset that the session host shows, and loads another when it is told to. */
export class AssetLoader {
  readonly #options: AssetLoaderOptions;
  #order: AssetOrder | undefined;
  #report: AssetReport | null = null;
  #loads = 0;
  #loading = new AbortController();
  #finished: Promise<void> = Promise.resolve();

  constructor(options: AssetLoaderOptions) {
    this.#options = options;
  }

  get report(): AssetReport | null {
    return this.#report;
  }

  /** The loaded asset's file, with a number that no other load has; undefined while there is none. */
  get file(): { readonly path: string; readonly bytes: number; readonly load: number } | undefined {
    if (this.#report?.state !== 'loaded' || this.#report.bytes === undefined) return undefined;
    return { path: this.#path, bytes: this.#report.bytes, load: this.#loads };
  }

  /** Starts to load what is ordered, unless that is what is there or on its way; a load on its way is given up. */
  want(order: AssetOrder): void {
    if (!isAnotherAsset(this.#order, order)) return;
    this.#order = order;
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    // After the one that was given up, since both write the same file.
    this.#finished = this.#finished.then(() => this.#load(order, signal));
  }

  /** A viewer could not open what is loaded. The first one to say so is heard; it stays loaded, since others may be able to. */
  notOpened(why: string): void {
    if (this.#report?.state !== 'loaded' || this.#report.error !== undefined) return;
    this.#change({ ...this.#report, error: `a viewer could not open it: ${why}` });
  }

  /** Gives up a load on its way, and waits until it is. */
  async close(): Promise<void> {
    this.#loading.abort();
    await this.#finished;
  }

  get #path(): string {
    return join(this.#options.directory, 'asset.glb');
  }

  async #load({ name, url }: AssetOrder, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#change({ name, state: 'loading' });
    try {
      const bytes = await downloadGlb({ url, path: this.#path, maxBytes: this.#options.maxBytes, signal });
      if (signal.aborted) return;
      this.#loads += 1;
      this.#change({ name, state: 'loaded', bytes });
    } catch (error) {
      if (!signal.aborted) this.#change({ name, state: 'failed', error: describe(error) });
    }
  }

  #change(report: AssetReport): void {
    this.#report = report;
    this.#options.changed();
  }
}

function describe(error: unknown): string {
  // fetch hides what happened in its error's cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 500);
}
