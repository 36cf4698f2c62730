import { randomUUID } from 'node:crypto';
import type { IndexedFunction } from './function-index.ts';
import type { HostLog } from './host-log.ts';
import type { CoreInvocationContext, InvocationResponse, ProgrammingModel, TypedData } from './rpc.ts';

/** Runs functions of the app through its programming model, and knows which are running. */
export interface Invoker {
  /** Runs one function to its end. Rejects with what the handler threw. */
  invoke(
    target: IndexedFunction,
    data: TypedData,
    metadata?: Readonly<Record<string, TypedData>>,
  ): Promise<TypedData | null>;
  /** Resolves when nothing runs any more, or after `limitMs`; tells which functions still run. */
  settle(limitMs: number): Promise<readonly string[]>;
}

/** `durableClient` is the data of every durable client binding. */
export function createInvoker(model: ProgrammingModel, durableClient: TypedData, log: HostLog): Invoker {
  const running = new Map<string, { readonly name: string; readonly done: Promise<unknown> }>();
  return {
    async invoke(target, data, metadata = {}) {
      const invocationId = randomUUID();
      const done = run(model, log, target, {
        invocationId,
        functionId: target.name,
        inputData: [
          { name: target.trigger, data },
          ...target.durableClients.map((name) => ({ name, data: durableClient })),
        ],
        triggerMetadata: metadata,
      });
      running.set(invocationId, { name: target.name, done });
      try {
        return (await done).returnValue ?? null;
      } finally {
        running.delete(invocationId);
      }
    },
    async settle(limitMs) {
      const deadline = Date.now() + limitMs;
      while (running.size > 0 && Date.now() < deadline) {
        await within(Promise.allSettled([...running.values()].map((each) => each.done)), deadline - Date.now());
      }
      return [...running.values()].map((each) => each.name);
    },
  };
}

async function run(
  model: ProgrammingModel,
  log: HostLog,
  target: IndexedFunction,
  request: CoreInvocationContext['request'],
): Promise<InvocationResponse> {
  const { metadata, callback } = target.registered;
  const core: CoreInvocationContext = {
    invocationId: request.invocationId,
    request,
    metadata,
    state: 'preInvocationHooks',
    log: (level, _category, message) => log(level, target.name, message),
  };
  const invocation = model.getInvocationModel(core);
  const { context, inputs } = await invocation.getArguments();
  core.state = 'invocation';
  try {
    const result = await invocation.invokeFunction(context, inputs, callback);
    return await invocation.getResponse(context, result);
  } finally {
    core.state = 'postInvocationHooks';
  }
}

async function within(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
