import { z } from 'zod';

/** What an orchestrator's invocation says: every action since the start of this execution, and whether it is at its end. */
export interface OrchestratorResult {
  readonly isDone: boolean;
  readonly actions: readonly Action[];
  readonly output?: unknown;
  readonly error?: string | undefined;
  readonly customStatus?: unknown;
}

export type Action =
  | { readonly kind: 'activity'; readonly name: string; readonly input: unknown; readonly retry?: RetryOptions }
  | { readonly kind: 'timer'; readonly fireAt: number; readonly canceled: boolean }
  | { readonly kind: 'event'; readonly name: string }
  | { readonly kind: 'any' | 'all'; readonly actions: readonly Action[] }
  | { readonly kind: 'continue-as-new'; readonly input: unknown }
  | { readonly kind: 'unsupported'; readonly what: string };

export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number | undefined;
  readonly maxRetryIntervalInMilliseconds?: number | undefined;
}

/** Reads the value that an orchestrator returned. Throws a ZodError where it is none of durable-functions'. */
export function readResult(value: unknown): OrchestratorResult {
  const parsed = resultSchema.parse(value);
  return { ...parsed, actions: parsed.actions.flat() };
}

/** Reads what an orchestrator threw: durable-functions appends its state to the message, anything else is a failure by itself. */
export function readFailure(message: string): OrchestratorResult {
  const start = message.indexOf(marker);
  if (start >= 0) {
    const result = readResult(JSON.parse(message.slice(start + marker.length)));
    if (result.error !== undefined) return result;
  }
  return { isDone: false, actions: [], error: message };
}

const marker = '\n\n$OutOfProcData$:';

const retrySchema = z.object({
  firstRetryIntervalInMilliseconds: z.number().positive(),
  maxNumberOfAttempts: z.number().int().positive(),
  backoffCoefficient: z.number().optional(),
  maxRetryIntervalInMilliseconds: z.number().optional(),
  retryTimeoutInMilliseconds: z.number().optional(),
});

const unsupported: Readonly<Record<number, string>> = {
  2: 'sub-orchestrations',
  3: 'sub-orchestrations',
  7: 'entities',
  8: 'callHttp',
  9: 'entities',
  10: 'entities',
  13: 'entity locks',
  14: 'entity locks',
};

const leafSchema = z.union([
  z
    .object({ actionType: z.literal(0), functionName: z.string(), input: z.unknown().optional() })
    .transform((raw): Action => ({ kind: 'activity', name: raw.functionName, input: raw.input })),
  z
    .object({
      actionType: z.literal(1),
      functionName: z.string(),
      input: z.unknown().optional(),
      retryOptions: retrySchema,
    })
    .transform((raw): Action => {
      // In Azure the .NET half gives up at the time-out while the JavaScript half waits for ever.
      if (raw.retryOptions.retryTimeoutInMilliseconds !== undefined) {
        return { kind: 'unsupported', what: 'retryTimeoutInMilliseconds' };
      }
      return { kind: 'activity', name: raw.functionName, input: raw.input, retry: raw.retryOptions };
    }),
  z
    .object({ actionType: z.literal(4), input: z.unknown().optional() })
    .transform((raw): Action => ({ kind: 'continue-as-new', input: raw.input })),
  z
    .object({ actionType: z.literal(5), fireAt: z.coerce.date(), isCanceled: z.boolean() })
    .transform((raw): Action => ({ kind: 'timer', fireAt: raw.fireAt.getTime(), canceled: raw.isCanceled })),
  z
    .object({ actionType: z.literal(6), externalEventName: z.string() })
    .transform((raw): Action => ({ kind: 'event', name: raw.externalEventName })),
  z
    .object({ actionType: z.number().refine((type) => type !== 11 && type !== 12) })
    .transform(
      (raw): Action => ({ kind: 'unsupported', what: unsupported[raw.actionType] ?? `action ${raw.actionType}` }),
    ),
]);

const actionSchema: z.ZodType<Action> = z.union([
  z
    .object({ actionType: z.literal([11, 12]), compoundActions: z.array(z.lazy(() => actionSchema)) })
    .transform((raw): Action => ({ kind: raw.actionType === 11 ? 'any' : 'all', actions: raw.compoundActions })),
  leafSchema,
]);

const resultSchema = z.object({
  isDone: z.boolean(),
  actions: z.array(z.array(actionSchema)),
  output: z.unknown().optional(),
  error: z.string().optional(),
  customStatus: z.unknown().optional(),
});
