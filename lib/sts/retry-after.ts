/** An STS that asks for more, by mistake or malice, must not silence us for longer. */
const MAX_SECONDS = 3600;
/** The one form of HTTP-date that is sent today (RFC 9110, section 5.6.7). */
const imfFixdate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** The seconds that a Retry-After header asks for, at most an hour; undefined where there is none to be read (RFC 9110, 10.2.3). */
export function parseRetryAfter(header: string | null, now: Date): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text), MAX_SECONDS);
  if (!imfFixdate.test(text)) return undefined;
  const seconds = Math.ceil((Date.parse(text) - now.getTime()) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_SECONDS);
}
