import { fileURLToPath } from 'node:url';
import { build } from '../build.ts';
import { readPort, runCommand } from './arguments.ts';
import { runStack } from './run-stack.ts';
import { stopMachines } from './stop-machines.ts';
import { connectionString } from './storage-account.ts';
import type { StackEndpoints } from './supervisor.ts';

const help = `
npm start: the whole suite on this machine, without an Azure account, until Ctrl-C.

Usage: npm start -- [options]

  --port N   port of the app (7071); 0 chooses a free one
  --clean    forget .local/ first: uploads, conversions, records, certificates, keys
  --json     print {"endpoints":{…}} to stdout when everything answers, as .local/endpoints.json has them
  --help     this text

State lives in .local/ and survives a restart. .local/endpoints.json says where everything answers while it runs.
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));

await runCommand(
  { help, options: { port: { type: 'string' }, clean: { type: 'boolean' }, json: { type: 'boolean' } } },
  async ({ port: portText, clean = false, json = false }) => {
    const port = readPort(portText);
    return await runStack({
      directory: `${scriptRoot}/.local`,
      scriptRoot,
      ...(port !== undefined && { port }),
      clean,
      json,
      greeting,
      prepare: build,
      beforeStop: stopMachines,
    });
  },
);

function greeting(endpoints: StackEndpoints): readonly string[] {
  const { app, appHttps, authority, blob, queue, table, caCertificate, applicationsFile } = endpoints;
  return [
    '',
    `  app        ${app}`,
    `             ${appHttps}`,
    `  authority  ${authority}`,
    `  blobs      ${blob}`,
    `  queues     ${queue}`,
    `  tables     ${table}`,
    `  CA         ${caCertificate}: what speaks HTTPS with these must trust it`,
    `  sign-in    ${applicationsFile}: credentials of applications and managed identities`,
    '',
    'This is the embedded host, made for one machine and for tests. npm run start:func runs the app on the real one.',
    'The app knows its callers by tokens. Get one with',
    '  npm run --silent token -- --role administrator --name ada',
    'and send it as a bearer token. Upload a model as folder/file into the blob container "models", for instance with',
    `  REQUESTS_CA_BUNDLE='${caCertificate}' \\`,
    '  az storage blob upload --container-name models --name duck/duck.glb --file duck.glb \\',
    `    --connection-string '${connectionString(endpoints)}'`,
    `and watch it at ${app}/api/pipelines. npm run demo does all of that by itself.`,
    'Ctrl-C stops the machines, then everything else.',
    '',
  ];
}
