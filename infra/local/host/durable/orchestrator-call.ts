import { z } from 'zod';
import type { IndexedFunction } from '../function-index.ts';
import { messageOf } from '../host-error.ts';
import type { Invoker } from '../invoker.ts';
import type { HistoryEvent } from './history.ts';
import { type OrchestratorResult, readFailure, readResult } from './orchestrator-result.ts';
import type { Instance } from './store.ts';

/**
 * Runs the orchestrator function once over the whole history: `past` was played before, `fresh` is new. What it throws, and what is no
 * answer of durable-functions, comes back as a failure.
 */
export async function callOrchestrator(
  invoker: Invoker,
  target: IndexedFunction,
  instance: Instance,
  past: readonly HistoryEvent[],
  fresh: readonly HistoryEvent[],
): Promise<OrchestratorResult> {
  const payload = {
    history: [
      ...past.map((event) => ({ ...event, IsPlayed: true })),
      ...fresh.map((event) => ({ ...event, IsPlayed: false })),
    ],
    input: instance.input === null ? null : JSON.parse(instance.input),
    instanceId: instance.id,
    isReplaying: past.length > 0,
    parentInstanceId: null,
    // Schema V4; the old field stays at V2 for old SDKs. The misspelt last name is the wire's.
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  };
  let json: string | undefined;
  try {
    json = (await invoker.invoke(target, { string: JSON.stringify(payload) }))?.json;
  } catch (error) {
    return readFailure(messageOf(error));
  }
  try {
    return readResult(JSON.parse(json ?? 'null'));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    return readFailure(`The handler's answer is not durable-functions' (register it with app.orchestration): ${why}`);
  }
}
