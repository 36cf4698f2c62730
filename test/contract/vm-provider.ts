import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ComputeError, type Machine, type MachineRequest, type VmProvider } from '#lib/compute';

/** What the contract needs of a provider under test. */
export interface VmProviderGround extends AsyncDisposable {
  /** Makes the provider anew, as a restarted app does; of another deployment where one is named. */
  provider(deployment?: string): VmProvider;
  /** How many machines the provider grants at once: two or more. */
  readonly capacity: number;
  readonly host: MachineRequest['host'];
  /** How many machines of that name really run, whatever the provider says. */
  running(name: string): Promise<number>;
  /** Ends a machine behind the provider's back. */
  kill(name: string): Promise<void>;
}

/** What every VmProvider keeps, whatever its machines are. */
export function vmProviderContract(name: string, makeGround: () => Promise<VmProviderGround>): void {
  describe(`${name} keeps the contract of a VmProvider`, () => {
    let ground: VmProviderGround;
    let provider: VmProvider;

    beforeEach(async () => {
      ground = await makeGround();
      provider = ground.provider();
    });
    afterEach(() => ground[Symbol.asyncDispose]());

    const request = (machine: string): MachineRequest => ({
      name: machine,
      size: 'Premium',
      sessionId: `session-of-${machine}`,
      host: ground.host,
    });
    const untilRunning = (machine: string) =>
      vi.waitFor(async () => expect((await provider.get(machine))?.state).toBe('running'), { timeout: 10_000 });
    const untilGone = (machine: string) =>
      vi.waitFor(async () => expect(await provider.get(machine)).toBeUndefined(), { timeout: 10_000 });

    it('accepts a start at once, and shows the machine as starting, then running', async () => {
      const before = Date.now();
      await provider.start(request('one'));
      const accepted = await provider.get('one');
      expect(accepted).toMatchObject({ name: 'one', size: 'Premium', sessionId: 'session-of-one' });
      expect(accepted?.state).toMatch(/^(starting|running)$/);
      expect(accepted?.requestedAt.getTime()).toBeGreaterThanOrEqual(before);
      await untilRunning('one');
      expect(await ground.running('one')).toBe(1);
    });

    it('knows no machine that was never started', async () => {
      expect(await provider.get('never')).toBeUndefined();
      await expect(provider.stop('never')).resolves.toBeUndefined();
      expect(await machinesOf(provider)).toEqual([]);
    });

    it('takes a second start of the same name as done', async () => {
      await provider.start(request('one'));
      await untilRunning('one');
      const before = await provider.get('one');
      await provider.start(request('one'));
      expect(await provider.get('one')).toEqual(before);
      expect(await ground.running('one')).toBe(1);
    });

    it('starts one machine where starts of one name come at the same moment, even from two processes', async () => {
      const other = ground.provider();
      await Promise.all([provider, other, provider, other].map((each) => each.start(request('one'))));
      await untilRunning('one');
      await vi.waitFor(async () => expect(await ground.running('one')).toBe(1), { timeout: 20_000 });
      expect(await machinesOf(provider)).toHaveLength(1);
    });

    it('stops a machine, and shows it as stopping until it is gone', async () => {
      await provider.start(request('one'));
      await untilRunning('one');
      await provider.stop('one');
      expect(['stopping', undefined]).toContain((await provider.get('one'))?.state);
      await untilGone('one');
      expect(await ground.running('one')).toBe(0);
      expect(await machinesOf(provider)).toEqual([]);
    });

    it('stops a machine that only starts, and takes a stop again as done in every state', async () => {
      await provider.start(request('one'));
      await provider.stop('one');
      await provider.stop('one');
      await untilGone('one');
      await provider.stop('one');
      await vi.waitFor(async () => expect(await ground.running('one')).toBe(0), { timeout: 20_000 });
    });

    it('starts a machine again under the name of one that is gone', async () => {
      await provider.start(request('one'));
      await provider.stop('one');
      await untilGone('one');
      await provider.start(request('one'));
      await untilRunning('one');
    });

    it('lists the machines of its deployment and no other, and touches no other', async () => {
      const other = ground.provider('another-deployment');
      await Promise.all([provider.start(request('ours')), other.start(request('theirs'))]);
      await untilRunning('ours');
      await vi.waitFor(async () => expect((await other.get('theirs'))?.state).toBe('running'), { timeout: 20_000 });
      expect((await machinesOf(provider)).map((machine) => machine.name)).toEqual(['ours']);
      expect((await machinesOf(other)).map((machine) => machine.name)).toEqual(['theirs']);
      expect(await provider.get('theirs')).toBeUndefined();
      await provider.stop('theirs');
      expect((await other.get('theirs'))?.state).toBe('running');
    });

    it('refuses one machine more than there is room for, also at the same moment, and grants it after a stop', async () => {
      const names = Array.from({ length: ground.capacity + 1 }, (_, index) => `machine-${index}`);
      const starts = await Promise.allSettled(names.map((each) => provider.start(request(each))));
      const refused = starts.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(refused).toEqual([expect.any(ComputeError)]);
      expect(refused[0]).toMatchObject({ code: 'capacity' });
      const [first = ''] = names;
      const last = names.at(-1) ?? '';
      await provider.stop(first);
      await untilGone(first);
      await provider.start(request(last));
      expect(await machinesOf(provider)).toHaveLength(ground.capacity);
    });

    it('refuses a name that no machine can have', async () => {
      for (const bad of ['', '../up', 'a b', 'x'.repeat(257)]) {
        await expect(provider.start(request(bad))).rejects.toMatchObject({ name: 'ComputeError', code: 'provider' });
        expect(await provider.get(bad)).toBeUndefined();
        await provider.stop(bad);
      }
    });

    it('tells names apart that are long, or differ by case alone', async () => {
      const long = 'x'.repeat(256);
      await provider.start(request(long));
      await provider.start(request(long.toUpperCase()));
      expect((await machinesOf(provider)).map((machine) => machine.name).sort()).toEqual([long.toUpperCase(), long]);
    });

    it('sees that a machine ended by itself', async () => {
      await provider.start(request('one'));
      await untilRunning('one');
      await ground.kill('one');
      await untilGone('one');
      expect(await machinesOf(provider)).toEqual([]);
    });

    it('finds its machines again after a restart, and stops them', async () => {
      await provider.start(request('one'));
      await untilRunning('one');
      const restarted = ground.provider();
      expect(await machinesOf(restarted)).toEqual([await provider.get('one')]);
      await restarted.start(request('one'));
      expect(await ground.running('one')).toBe(1);
      await restarted.stop('one');
      await untilGone('one');
    });
  });
}

/** All that the provider lists. */
export async function machinesOf(provider: VmProvider): Promise<Machine[]> {
  const machines: Machine[] = [];
  for await (const machine of provider.list()) machines.push(machine);
  return machines;
}
