import { z } from 'zod';
import { withoutSecrets } from '#lib/identity';
import { PubSubError } from './pubsub-error.ts';

/** A service that asks for more, by mistake or malice, must not silence us for longer. */
const MAX_RETRY_AFTER_SECONDS = 3600;
const DEFAULT_RETRY_AFTER_SECONDS = 5;

/** What the SDK throws, by its shape: its package does not export the class. Without a status no answer came. */
const restError = z.object({
  name: z.literal('RestError'),
  message: z.string(),
  statusCode: z.number().optional(),
  response: z.object({ headers: z.custom<Headers>((given) => hasGet(given)) }).optional(),
});
type Headers = { get(name: string): string | undefined };

/** What an error of the SDK means; what is none of the service's comes back as it is. */
export function pubSubErrorOf(error: unknown, what: string): unknown {
  const rest = restError.safeParse(error);
  if (error instanceof PubSubError || !rest.success) return error;
  const { statusCode: status, message, response } = rest.data;
  const cause = withoutSecrets(error);
  const retryAfterSeconds = retryAfterOf(response?.headers.get('retry-after'));
  if (status === undefined) return new PubSubError('unreachable', `Web PubSub cannot be reached: ${what}.`, { cause });
  const answered = `Web PubSub answered ${status}: ${what}.`;
  if (status === 401) {
    const advice = "It does not take the credential: check the key, or the identity's tenant and the clock.";
    return new PubSubError('refused', `${answered} ${advice}`, { cause });
  }
  if (status === 403) return missingPermission(answered, dataActionIn(message), cause);
  if (status === 429) {
    const details = { cause, retryAfterSeconds: retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS };
    return new PubSubError('throttled', `${answered} It is asked too often.`, details);
  }
  if (status >= 500) return new PubSubError('unreachable', answered, { cause, retryAfterSeconds });
  return new PubSubError(status >= 400 ? 'refused' : 'bad_answer', answered, { cause });
}

function missingPermission(answered: string, dataAction: string | undefined, cause: Error): PubSubError {
  const what = dataAction === undefined ? 'a permission' : dataAction;
  const advice = `The identity lacks ${what}: assign it the role Web PubSub Service Owner, or open the service's network rules.`;
  return new PubSubError('permission', `${answered} ${advice}`, { cause, dataAction });
}

/** The service names what is missing in the text of its refusal. */
function dataActionIn(message: string): string | undefined {
  return /Microsoft\.SignalRService\/WebPubSub\/[A-Za-z]+(?:\/[A-Za-z]+){1,2}/i.exec(message)?.[0];
}

function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header)
    ? Math.min(Number(header), MAX_RETRY_AFTER_SECONDS)
    : undefined;
}

function hasGet(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'get') === 'function';
}
