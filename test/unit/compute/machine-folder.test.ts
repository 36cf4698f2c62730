import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  claimMachineFolder,
  createMachineFolder,
  machineFolderOf,
  readIntention,
  readLogTail,
  readProcesses,
  readStopOrder,
  removeMachineFolder,
  writeLaunched,
  writeStopOrder,
} from '../../../lib/compute/machine-folder.ts';

const DOOR = fileURLToPath(new URL('../../../lib/compute/index.ts', import.meta.url));

describe("a machine's folder", () => {
  let directory: string;
  let folder: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'machines-'));
    folder = join(directory, 'one');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const starter = { pid: 1, startedAt: 'then' };
  const requestedAt = new Date('2026-01-02T03:04:05Z');
  const intention = { name: 'one', sessionId: 's', size: 'Standard', deployment: 'd', requestedAt, starter } as const;

  it('is made once, whoever comes at the same moment, and whole', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => createMachineFolder(folder, intention)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await readIntention(folder)).toEqual(intention);
    expect(await readdir(directory)).toEqual(['one']);
  });

  it('is claimed by one process of many that come at the same moment', async () => {
    await createMachineFolder(folder, intention);
    const source = `import { claimMachineFolder } from ${JSON.stringify(DOOR)};
      process.exit((await claimMachineFolder(${JSON.stringify(folder)})) ? 0 : 1);`;
    const claims = Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' });
      const [code] = await once(child, 'exit');
      return { pid: child.pid, code };
    });
    const winners = (await Promise.all(claims)).filter(({ code }) => code === 0);
    expect(winners).toHaveLength(1);
    expect((await readProcesses(folder)).own?.pid).toBe(winners[0]?.pid);
  });

  it('is not claimed where it is gone, nor where its end was asked for', async () => {
    expect(await claimMachineFolder(folder)).toBe(false);
    await createMachineFolder(folder, intention);
    await writeStopOrder(folder, { askedAt: requestedAt });
    expect(await claimMachineFolder(folder)).toBe(false);
  });

  it('keeps the first order to stop', async () => {
    await createMachineFolder(folder, intention);
    await writeStopOrder(folder, { askedAt: requestedAt });
    await writeStopOrder(folder, { askedAt: new Date() });
    expect(await readStopOrder(folder)).toEqual({ askedAt: requestedAt });
  });

  it('takes notes after its removal, and a second removal, as done', async () => {
    await createMachineFolder(folder, intention);
    await removeMachineFolder(folder);
    await removeMachineFolder(folder);
    await writeLaunched(folder, starter);
    await writeStopOrder(folder, { askedAt: requestedAt });
    expect(await readdir(directory)).toEqual([]);
    expect(await readIntention(folder)).toBeUndefined();
  });

  it('reads a file that a power cut left empty or torn as none', async () => {
    await createMachineFolder(folder, intention);
    for (const torn of ['', '{"pid": 1', '{"pid": "one"}', 'null']) {
      await writeFile(join(folder, 'process.json'), torn);
      expect(await readProcesses(folder)).toEqual({});
    }
  });

  it('gives the end of what the machine said, however much that is', async () => {
    await createMachineFolder(folder, intention);
    expect(await readLogTail(folder)).toBe('');
    await writeFile(join(folder, 'session-host.log'), `${'x'.repeat(100_000)}\nthe last line\n`);
    const tail = await readLogTail(folder);
    expect(tail.endsWith('the last line')).toBe(true);
    expect(tail.length).toBeLessThanOrEqual(2_000);
  });

  it('lies in the directory whatever the name, and is another for each name, also where case does not count', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        const [first, second] = [machineFolderOf('/machines', one), machineFolderOf('/machines', two)];
        expect(first).toMatch(/^\/machines\/[\w-]{1,57}$/);
        expect(first.toLowerCase() === second.toLowerCase()).toBe(one === two);
      }),
    );
    expect(machineFolderOf('/m', 'robot').toLowerCase()).not.toBe(machineFolderOf('/m', 'ROBOT').toLowerCase());
  });
});
