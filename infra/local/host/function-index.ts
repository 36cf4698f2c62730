import { z } from 'zod';
import type { RegisteredFunction } from './functions-core.ts';
import { HostError, messageOf } from './host-error.ts';
import { nextOccurrence, parseNcrontab, type Schedule } from './ncrontab.ts';
import { compareRoutes, parseRoute, type RouteTemplate, routeShape } from './routes.ts';
import type { Binding } from './rpc.ts';

/** The app's functions by what triggers them. */
export interface FunctionIndex {
  /** Most specific route first. */
  readonly http: readonly HttpFunction[];
  readonly timers: readonly TimerFunction[];
  readonly eventGrid: ReadonlyMap<string, IndexedFunction>;
  readonly orchestrators: ReadonlyMap<string, IndexedFunction>;
  readonly activities: ReadonlyMap<string, IndexedFunction>;
}

export interface IndexedFunction {
  readonly name: string;
  readonly registered: RegisteredFunction;
  /** Name of the binding that carries the trigger's data. */
  readonly trigger: string;
  readonly durableClients: readonly string[];
}

export interface HttpFunction extends IndexedFunction {
  readonly methods: ReadonlySet<string>;
  readonly route: RouteTemplate;
}

export interface TimerFunction extends IndexedFunction {
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  /** Whether a missed occurrence is noticed across restarts; Azure does so from one minute between occurrences. */
  readonly monitored: boolean;
}

interface Described extends IndexedFunction {
  readonly binding: Binding;
}

const httpTrigger = z.object({ route: z.string().optional(), methods: z.array(z.string()).min(1) });
const timerTrigger = z.object({
  schedule: z.string(),
  runOnStartup: z.boolean().optional(),
  useMonitor: z.boolean().optional(),
});

/**
 * Sorts the registered functions by trigger. `settings` resolve `%NAME%` in schedules. Throws HostError, naming every fault found:
 * names that clash, routes that clash, triggers and bindings that this host does not serve.
 */
export function indexFunctions(
  registered: readonly RegisteredFunction[],
  options: { readonly routePrefix: string; readonly settings: Readonly<Record<string, string | undefined>> },
): FunctionIndex {
  const described = collect(registered, describe);
  checkNames(described);
  const ofType = (type: string) => described.filter((each) => each.binding.type.toLowerCase() === type.toLowerCase());
  const http = collect(ofType('httpTrigger'), (each) => httpFunction(each, options.routePrefix));
  checkRoutes(http);
  return {
    http: http.toSorted((one, other) => compareRoutes(one.route, other.route)),
    timers: collect(ofType('timerTrigger'), (each) => timerFunction(each, options.settings)),
    eventGrid: byName(ofType('eventGridTrigger')),
    orchestrators: byName(ofType('orchestrationTrigger')),
    activities: byName(ofType('activityTrigger')),
  };
}

const servedTriggers = /^(httpTrigger|timerTrigger|eventGridTrigger|orchestrationTrigger|activityTrigger)$/i;

function describe(registered: RegisteredFunction): Described {
  const { name, bindings, retryOptions } = registered.metadata;
  if (!/^[A-Za-z][\w-]{0,127}$/.test(name)) {
    throw new HostError('unsupported', `Function name "${name}": a letter, then at most 127 letters, digits, - or _.`);
  }
  if (retryOptions) throw new HostError('unsupported', `Function "${name}": the embedded host has no retry policies.`);
  let trigger: { name: string; binding: Binding } | undefined;
  const durableClients: string[] = [];
  for (const [bindingName, binding] of Object.entries(bindings)) {
    if (servedTriggers.test(binding.type)) trigger = { name: bindingName, binding };
    else if (binding.type === 'durableClient') durableClients.push(bindingName);
    else if (binding.type !== 'http' || bindingName !== '$return') {
      const message = `Function "${name}": the embedded host does not serve binding type "${binding.type}".`;
      throw new HostError('unsupported', message);
    }
  }
  if (!trigger) throw new HostError('unsupported', `Function "${name}" has no trigger.`);
  return { name, registered, trigger: trigger.name, durableClients, binding: trigger.binding };
}

function httpFunction(described: Described, routePrefix: string): HttpFunction {
  const { route, methods } = httpTrigger.parse(described.binding);
  return {
    ...described,
    methods: new Set(methods.map((method) => method.toUpperCase())),
    route: parseRoute(`${routePrefix}/${route ?? described.name}`),
  };
}

function timerFunction(described: Described, settings: Readonly<Record<string, string | undefined>>): TimerFunction {
  const { name } = described;
  const options = timerTrigger.parse(described.binding);
  const schedule = readSchedule(name, options.schedule, settings);
  const first = nextOccurrence(schedule, 0);
  const second = first === undefined ? undefined : nextOccurrence(schedule, first);
  if (first === undefined || second === undefined) {
    throw new HostError('bad-configuration', `Timer "${name}": schedule "${schedule.text}" never occurs.`);
  }
  return {
    ...described,
    schedule,
    runOnStartup: options.runOnStartup ?? false,
    monitored: options.useMonitor !== false && second - first >= 60_000,
  };
}

function readSchedule(name: string, text: string, settings: Readonly<Record<string, string | undefined>>): Schedule {
  const resolved = text.replaceAll(/%([^%]+)%/g, (_, setting: string) => {
    const value = settings[setting];
    if (value === undefined)
      throw new HostError('bad-configuration', `Timer "${name}": setting ${setting} is not set.`);
    return value;
  });
  try {
    return parseNcrontab(resolved);
  } catch (error) {
    throw new HostError('bad-configuration', `Timer "${name}": ${messageOf(error)}`, { cause: error });
  }
}

function checkNames(functions: readonly IndexedFunction[]): void {
  const seen = new Map<string, string>();
  for (const { name } of functions) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new HostError('conflict', `Functions "${other}" and "${name}" differ in case only: rename one.`);
    }
    seen.set(name.toLowerCase(), name);
  }
}

function checkRoutes(functions: readonly HttpFunction[]): void {
  const seen = new Map<string, string>();
  for (const { name, methods, route } of functions) {
    for (const method of methods) {
      const key = `${method} ${routeShape(route)}`;
      const other = seen.get(key);
      if (other !== undefined) {
        throw new HostError('conflict', `Functions "${other}" and "${name}" both answer ${method} /${route.text}.`);
      }
      seen.set(key, name);
    }
  }
}

function byName(functions: readonly IndexedFunction[]): ReadonlyMap<string, IndexedFunction> {
  return new Map(functions.map((each) => [each.name, each]));
}

/** Maps all items before it throws, so that one start names every fault. */
function collect<T, R>(items: readonly T[], map: (item: T) => R): R[] {
  const results: R[] = [];
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      results.push(map(item));
    } catch (error) {
      errors.push(error);
    }
  }
  const [first, ...more] = errors;
  if (more.length > 0) throw new HostError('unsupported', errors.map(messageOf).join('\n'), { cause: first });
  if (first !== undefined) throw first;
  return results;
}
