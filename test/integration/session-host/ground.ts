import { expect } from 'vitest';
import { z } from 'zod';
import { type ControlServer, startControlServer } from './control-server.ts';
import { type RunningHost, startHost } from './running-host.ts';
import { waitFor } from './wait-for.ts';

export { waitFor };

/** One test's control plane and its session hosts; all of it ends with the test. */
export interface Ground extends AsyncDisposable {
  readonly control: ControlServer;
  readonly start: (settings?: Readonly<Record<string, string>>, directory?: string) => Promise<RunningHost>;
  /** Orders the session host to load an asset. */
  readonly order: (name: string, url: string) => void;
  /** Until the last heartbeat tells that state of the asset. */
  readonly untilAsset: (state: string) => Promise<void>;
}

export async function openGround(program: string): Promise<Ground> {
  const control = await startControlServer();
  const hosts: RunningHost[] = [];
  return {
    control,
    async start(settings, directory) {
      const host = await startHost(program, control, settings, directory);
      hosts.push(host);
      return host;
    },
    order: (name, url) => control.answerWith({ asset: { name, url }, remainingSeconds: 60 }),
    untilAsset: (state) => waitFor(() => expect(control.latest()?.asset?.state).toBe(state)),
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
      await control[Symbol.asyncDispose]();
    },
  };
}

const status = z.object({
  state: z.string(),
  asset: z.object({ url: z.string().optional() }).nullable(),
  remainingSeconds: z.number().nullable(),
});

/** What the session host tells of itself. */
export async function statusOf(host: RunningHost) {
  return status.loose().parse(await (await fetch(`${await host.address()}/status`)).json());
}
