import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { parseConfig } from '#lib/config';
import { clientOrchestrations, type Orchestrations } from '#lib/durable';
import { createServices, type Services } from '#lib/pipeline';
import { ACCOUNT } from '#lib/records';

let building: ReturnType<typeof createServices> | undefined;

/** The services of one invocation, behind the durable client that the host gave it. */
export function servicesOf(context: InvocationContext): Promise<Services> {
  return servicesWith(clientOrchestrations(df.getClient(context), ACCOUNT));
}

/** What lives as long as the app is built at the first call; a failure is not kept, since storage may be up a moment later. */
export async function servicesWith(orchestrations: Orchestrations): Promise<Services> {
  building ??= createServices(parseConfig(process.env));
  try {
    return (await building)(orchestrations);
  } catch (error) {
    building = undefined;
    throw error;
  }
}
