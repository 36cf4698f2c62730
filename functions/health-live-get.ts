import { app } from '@azure/functions';
import { json } from '#lib/http';

/** `GET /api/health/live`: the app runs. */
function readLive() {
  return json(200, { status: 'live' });
}

app.http('health-live-get', { route: 'api/health/live', methods: ['GET'], handler: async () => readLive() });
