import { app } from '@azure/functions';
import core, { version } from '@azure/functions-core';

app.http('core', { handler: async () => ({ jsonBody: { same: core.version === version } }) });
