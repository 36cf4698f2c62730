import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The command line of a session host: its program's path, its machine's name and folder. */
const SESSION_HOST = '/session-host/main.mjs --machine=';

/** Kills a process and all that descend from it with SIGKILL, at one moment; session hosts are machines and live on. */
export async function killTree(root: number): Promise<void> {
  const listed = await processes();
  const doomed = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent, command } of listed) {
      if (!doomed.has(parent) || doomed.has(pid) || command.includes(SESSION_HOST)) continue;
      doomed.add(pid);
      grown = true;
    }
  }
  // Frozen first, so that none sees another one's end.
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of doomed) send(pid, signal);
}

/** The session hosts whose machines lie below a directory, by their pid and command line. */
export async function sessionHosts(directory: string): Promise<string[]> {
  const listed = await processes();
  const ours = ({ command }: Listed) => command.includes(SESSION_HOST) && command.includes(directory);
  return listed.filter(ours).map(({ pid, command }) => `${pid} ${command}`);
}

async function processes(): Promise<Listed[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,ppid=,args='], { maxBuffer: 2 ** 24 });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined || parent === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself meanwhile.
  }
}
