import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';
import type { RecordKind } from '#lib/records';
import { DurableError } from './durable-error.ts';
import { instanceIdOf, ORCHESTRATORS, type Orchestrations, WAKE } from './orchestrations.ts';

/** The client's own calls have no time-out: a host that hangs would hang every handler with it. */
const CALL_SECONDS = 10;

const OVER: ReadonlySet<OrchestrationRuntimeStatus> = new Set([
  OrchestrationRuntimeStatus.Completed,
  OrchestrationRuntimeStatus.Failed,
  OrchestrationRuntimeStatus.Terminated,
  OrchestrationRuntimeStatus.Canceled,
]);

/**
 * Orchestrations behind the durable client that the host hands to one invocation.
 * Its calls throw DurableError `timeout` or `unavailable`.
 */
export function clientOrchestrations(client: DurableClient, account: string): Orchestrations {
  const isLive = async (kind: RecordKind, id: string) => {
    const status = await attempt('status', () => statusOf(client, instanceIdOf(kind, account, id)));
    return status !== undefined && !OVER.has(status);
  };
  return {
    isLive,
    async start(kind, id) {
      const instanceId = instanceIdOf(kind, account, id);
      try {
        await attempt('start', () => client.startNew(ORCHESTRATORS[kind], { instanceId, input: { id } }));
      } catch (error) {
        // "Already exists" looks like any other failure; only the status tells them apart.
        if (!(await isLive(kind, id))) throw error;
      }
    },
    async wake(kind, id) {
      const instanceId = instanceIdOf(kind, account, id);
      await attempt('wake', () => client.raiseEvent(instanceId, WAKE, {}).catch(tolerateMissing));
    },
  };
}

async function statusOf(client: DurableClient, instanceId: string): Promise<OrchestrationRuntimeStatus | undefined> {
  try {
    return (await client.getStatus(instanceId, { showInput: false })).runtimeStatus;
  } catch (error) {
    if (tellsMissing(error)) return undefined;
    throw error;
  }
}

function tolerateMissing(error: unknown): void {
  if (!tellsMissing(error)) throw error;
}

/** The SDK turns a 404 into a plain Error whose text alone says so, in two forms. */
function tellsMissing(error: unknown): boolean {
  return error instanceof Error && /HTTP 404 response|^No instance with ID/.test(error.message);
}

async function attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const late = () =>
      reject(new DurableError('timeout', `Durable Functions gave no answer to ${what} in ${CALL_SECONDS} s.`));
    timer = setTimeout(late, CALL_SECONDS * 1000);
  });
  try {
    return await Promise.race([call(), timeout]);
  } catch (cause) {
    if (cause instanceof DurableError) throw cause;
    throw new DurableError('unavailable', `Durable Functions refused ${what}.`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
