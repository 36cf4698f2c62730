import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalProcessProvider, type VmProvider } from '#lib/compute';
import { sessionHostBuilds } from '../../infra/session-host/build.ts';
import { machinesOf, type VmProviderGround, vmProviderContract } from './vm-provider.ts';

const COMPUTE = fileURLToPath(new URL('../../lib/compute/index.ts', import.meta.url));
const SECRET = 'a-secret-that-nobody-may-find';
const host = { heartbeatUrl: 'http://127.0.0.1:9/heartbeats', heartbeatSecret: SECRET, silenceSeconds: 60 };

let built: string;
let sessionHost: string;

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'session-host-'));
  await Promise.all(sessionHostBuilds(built).map((options) => build(options)));
  sessionHost = join(built, 'main.mjs');
});
afterAll(() => rm(built, { recursive: true, force: true }));

vmProviderContract('local-process', async (): Promise<VmProviderGround> => {
  const directory = await mkdtemp(join(tmpdir(), 'machines-'));
  const capacity = 3;
  return {
    capacity,
    host,
    provider: (deployment = 'test') =>
      createLocalProcessProvider({ deployment, directory, program: sessionHost, capacity, now: () => new Date() }),
    running: async (name) => (await processesOf(directory, name)).length,
    kill: async (name) => {
      for (const pid of await processesOf(directory, name)) process.kill(pid, 'SIGKILL');
    },
    [Symbol.asyncDispose]: () => clearAway(directory),
  };
});

