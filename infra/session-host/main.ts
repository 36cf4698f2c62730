import { parseArgs } from 'node:util';
import { claimMachineFolder } from '#lib/compute';
import { runSessionHost } from './session-host.ts';
import { parseSettings } from './settings.ts';

const ended = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => ended.abort());

process.exitCode = await main();
// Connections that fetch keeps open would hold the process for seconds.
process.exit();

/** @returns the exit code: 0 where the session host ended as it should, 1 where it could not start */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { machine: { type: 'string' }, directory: { type: 'string' } } });
  const folder = values.directory ?? process.env['MACHINE_DIRECTORY'];
  // Before anything else: from here on the machine is found, whatever happens to the one that started it.
  if (folder !== undefined && !(await claimMachineFolder(folder))) {
    log(`ends: ${folder} has had its process already, is to be stopped, or is gone`);
    return 1;
  }
  try {
    const settings = parseSettings({
      ...process.env,
      ...(folder !== undefined && { MACHINE_DIRECTORY: folder }),
      ...(values.machine !== undefined && { MACHINE_NAME: values.machine }),
    });
    const now = () => performance.now();
    const ending = await runSessionHost({
      settings,
      viewerDirectory: viewerDirectory(),
      ended: ended.signal,
      now,
      log,
    });
    log(`ends: ${ending}`);
    return 0;
  } catch (error) {
    log(`ends: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function viewerDirectory(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(fromSource ? '../../dist/session-host/viewer/' : './viewer/', import.meta.url);
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}
