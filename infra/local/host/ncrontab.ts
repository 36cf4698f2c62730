/** A six-field NCRONTAB schedule: second, minute, hour, day, month, day of week, in UTC. */
export interface Schedule {
  readonly text: string;
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
}

interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const monthNames = 'january february march april may june july august september october november december'.split(' ');
const weekdayNames = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

const fields = {
  second: { name: 'second', low: 0, high: 59 },
  minute: { name: 'minute', low: 0, high: 59 },
  hour: { name: 'hour', low: 0, high: 23 },
  day: { name: 'day', low: 1, high: 31 },
  month: { name: 'month', low: 1, high: 12, names: monthNames },
  weekday: { name: 'day of week', low: 0, high: 6, names: weekdayNames },
} satisfies Record<string, Field>;

const dayMs = 86_400_000;
/** 29 February on a given weekday comes round within 40 years, also across 2100. */
const searchedDays = 41 * 366;

/** Parses as NCrontab does: lists, ranges, steps, names by prefix; a day must satisfy both day fields. Throws on anything else. */
export function parseNcrontab(text: string): Schedule {
  const parts = text.trim().split(/\s+/);
  const [second, minute, hour, day, month, weekday] = parts;
  if (parts.length !== 6 || !second || !minute || !hour || !day || !month || !weekday) {
    throw new Error(`Schedule "${text}" needs six fields: {second} {minute} {hour} {day} {month} {day of week}.`);
  }
  return {
    text,
    seconds: parseField(second, fields.second),
    minutes: parseField(minute, fields.minute),
    hours: parseField(hour, fields.hour),
    days: new Set(parseField(day, fields.day)),
    months: new Set(parseField(month, fields.month)),
    weekdays: new Set(parseField(weekday, fields.weekday)),
  };
}

/** The first occurrence strictly after `after` (both in ms since 1970), or undefined where there is none (30 February). */
export function nextOccurrence(schedule: Schedule, after: number): number | undefined {
  const earliest = Math.floor(after / 1000) * 1000 + 1000;
  const firstDay = Math.floor(earliest / dayMs) * dayMs;
  for (let index = 0; index < searchedDays; index += 1) {
    const day = firstDay + index * dayMs;
    if (!fitsDay(schedule, day)) continue;
    const within = firstTimeOfDay(schedule, Math.max(0, earliest - day) / 1000);
    if (within !== undefined) return day + within * 1000;
  }
  return undefined;
}

function fitsDay(schedule: Schedule, day: number): boolean {
  const date = new Date(day);
  return (
    schedule.months.has(date.getUTCMonth() + 1) &&
    schedule.days.has(date.getUTCDate()) &&
    schedule.weekdays.has(date.getUTCDay())
  );
}

/** The first second of the day, at or after `from`, that the time fields allow. */
function firstTimeOfDay(schedule: Schedule, from: number): number | undefined {
  for (const hour of schedule.hours) {
    if (hour * 3600 + 3599 < from) continue;
    for (const minute of schedule.minutes) {
      const start = hour * 3600 + minute * 60;
      const second = start + 59 < from ? undefined : schedule.seconds.find((each) => start + each >= from);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}

function parseField(text: string, field: Field): readonly number[] {
  const values = text.split(',').flatMap((part) => parsePart(part, field));
  return [...new Set(values)].sort((one, other) => one - other);
}

function parsePart(part: string, field: Field): number[] {
  const [range = '', step, ...rest] = part.split('/');
  const every = step === undefined ? 1 : Number(step);
  if (rest.length > 0 || !Number.isInteger(every) || every < 1 || (step !== undefined && !/^\d+$/.test(step))) {
    throw invalid(part, field);
  }
  const { first, last } = parseRange(range, step !== undefined, part, field);
  const values: number[] = [];
  for (let value = first; value <= last; value += every) values.push(value);
  return values;
}

function parseRange(range: string, stepped: boolean, part: string, field: Field): { first: number; last: number } {
  if (range === '*') return { first: field.low, last: field.high };
  const [from = '', to, ...rest] = range.split('-');
  const first = parseValue(from, part, field);
  const last = to === undefined ? (stepped ? field.high : first) : parseValue(to, part, field);
  if (rest.length > 0 || last < first) throw invalid(part, field);
  return { first, last };
}

function parseValue(text: string, part: string, field: Field): number {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    if (value >= field.low && value <= field.high) return value;
  } else if (text !== '') {
    const index = field.names?.findIndex((name) => name.startsWith(text.toLowerCase())) ?? -1;
    if (index >= 0) return index + field.low;
  }
  throw invalid(part, field);
}

function invalid(part: string, field: Field): Error {
  return new Error(`"${part}" is not a ${field.name} of a schedule (${field.low} to ${field.high}).`);
}
