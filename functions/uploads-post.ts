import { randomUUID } from 'node:crypto';
import { json, serve } from '#lib/http';
import { createUpload } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** `POST /api/uploads`: URLs for the files of one model, under a new folder, so that a client app needs no storage role. */
serve('uploads-post', plainFront, async ({ services, body }) =>
  json(201, await createUpload(services, body, randomUUID())),
);
