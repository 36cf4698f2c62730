import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';

/** A process as the system shows it; what is a zombie has ended and is none. */
export interface SystemProcess {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
}

/** Every process of this computer. */
export async function allProcesses(): Promise<readonly SystemProcess[]> {
  return process.platform === 'linux' ? await fromProc() : await fromPs();
}

/** The processes that have a directory, or something in it, on their command line: a stack's own, and its session hosts. */
export async function processesOf(directory: string): Promise<readonly SystemProcess[]> {
  return (await allProcesses()).filter(
    ({ pid, commandLine }) => pid !== process.pid && commandLine.includes(directory),
  );
}

/** The session hosts among a stack's processes: those that run a machine's folder in its directory. */
export async function sessionHostsOf(directory: string): Promise<readonly SystemProcess[]> {
  const machines = `--directory=${join(directory, 'machines')}${sep}`;
  return (await allProcesses()).filter(({ commandLine }) => commandLine.includes(machines));
}

/** A process with all that it started and that they started, but for session hosts: those are machines. */
export async function treeOf(root: number): Promise<readonly SystemProcess[]> {
  const all = (await allProcesses()).filter(({ commandLine }) => !commandLine.includes('--machine='));
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** Kills with SIGKILL; those that are gone already are fine. */
export function killAll(processes: readonly { readonly pid: number }[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
  }
}

async function fromProc(): Promise<readonly SystemProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(readProc));
  return found.filter((each) => each !== undefined);
}

async function readProc(pid: number): Promise<SystemProcess | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the name in brackets may itself hold brackets and spaces; the state and the parent follow it.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const commandLine = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    return state === 'Z' || commandLine === '' ? undefined : { pid, parent: Number(parent), commandLine };
  } catch {
    return undefined;
  }
}

async function fromPs(): Promise<readonly SystemProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,ppid=,stat=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state, commandLine] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (commandLine === undefined || state?.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), commandLine }];
  });
}
