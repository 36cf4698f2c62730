import type { IndexedFunction } from '../function-index.ts';
import type { HostLog } from '../host-log.ts';
import type { Invoker } from '../invoker.ts';
import { type EventRaised, eventType, type HistoryEvent } from './history.ts';
import { callOrchestrator } from './orchestrator-call.ts';
import type { OrchestratorResult } from './orchestrator-result.ts';
import { type Decision, type Outcome, type Replayed, replay } from './replay.ts';
import { type DurableStore, type Instance, liveStatuses, type Message, type QueuedActivity } from './store.ts';

export interface EpisodeParts {
  readonly store: DurableStore;
  readonly invoker: Invoker;
  readonly orchestrators: ReadonlyMap<string, IndexedFunction>;
  readonly activities: ReadonlyMap<string, IndexedFunction>;
  readonly log: HostLog;
  readonly now: () => number;
  readonly newId: () => string;
}

/** What the engine has to do after an episode. */
export interface EpisodeEffects {
  readonly activities: readonly QueuedActivity[];
  readonly timers: boolean;
  /** The instance continued as new: its next execution can begin. */
  readonly again: boolean;
}

const nothing: EpisodeEffects = { activities: [], timers: false, again: false };

/**
 * Runs one episode of an instance: feeds its due messages to the orchestrator and commits everything that follows in one transaction.
 * Killed before the commit, nothing has happened; an instance that was terminated or replaced meanwhile discards the episode.
 */
export async function runEpisode(parts: EpisodeParts, id: string): Promise<EpisodeEffects> {
  const { store, now } = parts;
  const instance = store.instance(id);
  if (instance?.status !== 'Pending' && instance?.status !== 'Running') return nothing;
  const past = store.history(id);
  const messages = store.dueMessages(id, now());
  const current = messages.filter(({ execution }) => execution === null || execution === instance.execution);
  if (past.length > 0 && current.length === 0) {
    if (messages.length > 0) store.removeMessages(messages);
    return nothing;
  }
  const time = new Date(now()).toISOString();
  const fresh: readonly HistoryEvent[] = [
    { EventType: eventType.orchestratorStarted, EventId: -1, Timestamp: time },
    ...(past.length === 0 ? firstEvents(instance, time) : []),
    ...current.map(({ event }) => event),
  ];
  const result = await answerOf(parts, instance, past, fresh);
  const replayed = refuseUnknownActivities(parts, replay([...past, ...fresh], result));
  return commit(parts, { instance, past, fresh, messages, result, replayed, time });
}

interface Played {
  readonly instance: Instance;
  readonly past: readonly HistoryEvent[];
  readonly fresh: readonly HistoryEvent[];
  readonly messages: readonly Message[];
  readonly result: OrchestratorResult;
  readonly replayed: Replayed;
  readonly time: string;
}

function commit(parts: EpisodeParts, played: Played): EpisodeEffects {
  const { store } = parts;
  const { instance, replayed } = played;
  return store.transaction(() => {
    const latest = store.instance(instance.id);
    if (!latest || latest.execution !== instance.execution || !liveStatuses.has(latest.status)) return nothing;
    store.removeMessages(played.messages);
    const { customStatus } = played.result;
    const updated: Instance = {
      ...latest,
      customStatus: customStatus === undefined ? latest.customStatus : JSON.stringify(customStatus),
      updated: parts.now(),
    };
    if (replayed.outcome.state === 'running') return goOn(store, updated, played);
    store.writeInstance(settle(parts, updated, replayed.outcome));
    return { ...nothing, again: replayed.outcome.state === 'continued' };
  });
}

