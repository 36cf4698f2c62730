import { sessionHostsOf } from '../support/processes.ts';

/** The session hosts whose machines lie in a stack's directory, by their pid and command line. */
export async function sessionHosts(directory: string): Promise<string[]> {
  return (await sessionHostsOf(directory)).map(({ pid, commandLine }) => `${pid} ${commandLine}`);
}
