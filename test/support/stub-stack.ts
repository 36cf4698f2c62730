import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { readPort, runCommand } from '../../infra/local/arguments.ts';
import { runStack } from '../../infra/local/run-stack.ts';
import { connectionString } from '../../infra/local/storage-account.ts';

/** `npm start` with a stub for the Functions host: `--directory`, `--port`, `--clean`, and `--before-stop FILE`, which writes a row before it writes the file. */
const options = {
  directory: { type: 'string' },
  port: { type: 'string' },
  clean: { type: 'boolean' },
  'before-stop': { type: 'string' },
} as const;

await runCommand({ help: 'A stack with a stub host.', options }, async (values) => {
  const directory = z.string().parse(values.directory);
  const witness = values['before-stop'];
  return await runStack({
    directory,
    scriptRoot: directory,
    port: readPort(values.port) ?? 0,
    clean: values.clean ?? false,
    json: true,
    greeting: () => ['Everything answers.'],
    host: { program: fileURLToPath(new URL('stub-host.ts', import.meta.url)), startMilliseconds: 20_000 },
    ...(witness && {
      beforeStop: async (endpoints) => {
        const table = TableClient.fromConnectionString(connectionString(endpoints), 'stopped', {
          allowInsecureConnection: true,
        });
        await table.createTable();
        await table.createEntity({ partitionKey: 'machine', rowKey: 'host_lost' });
        await writeFile(witness, 'written');
      },
    }),
  });
});
