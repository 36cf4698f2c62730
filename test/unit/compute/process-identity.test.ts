import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { identifyProcess, isAlive, signalProcess } from '../../../lib/compute/process-identity.ts';

describe('the identity of a process', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function sleeper(): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    return { child, pid: child.pid ?? 0 };
  }
  const identified = async (pid: number) => {
    const identity = await identifyProcess(pid);
    if (identity === undefined) throw new Error(`Nobody has the pid ${pid}.`);
    return identity;
  };

  it('stays the same while the process runs, and is not alive after it', async () => {
    const { child, pid } = await sleeper();
    const identity = await identified(pid);
    expect(await identifyProcess(pid)).toEqual(identity);
    expect(await isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await isAlive(identity)).toBe(false);
    expect(await identifyProcess(pid)).toBeUndefined();
  });

  it('is not that of another process with the same pid', async () => {
    const { child, pid } = await sleeper();
    const earlier = { ...(await identified(pid)), startedAt: 'another time' };
    expect(await isAlive(earlier)).toBe(false);
    await signalProcess(earlier, 'SIGKILL');
    expect(await isAlive(await identified(pid))).toBe(true);
    expect(child.exitCode).toBeNull();
  });

  it('takes a signal, and none after its end', async () => {
    const { child, pid } = await sleeper();
    const identity = await identified(pid);
    await signalProcess(identity, 'SIGTERM');
    await once(child, 'exit');
    await expect(signalProcess(identity, 'SIGTERM')).resolves.toBeUndefined();
  });

  it('does not take a zombie for alive', async () => {
    // The shell starts a process that ends soon, and becomes one that never asks what became of it.
    const shell = spawn('/bin/sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(shell);
    const [line] = await once(shell.stdout, 'data');
    const pid = Number.parseInt(String(line), 10);
    await vi.waitFor(async () => expect(await identifyProcess(pid)).toBeUndefined(), 10_000);
    expect(() => process.kill(pid, 0)).not.toThrow();
  });
});
