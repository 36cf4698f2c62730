import { eventType } from './history.ts';
import { type DurableStore, type Instance, type InstanceFilter, liveStatuses } from './store.ts';

/** What became of an order to an instance. `refused`: its state does not allow it. */
export type OrderResult = 'accepted' | 'missing' | 'terminal' | 'refused';

/** What clients may do with instances. Each call is one transaction: when it returns, it survives a kill. */
export interface Instances {
  /** `input` is JSON text. An instance that is at its end is replaced; one that is not is `refused`. */
  start(name: string, id: string, input: string | null): 'accepted' | 'refused';
  raise(id: string, name: string, input: string): OrderResult;
  terminate(id: string, reason: string): OrderResult;
  suspend(id: string): OrderResult;
  resume(id: string): OrderResult;
  /** Forgets instances that are at their end, and tells how many. */
  purge(filter: InstanceFilter): number;
  purgeOne(id: string): number | 'missing';
  get(id: string): Instance | undefined;
  list(filter: InstanceFilter): Instance[];
}

export interface InstancesParts {
  readonly store: DurableStore;
  readonly now: () => number;
  readonly newId: () => string;
  /** Asks for an episode of the instance. */
  readonly wake: (id: string) => void;
}

export function createInstances({ store, now, newId, wake }: InstancesParts): Instances {
  const order = (id: string, act: (instance: Instance) => OrderResult): OrderResult => {
    const result = store.transaction(() => {
      const instance = store.instance(id);
      if (!instance) return 'missing';
      return liveStatuses.has(instance.status) ? act(instance) : 'terminal';
    });
    if (result === 'accepted') wake(id);
    return result;
  };
  return {
    start: (name, id, input) => {
      const result = store.transaction(() => {
        const present = store.instance(id);
        if (present && liveStatuses.has(present.status)) return 'refused';
        store.clear(id);
        store.writeInstance(pendingInstance(name, id, input, newId(), now()));
        return 'accepted';
      });
      if (result === 'accepted') wake(id);
      return result;
    },
    raise: (id, name, input) =>
      order(id, () => {
        const Timestamp = new Date(now()).toISOString();
        store.post(id, null, 0, { EventType: eventType.eventRaised, EventId: -1, Timestamp, Name: name, Input: input });
        return 'accepted';
      }),
    terminate: (id, reason) =>
      order(id, (instance) => {
        store.clear(id);
        store.writeInstance({ ...instance, status: 'Terminated', output: reason, updated: now() });
        return 'accepted';
      }),
    suspend: (id) =>
      order(id, (instance) => {
        if (instance.status === 'Suspended') return 'refused';
        store.writeInstance({ ...instance, status: 'Suspended', updated: now() });
        return 'accepted';
      }),
    resume: (id) =>
      order(id, (instance) => {
        if (instance.status !== 'Suspended') return 'refused';
        store.writeInstance({ ...instance, status: 'Running', updated: now() });
        return 'accepted';
      }),
    purge: (filter) =>
      store.transaction(() => {
        const ended = store.instances(filter).filter((each) => !liveStatuses.has(each.status));
        for (const { id } of ended) store.deleteInstance(id);
        return ended.length;
      }),
    purgeOne: (id) =>
      store.transaction(() => {
        const instance = store.instance(id);
        if (!instance) return 'missing';
        if (liveStatuses.has(instance.status)) return 0;
        store.deleteInstance(id);
        return 1;
      }),
    get: (id) => store.instance(id),
    list: (filter) => store.instances(filter),
  };
}

function pendingInstance(name: string, id: string, input: string | null, execution: string, time: number): Instance {
  return {
    id,
    name,
    execution,
    status: 'Pending',
    input,
    customStatus: null,
    output: null,
    created: time,
    updated: time,
    carried: '[]',
  };
}
