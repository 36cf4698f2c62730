import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { sweep } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** While a service is lost, many fail for the same reason. */
const FAILURES_IN_LOG = 20;

/** Every 20 s: what the orchestrations should have done, and what no orchestration knows of. */
async function cleanUp(context: InvocationContext): Promise<void> {
  const { failures, ...done } = await sweep(await servicesOf(context));
  if (Object.values(done).some((ids) => ids.length > 0)) context.log(`Swept: ${JSON.stringify(done)}`);
  if (failures.length === 0) return;
  const told = failures.slice(0, FAILURES_IN_LOG).join('; ');
  context.error(`The sweep left ${failures.length} things undone: ${told}`);
}

df.app.client.timer('sessions-on-cleanup', {
  schedule: '*/20 * * * * *',
  runOnStartup: true,
  handler: (_timer, _client, context) => cleanUp(context),
});
