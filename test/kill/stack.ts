import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runStack } from '../../infra/local/run-stack.ts';
import { stopMachines } from '../../infra/local/stop-machines.ts';

const settings = z.record(z.string(), z.string());
const usual = { MAX_SESSIONS: '200', LEASE_SECONDS: '4', WAIT_FOR_FILES_SECONDS: '5' };

/**
 * `npm start` on what is built already, as a program that is there to be killed; Ctrl-C and SIGTERM end it in order. Its arguments are
 * its directory and app settings as a JSON object.
 */
const [, , directory, given = '{}'] = process.argv;
if (directory === undefined) throw new Error('The directory of the stack is missing.');
try {
  process.exitCode = await runStack({
    directory,
    scriptRoot: fileURLToPath(new URL('../..', import.meta.url)),
    port: 0,
    environment: { ...usual, ...settings.parse(JSON.parse(given)) },
    json: true,
    greeting: () => [],
    beforeStop: stopMachines,
  });
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
