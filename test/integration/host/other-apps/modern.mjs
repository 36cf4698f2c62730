import { app } from '@azure/functions';

// Only the host has this package: as a variable, tools do not look for it among the installed ones.
const corePackage = '@azure/functions-core';
const { default: core, version } = await import(corePackage);

app.http('core', { handler: async () => ({ jsonBody: { same: core.version === version } }) });