describe('local-process', () => {
  let directory: string;
  let elapsed: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'machines-'));
    elapsed = 0;
  });
  afterEach(() => clearAway(directory));

  const providerOf = (program: string): VmProvider =>
    createLocalProcessProvider({
      deployment: 'test',
      directory,
      program,
      capacity: 8,
      now: () => new Date(Date.now() + elapsed),
    });
  const request = (name: string) => ({ name, size: 'Standard' as const, sessionId: name, host });
  const program = async (source: string) => {
    const path = join(directory, '.program.mjs');
    await writeFile(path, `import { claimMachineFolder } from ${JSON.stringify(COMPUTE)};\n${source}`);
    return path;
  };
  const claim = `if (!(await claimMachineFolder(process.argv[3].replace('--directory=', '')))) process.exit(1);`;
  const folderOf = async (name: string) => {
    const entry = (await readdir(directory)).find((each) => each.startsWith(`${name}-`));
    return join(directory, entry ?? 'none');
  };
  const untilState = (provider: VmProvider, name: string, state: string | undefined) =>
    vi.waitFor(async () => expect((await provider.get(name))?.state).toBe(state), { timeout: 10_000 });

  it('does not take another process with the same pid for the machine', async () => {
    const provider = providerOf(sessionHost);
    await provider.start(request('one'));
    await untilState(provider, 'one', 'running');
    const folder = await folderOf('one');
    for (const pid of await processesOf(directory, 'one')) process.kill(pid, 'SIGKILL');
    const reused = JSON.stringify({ pid: process.pid, startedAt: 'another time' });
    await Promise.all(['process.json', 'launched.json'].map((file) => writeFile(join(folder, file), reused)));
    expect(await provider.get('one')).toBeUndefined();
  });

  it('keeps the heartbeat secret off the disk and off the command line', async () => {
    const provider = providerOf(sessionHost);
    await provider.start(request('one'));
    await untilState(provider, 'one', 'running');
    const files = await readdir(await folderOf('one'));
    expect(files).toEqual(expect.arrayContaining(['intention.json', 'process.json', 'session-host.log']));
    for (const file of files) expect(await readFile(join(await folderOf('one'), file), 'utf8')).not.toContain(SECRET);
    const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args=']);
    expect(stdout).toContain(`${sessionHost} --machine=one`);
    expect(stdout).not.toContain(SECRET);
  });

  it('kills a machine that does not obey within 3 s, whoever looks then', async () => {
    const provider = providerOf(
      await program(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); ${claim}`),
    );
    await provider.start(request('deaf'));
    await untilState(provider, 'deaf', 'running');
    await provider.stop('deaf');
    expect((await provider.get('deaf'))?.state).toBe('stopping');
    elapsed = 3_500;
    await untilState(provider, 'deaf', undefined);
    expect(await processesOf(directory, 'deaf')).toEqual([]);
  });

  it('shows a machine as failed, with what it said, when its process ends before it takes the machine over', async () => {
    const provider = providerOf(await program(`console.error('no such file: the disk is on fire'); process.exit(1);`));
    await provider.start(request('broken'));
    await untilState(provider, 'broken', 'failed');
    expect((await provider.get('broken'))?.evidence).toContain('the disk is on fire');
    await provider.start(request('broken'));
    expect((await provider.get('broken'))?.state).toBe('failed');
    await provider.stop('broken');
    expect(await provider.get('broken')).toBeUndefined();
  });

  it('shows a machine as failed when its process has not taken it over after 15 s', async () => {
    const provider = providerOf(await program('setInterval(() => {}, 1000);'));
    await provider.start(request('idle'));
    expect((await provider.get('idle'))?.state).toBe('starting');
    elapsed = 16_000;
    expect((await provider.get('idle'))?.state).toBe('failed');
    await provider.stop('idle');
    await untilState(provider, 'idle', undefined);
  });

  describe('after the process that started a machine was killed before it could note a process', () => {
    const abandon = async (provider: VmProvider) => {
      await provider.start(request('one'));
      const folder = await folderOf('one');
      const intention = JSON.parse(await readFile(join(folder, 'intention.json'), 'utf8'));
      for (const pid of await processesOf(directory, 'one')) process.kill(pid, 'SIGKILL');
      await Promise.all(['process.json', 'launched.json'].map((file) => rm(join(folder, file), { force: true })));
      const starter = { pid: process.pid, startedAt: 'another time' };
      await writeFile(join(folder, 'intention.json'), JSON.stringify({ ...intention, starter }));
    };

    it('starts it when asked again', async () => {
      const provider = providerOf(sessionHost);
      await abandon(provider);
      expect((await provider.get('one'))?.state).toBe('starting');
      await provider.start(request('one'));
      await untilState(provider, 'one', 'running');
    });

    it('takes it for gone when nobody asks', async () => {
      const provider = providerOf(sessionHost);
      await abandon(provider);
      elapsed = 16_000;
      expect(await provider.get('one')).toBeUndefined();
    });
  });

  it('says what is wrong when the process cannot be started, and leaves nothing', async () => {
    const provider = providerOf(sessionHost);
    const execPath = process.execPath;
    process.execPath = join(directory, 'no-such-node');
    try {
      await expect(provider.start(request('one'))).rejects.toMatchObject({
        code: 'provider',
        message: expect.stringContaining('machine one could not be started'),
        cause: expect.objectContaining({ code: 'ENOENT' }),
      });
    } finally {
      process.execPath = execPath;
    }
    expect(await provider.get('one')).toBeUndefined();
    expect(await readdir(directory)).toEqual([]);
  });

  it('passes over what is no machine, refuses to start in its place, and clears away what killed processes left', async () => {
    const provider = providerOf(sessionHost);
    await provider.start(request('one'));
    const folder = await folderOf('one');
    await provider.stop('one');
    await untilState(provider, 'one', undefined);
    await mkdir(folder);
    await writeFile(join(folder, 'letter.txt'), 'mine');
    const remains = join(directory, '.one-0123.01234567-89ab-cdef-0123-456789abcdef');
    await mkdir(remains);
    await utimes(remains, new Date(0), new Date(0));
    expect(await machinesOf(provider)).toEqual([]);
    await expect(provider.start(request('one'))).rejects.toMatchObject({ code: 'provider' });
    expect(await readdir(directory)).toEqual([folder.slice(directory.length + 1)]);
    expect(await readFile(join(folder, 'letter.txt'), 'utf8')).toBe('mine');
  });
});

/** The pids of the processes that run a machine of this directory, as the system lists them. */
async function processesOf(directory: string, name = ''): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,stat=,args=']);
  const lines = stdout.split('\n').filter((line) => line.includes(`--machine=${name}`) && line.includes(directory));
  return lines.filter((line) => !/^\s*\d+\s+Z/.test(line)).map((line) => Number.parseInt(line, 10));
}

async function clearAway(directory: string): Promise<void> {
  for (const pid of await processesOf(directory)) process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => expect(await processesOf(directory)).toEqual([]), { timeout: 20_000 });
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}
