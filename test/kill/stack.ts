import { fileURLToPath } from 'node:url';
import { stopMachines } from '../../infra/local/stop-machines.ts';
import { startStack } from '../../infra/local/supervisor.ts';

/** A whole stack as a program that is there to be killed; Ctrl-C and SIGTERM end it in order. Its one argument is its directory. */
const directory = process.argv[2];
if (directory === undefined) throw new Error('The directory of the stack is missing.');
const stack = await startStack({
  directory,
  scriptRoot: fileURLToPath(new URL('../..', import.meta.url)),
  port: 0,
  environment: { MAX_SESSIONS: '200', LEASE_SECONDS: '4', WAIT_FOR_FILES_SECONDS: '5' },
  beforeStop: stopMachines,
  onLog: (child, line) => process.stdout.write(`[${child}] ${line}\n`),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stack.stop().then(() => process.exit(0)));
}
void stack.failed.then((error) => {
  process.stdout.write(`${error.message}\n`);
  process.exit(1);
});
