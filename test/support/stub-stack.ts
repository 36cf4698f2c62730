import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { readPort, runCommand } from '../../infra/local/arguments.ts';
import { runStack } from '../../infra/local/run-stack.ts';
import { connectionString } from '../../infra/local/storage-account.ts';

/** `npm start` with a stub for the Functions host: `--directory`, `--port`, `--clean`, `--http` for storage over HTTP, and `--before-stop FILE`, which lets it stop once that file is there, and writes a row then. */
const options = {
  directory: { type: 'string' },
  port: { type: 'string' },
  clean: { type: 'boolean' },
  http: { type: 'boolean' },
  'before-stop': { type: 'string' },
} as const;

await runCommand({ help: 'A stack with a stub host.', options }, async (values) => {
  const directory = z.string().parse(values.directory);
  const permission = values['before-stop'];
  return await runStack({
    directory,
    scriptRoot: directory,
    port: readPort(values.port) ?? 0,
    clean: values.clean ?? false,
    storage: values.http ? 'http' : 'https',
    json: true,
    greeting: () => ['Everything answers.'],
    host: { program: fileURLToPath(new URL('stub-host.ts', import.meta.url)), startMilliseconds: 20_000 },
    ...(permission && {
      beforeStop: async (endpoints, signal) => {
        while (!existsSync(permission)) await wait(20, undefined, { signal });
        const table = TableClient.fromConnectionString(connectionString(endpoints), 'stopped', {
          allowInsecureConnection: true,
        });
        await table.createTable();
        await table.createEntity({ partitionKey: 'machine', rowKey: 'host_lost' });
      },
    }),
  });
});