function goOn(store: DurableStore, updated: Instance, played: Played): EpisodeEffects {
  const { past, fresh, time } = played;
  const { decisions } = played.replayed;
  const events: readonly HistoryEvent[] = [
    ...fresh,
    ...decisions.map((decision) => decisionEvent(decision, time)),
    { EventType: eventType.orchestratorCompleted, EventId: -1, Timestamp: time },
  ];
  store.appendHistory(updated.id, past.length, events);
  const queued: QueuedActivity[] = [];
  for (const decision of decisions) {
    if (decision.kind === 'activity') {
      const { id: task, name, input } = decision;
      queued.push({ instance: updated.id, execution: updated.execution, task, name, input: inputText(input) });
    } else {
      store.post(updated.id, updated.execution, decision.fireAt, timerFired(decision));
    }
  }
  for (const activity of queued) store.enqueue(activity);
  store.writeInstance({ ...updated, status: updated.status === 'Suspended' ? 'Suspended' : 'Running' });
  return { activities: queued, timers: decisions.length > queued.length, again: false };
}

/** Applies an end, or the end of an execution; history is dropped with it, so that rows stay few. */
function settle(parts: EpisodeParts, instance: Instance, outcome: Exclude<Outcome, { state: 'running' }>): Instance {
  const { store, log, newId } = parts;
  if (outcome.state === 'continued') {
    store.clearExecution(instance.id, instance.execution);
    return {
      ...instance,
      execution: newId(),
      input: jsonText(outcome.input),
      carried: JSON.stringify(outcome.carried),
    };
  }
  store.clear(instance.id);
  if (outcome.state === 'completed') return { ...instance, status: 'Completed', output: jsonText(outcome.output) };
  const output = `Orchestrator function '${instance.name}' failed: ${outcome.error}`;
  log('error', instance.name, `Instance ${instance.id}: ${output}`);
  return { ...instance, status: 'Failed', output };
}

async function answerOf(
  parts: EpisodeParts,
  instance: Instance,
  past: readonly HistoryEvent[],
  fresh: readonly HistoryEvent[],
): Promise<OrchestratorResult> {
  const target = parts.orchestrators.get(instance.name);
  if (target) return callOrchestrator(parts.invoker, target, instance, past, fresh);
  return { isDone: false, actions: [], error: `No orchestrator named "${instance.name}" is registered any more.` };
}

/** The real extension leaves such an instance Running for ever; here it fails at once and says why. */
function refuseUnknownActivities({ activities }: EpisodeParts, replayed: Replayed): Replayed {
  const unknown = replayed.decisions.find((each) => each.kind === 'activity' && !activities.has(each.name));
  if (unknown?.kind !== 'activity') return replayed;
  const known = [...activities.keys()].join(', ') || 'none';
  const error = `The activity function '${unknown.name}' is not registered. Registered activities: ${known}.`;
  return { decisions: [], outcome: { state: 'failed', error } };
}

function firstEvents(instance: Instance, time: string): HistoryEvent[] {
  const carried: EventRaised[] = JSON.parse(instance.carried);
  return [
    {
      EventType: eventType.executionStarted,
      EventId: -1,
      Timestamp: time,
      OrchestrationInstance: { InstanceId: instance.id, ExecutionId: instance.execution },
      ParentInstance: null,
      Name: instance.name,
      Version: '',
      Input: instance.input,
      Tags: null,
    },
    ...carried,
  ];
}

function decisionEvent(decision: Decision, time: string): HistoryEvent {
  const stamp = { EventId: decision.id, Timestamp: time };
  if (decision.kind === 'timer') {
    return { ...stamp, EventType: eventType.timerCreated, FireAt: new Date(decision.fireAt).toISOString() };
  }
  const Input = `[${jsonText(decision.input) ?? 'null'}]`;
  return { ...stamp, EventType: eventType.taskScheduled, Name: decision.name, Version: '', Input };
}

function timerFired(timer: Extract<Decision, { kind: 'timer' }>): HistoryEvent {
  const FireAt = new Date(timer.fireAt).toISOString();
  return { EventType: eventType.timerFired, EventId: -1, Timestamp: FireAt, TimerId: timer.id, FireAt };
}

/** durable-functions has made strings JSON text already; nothing and null reach the activity as nothing. */
function inputText(input: unknown): string | null {
  if (input === undefined || input === null) return null;
  return typeof input === 'string' ? input : JSON.stringify(input);
}

function jsonText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
