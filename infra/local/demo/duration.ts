import { UsageError } from '../arguments.ts';

/**
 * Seconds of an ISO 8601 duration of days, hours, minutes and whole seconds, such as PT30S or PT1H15M.
 * @throws UsageError for anything else, and for nothing at all
 */
export function parseDuration(text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i.exec(text);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = (match?.slice(1) ?? []).map((part) => Number(part ?? 0));
  const total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  if (total > 0 && Number.isSafeInteger(total)) return total;
  throw new UsageError(`"${text}" is no ISO 8601 duration above zero, such as PT30S, PT5M or PT1H15M.`);
}
