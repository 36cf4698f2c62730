import { killAll, sessionHostsOf, treeOf } from '../support/processes.ts';

/** Kills a process and all that descend from it with SIGKILL; session hosts are machines and live on. */
export async function killTree(root: number): Promise<void> {
  killAll(await treeOf(root));
}

/** The session hosts whose machines lie in a stack's directory, by their pid and command line. */
export async function sessionHosts(directory: string): Promise<string[]> {
  return (await sessionHostsOf(directory)).map(({ pid, commandLine }) => `${pid} ${commandLine}`);
}
