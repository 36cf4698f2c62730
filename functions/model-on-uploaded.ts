import type { EventGridEvent, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { onUpload } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** Event Grid's `BlobCreated`: a model in a folder starts a pipeline, any other file wakes the pipelines that wait for it. */
async function modelUploaded(event: EventGridEvent, context: InvocationContext): Promise<void> {
  const outcome = await onUpload(await servicesOf(context), event);
  context.log(`Upload ${event.subject}: ${JSON.stringify(outcome)}`);
}

df.app.client.eventGrid('model-on-uploaded', {
  handler: (event, _client, context) => modelUploaded(event, context),
});
