import { setTimeout as wait } from 'node:timers/promises';
import { createLocalProcessProvider } from '#lib/compute';
import { parseConfig } from '#lib/config';

const POLL_MILLISECONDS = 100;

/**
 * The last net of a stack that stops: ends every machine that is left when the app is gone, as after an app that crashed or a disk that is
 * full. Their sessions' records are closed at the next start, which finds the machines gone.
 * @param settings the app's settings, as far as they are not those of the environment
 */
export async function endMachines(settings: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const config = parseConfig({ ...process.env, ...settings });
  const machines = createLocalProcessProvider({
    deployment: config.DEPLOYMENT_NAME,
    directory: config.LOCAL_MACHINES_DIRECTORY,
    program: config.SESSION_HOST_PROGRAM,
    capacity: config.LOCAL_MACHINE_CAPACITY,
    now: () => new Date(),
  });
  for (;;) {
    const left: string[] = [];
    for await (const { name } of machines.list()) left.push(name);
    if (left.length === 0) return;
    for (const name of left) await machines.stop(name);
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}
