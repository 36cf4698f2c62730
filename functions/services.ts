import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { type Config, parseConfig } from '#lib/config';
import { clientOrchestrations, type Orchestrations } from '#lib/durable';
import type { Front } from '#lib/http';
import { buildFoundation, explain, type Foundation, type Services, secretsInSettings, servicesOn } from '#lib/pipeline';
import { ACCOUNT } from '#lib/records';

let building: Promise<Foundation> | undefined;
let parsed: Config | undefined;

/** What all routes stand on that need no orchestration: a durable client costs more than a token does. */
export const plainFront: Front<Foundation> = { allowedOrigins, services: foundation, inputs: [], explain };

/** What routes stand on that start, stop or wake one. */
export const front: Front<Services> = { ...plainFront, services: servicesOf, inputs: [df.input.durableClient()] };

/** The services of one invocation, behind the durable client that the host gave it. */
export function servicesOf(context: InvocationContext): Promise<Services> {
  return servicesWith(clientOrchestrations(df.getClient(context), ACCOUNT));
}

export async function servicesWith(orchestrations: Orchestrations): Promise<Services> {
  return servicesOn(await foundation(), orchestrations);
}

/** What lives as long as the app is built at the first call; a failure is not kept, since storage may be up a moment later. */
async function foundation(): Promise<Foundation> {
  const awaited = building ?? buildFoundation(config());
  building = awaited;
  try {
    return await awaited;
  } catch (error) {
    // Another caller may have begun anew.
    if (building === awaited) building = undefined;
    throw error;
  }
}

/** None where the settings cannot be used: each answer says so itself. */
function allowedOrigins(): readonly string[] {
  try {
    return config().CORS_ALLOWED_ORIGINS;
  } catch {
    return [];
  }
}

function config(): Config {
  if (parsed !== undefined) return parsed;
  parsed = parseConfig(process.env);
  for (const name of secretsInSettings(parsed)) {
    console.warn(`The setting ${name} holds a secret: use a managed identity instead wherever one can do.`);
  }
  return parsed;
}

// What is to be warned about is said at the start, not with the first request.
allowedOrigins();
