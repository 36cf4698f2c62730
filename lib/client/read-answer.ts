import type { z } from 'zod';
import { problem } from '#lib/api';
import { ClientError } from './client-error.ts';

/** What a successful answer holds. @throws ClientError `unexpected` */
export async function answerOf<Schema extends z.ZodType>(
  response: Response,
  schema: Schema,
): Promise<z.output<Schema>> {
  try {
    return schema.parse(await response.json());
  } catch (cause) {
    const { status } = response;
    throw new ClientError(
      'unexpected',
      `HTTP ${status} came with an answer that is none of the service's.`,
      { status },
      { cause },
    );
  }
}

/** The error that a refusal is. */
export async function problemOf(response: Response, question: string): Promise<ClientError> {
  const { status } = response;
  const said = problem.safeParse(await response.json().catch(() => undefined));
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(after) ? after : undefined;
  if (!said.success) {
    return new ClientError('unexpected', `${question} was answered with HTTP ${status}.`, {
      status,
      retryAfterSeconds,
    });
  }
  const { type, title, detail, field } = said.data;
  return new ClientError(type.replace(/^.*\//, ''), `${question}: ${title}. ${detail}`, {
    status,
    field,
    retryAfterSeconds,
  });
}
