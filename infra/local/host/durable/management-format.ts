import type { Instance, InstanceFilter } from './store.ts';

/** An instance as the management API shows it: every key is there, times are whole seconds. */
export function statusOf(instance: Instance, showInput: boolean): Readonly<Record<string, unknown>> {
  return {
    name: instance.name,
    instanceId: instance.id,
    runtimeStatus: instance.status,
    input: showInput ? jsonOrText(instance.input) : null,
    customStatus: jsonOrText(instance.customStatus),
    output: jsonOrText(instance.output),
    createdTime: wholeSeconds(instance.created),
    lastUpdatedTime: wholeSeconds(instance.updated),
  };
}

/** The filter of a query or a purge; `bad` for a time that is none. */
export function readFilter(url: URL): InstanceFilter | 'bad' {
  const query = url.searchParams;
  const createdFrom = readTime(query.get('createdTimeFrom'));
  const createdTo = readTime(query.get('createdTimeTo'));
  if (createdFrom === 'bad' || createdTo === 'bad') return 'bad';
  const statuses = query.getAll('runtimeStatus').flatMap((each) => each.split(','));
  const prefix = query.get('instanceIdPrefix') ?? undefined;
  return { prefix, createdFrom, createdTo, statuses: statuses.some((each) => each !== '') ? statuses : undefined };
}

/** A body as JSON text, null for an empty one, `bad` for what is no JSON. */
export function readJson(body: Buffer): string | null | 'bad' {
  const text = body.toString('utf8');
  if (text.trim() === '') return null;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return 'bad';
  }
}

export function isTrue(text: string | null): boolean {
  return text?.toLowerCase() === 'true';
}

function readTime(text: string | null): number | undefined | 'bad' {
  if (text === null || text === '') return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? 'bad' : time;
}

/** A terminate reason or a failure is plain text, and comes back as a string. */
function jsonOrText(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function wholeSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
