import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runCommand } from '../../infra/local/arguments.ts';
import { runStack } from '../../infra/local/run-stack.ts';
import { stopMachines } from '../../infra/local/stop-machines.ts';

const settings = z.record(z.string(), z.string());

/** `npm start` on what is built already, in `--directory` and with the app settings of `--environment`, a JSON object. */
const options = { directory: { type: 'string' }, environment: { type: 'string' } } as const;

await runCommand({ help: 'The whole stack, for tests.', options }, async (values) => {
  return await runStack({
    directory: z.string().parse(values.directory),
    scriptRoot: fileURLToPath(new URL('../..', import.meta.url)),
    port: 0,
    environment: settings.parse(JSON.parse(values.environment ?? '{}')),
    json: true,
    greeting: () => [],
    beforeStop: stopMachines,
  });
});
