/**
 * A history event as the Durable Functions extension sends it to durable-functions 3.5 (numbers and names are the wire's). `IsPlayed` is
 * not kept: it is set when the history is sent.
 */
export type HistoryEvent =
  | (Stamp & {
      readonly EventType: typeof eventType.executionStarted;
      readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
      readonly ParentInstance: null;
      readonly Name: string;
      readonly Version: string;
      /** JSON text. */
      readonly Input: string | null;
      readonly Tags: null;
    })
  | (Stamp & {
      readonly EventType: typeof eventType.taskScheduled;
      readonly Name: string;
      readonly Version: string;
      readonly Input: string;
    })
  | (Stamp & {
      readonly EventType: typeof eventType.taskCompleted;
      readonly TaskScheduledId: number;
      /** JSON text. */
      readonly Result: string | null;
    })
  | (Stamp & {
      readonly EventType: typeof eventType.taskFailed;
      readonly TaskScheduledId: number;
      readonly Reason: string;
      readonly Details: string;
    })
  | (Stamp & { readonly EventType: typeof eventType.timerCreated; readonly FireAt: string })
  | (Stamp & { readonly EventType: typeof eventType.timerFired; readonly TimerId: number; readonly FireAt: string })
  | (Stamp & { readonly EventType: typeof eventType.orchestratorStarted })
  | (Stamp & { readonly EventType: typeof eventType.orchestratorCompleted })
  | EventRaised;

export interface EventRaised extends Stamp {
  readonly EventType: typeof eventType.eventRaised;
  readonly Name: string;
  /** JSON text. */
  readonly Input: string;
}

interface Stamp {
  /** The task's sequence id for what the orchestrator scheduled, -1 for messages to it. */
  readonly EventId: number;
  /** ISO 8601. */
  readonly Timestamp: string;
}

export const eventType = {
  executionStarted: 0,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventRaised: 15,
} as const;
