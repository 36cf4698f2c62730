import { json, serveAnyone } from '#lib/http';
import { plainFront } from './services.ts';

/** `GET /api/health/live`: the app runs. */
serveAnyone('health-live-get', plainFront, async () => json(200, { status: 'live' }));
