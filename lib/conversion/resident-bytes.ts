import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Resident memory of a process, in bytes; 0 for one that is gone. */
export async function residentBytes(pid: number): Promise<number> {
  const kibibytes = process.platform === 'linux' ? await onLinux(pid) : await byPs(pid);
  return Number(kibibytes ?? 0) * 1024;
}

async function onLinux(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
}

async function byPs(pid: number): Promise<string | undefined> {
  const answer = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => undefined);
  return answer?.stdout.trim();
}
