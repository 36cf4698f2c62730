import { setTimeout as pause } from 'node:timers/promises';
import { AssetLoader } from './asset-loader.ts';
import { type Heartbeat, type HeartbeatOutcome, postHeartbeat } from './heartbeat.ts';
import {
  afterHeartbeat,
  type Ending,
  endingAt,
  endsAt,
  type Lifeline,
  remainingSeconds,
  startLifeline,
} from './lifeline.ts';
import { type PageServer, type SessionStatus, startPageServer } from './page-server.ts';
import type { Settings } from './settings.ts';

const HEARTBEAT_TIMEOUT = 5_000;

export interface SessionHostOptions {
  readonly settings: Settings;
  readonly viewerDirectory: URL;
  /** Aborted when the machine is told to end by its system. */
  readonly ended: AbortSignal;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Runs one session host until it is to end, leaves nothing open, and tells why it ends. */
export async function runSessionHost(options: SessionHostOptions): Promise<Ending | 'signal'> {
  const host = new SessionHost(options);
  try {
    return await host.run();
  } finally {
    await host.close();
  }
}

class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #startedAt: number;
  readonly #assets: AssetLoader;
  #lifeline: Lifeline;
  #page: PageServer | undefined;
  #everAnswered = false;
  #assetChanged = new AbortController();
  #lastProblem: string | undefined;

  constructor(options: SessionHostOptions) {
    const { settings } = options;
    this.#options = options;
    this.#startedAt = options.now();
    this.#lifeline = startLifeline(settings.SILENCE_SECONDS, this.#startedAt);
    this.#assets = new AssetLoader({
      directory: settings.MACHINE_DIRECTORY,
      maxBytes: settings.ASSET_MAX_BYTES,
      changed: () => this.#onAssetChanged(),
    });
  }

  async run(): Promise<Ending | 'signal'> {
    const { settings, viewerDirectory, ended, now, log } = this.#options;
    const page = await startPageServer({
      bindAddress: settings.SESSION_HOST_BIND,
      viewerDirectory,
      status: () => this.#status(),
      assetFile: () => this.#assets.file,
      notOpened: ({ url, error }) => {
        // A viewer may still be at the asset that was shown before.
        if (url === this.#status().asset?.url) this.#assets.notOpened(error);
      },
    });
    this.#page = page;
    log(`session ${settings.SESSION_ID} is served at http://${settings.SESSION_HOST_HOSTNAME}:${page.port}/`);
    while (!ended.aborted) {
      const ending = endingAt(this.#lifeline, now()) ?? (await this.#beat(page));
      if (ending !== undefined) return ending;
      await this.#rest();
    }
    return 'signal';
  }

  async close(): Promise<void> {
    await Promise.all([this.#page?.close(), this.#assets.close()]);
  }

  /** Sends one heartbeat and does what its answer says. */
  async #beat(page: PageServer): Promise<Ending | undefined> {
    const { settings, ended, now } = this.#options;
    // Renewed before the report is read: a change after this line is in the next heartbeat, which then leaves at once.
    this.#assetChanged = new AbortController();
    const sentAt = now();
    const timeout = Math.ceil(Math.min(HEARTBEAT_TIMEOUT, Math.max(1, endsAt(this.#lifeline) - sentAt)));
    const outcome = await postHeartbeat(
      { url: settings.HEARTBEAT_URL, secret: settings.HEARTBEAT_SECRET },
      this.#heartbeat(page),
      AbortSignal.any([ended, AbortSignal.timeout(timeout)]),
    );
    if (ended.aborted) return undefined;
    this.#logProblem(outcome);
    const assetLoaded = this.#assets.report?.state === 'loaded';
    const next = afterHeartbeat(this.#lifeline, outcome, { sentAt, now: now(), assetLoaded });
    if (typeof next === 'string') return next;
    this.#lifeline = next;
    if (outcome.type !== 'answered') return undefined;
    this.#everAnswered = true;
    if (outcome.answer.asset !== null) this.#assets.want(outcome.answer.asset);
    page.push();
    return undefined;
  }

  /** Until the next heartbeat is due, the asset's state has changed, or an ending is due. */
  async #rest(): Promise<void> {
    const until = Math.min(this.#lifeline.nextHeartbeatAt, endsAt(this.#lifeline));
    const woken = AbortSignal.any([this.#options.ended, this.#assetChanged.signal]);
    const wait = Math.ceil(Math.max(0, until - this.#options.now()));
    await pause(wait, undefined, { signal: woken }).catch(() => undefined);
  }

  #onAssetChanged(): void {
    const { name, state, bytes, error } = this.#assets.report ?? {};
    this.#options.log(
      `asset ${name}: ${state}${bytes === undefined ? '' : `, ${bytes} bytes`}${error ? `, ${error}` : ''}`,
    );
    this.#page?.push();
    this.#assetChanged.abort();
  }

  #heartbeat(page: PageServer): Heartbeat {
    return {
      state: 'ready',
      hostname: this.#options.settings.SESSION_HOST_HOSTNAME,
      ports: { inspector: page.port },
      connected: page.clients() > 0,
      asset: this.#assets.report,
    };
  }

  #status(): SessionStatus {
    const now = this.#options.now();
    const { report, file } = this.#assets;
    return {
      sessionId: this.#options.settings.SESSION_ID,
      state: this.#everAnswered ? 'ready' : 'starting',
      asset: report === null || file === undefined ? report : { ...report, url: `/asset.glb?load=${file.load}` },
      remainingSeconds: remainingSeconds(this.#lifeline, now),
      uptimeSeconds: (now - this.#startedAt) / 1000,
    };
  }

  /** Once per kind of problem, not once per heartbeat. */
  #logProblem(outcome: HeartbeatOutcome): void {
    const problem = outcome.type === 'unanswered' ? outcome.problem : undefined;
    if (problem !== this.#lastProblem)
      this.#options.log(problem ? `no answer: ${problem}` : 'the control plane answers again');
    this.#lastProblem = problem;
  }
}
