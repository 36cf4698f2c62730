import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../build.ts';
import { readPort, runCommand } from './arguments.ts';
import { makeLocalSettings, requireFunc } from './core-tools.ts';
import { runStack } from './run-stack.ts';
import { stopMachines } from './stop-machines.ts';

const help = `
npm run start:func: the same app on the real Azure Functions host, by Azure Functions Core Tools, until Ctrl-C.

Usage: npm run start:func -- [options]

  --port N   port of the app (7071); 0 chooses a free one
  --clean    forget .local/ first: uploads, conversions, records, certificates, keys
  --json     print {"endpoints":{…}} to stdout when everything answers, as .local/endpoints.json has them
  --help     this text

Makes local.settings.json from local.settings.sample.json where there is none. Storage is the local one, in .local/,
over HTTP and with its key.
`;

/** Core Tools may fetch the extension bundle first. */
const hostStartMilliseconds = 180_000;
const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));

await runCommand(
  { help, options: { port: { type: 'string' }, clean: { type: 'boolean' }, json: { type: 'boolean' } } },
  async ({ port: portText, clean = false, json = false }) => {
    const port = readPort(portText);
    await requireFunc(process.env['PATH'] ?? '');
    if (await makeLocalSettings(scriptRoot)) process.stderr.write('local.settings.json was made from its sample.\n');
    return await runStack({
      directory: join(scriptRoot, '.local'),
      scriptRoot,
      ...(port !== undefined && { port }),
      clean,
      json,
      // Core Tools' storage client looks for the emulator over HTTP.
      storage: 'http',
      greeting: ({ app, authority, blob }) => [
        `The app answers at ${app}, its authority at ${authority}, blob storage at ${blob}.`,
        'npm run token -- --role administrator --name ada gives a token for it. Ctrl-C stops everything.',
      ],
      prepare: build,
      beforeStop: stopMachines,
      host: {
        program: fileURLToPath(new URL('./func-host.ts', import.meta.url)),
        startMilliseconds: hostStartMilliseconds,
      },
    });
  },
);
