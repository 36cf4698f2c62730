import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { invalidRequest, ProblemError } from './problem.ts';

/** Bodies of our own routes are a few fields; a larger one is refused before it is parsed. */
const MAX_BODY_BYTES = 65_536;

/**
 * The request's JSON body.
 * @throws ProblemError 400, 413, and 415 without `Content-Type: application/json`: with it a page of another origin must ask the browser's
 * leave first, and never gets it
 */
export async function readJsonBody(request: HttpRequest): Promise<unknown> {
  if (!/^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i.test(request.headers.get('content-type') ?? '')) {
    throw new ProblemError({
      status: 415,
      type: 'unsupported-media-type',
      title: 'The body is not JSON',
      detail: 'Send the body as JSON, with Content-Type: application/json.',
      field: 'Content-Type',
    });
  }
  const text = await request.text();
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) {
    throw new ProblemError({
      status: 413,
      type: 'body-too-large',
      title: 'The body is too large',
      detail: `The body may have ${MAX_BODY_BYTES} bytes.`,
      field: 'body',
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest('body', 'The body is not JSON. Send a JSON object, with Content-Type: application/json.');
  }
}

/** The request's JSON body as the schema has it. @throws ProblemError as readJsonBody, and 400 naming the field */
export async function readBody<Schema extends z.ZodType>(
  request: HttpRequest,
  schema: Schema,
): Promise<z.output<Schema>> {
  // A body that may be left out needs no media type either.
  const absent = request.body === null && schema.safeParse(undefined).success;
  return checked(schema, absent ? undefined : await readJsonBody(request), 'body');
}

/** What a schema makes of a part of the request. @throws ProblemError 400 naming the field */
export function checked<Schema extends z.ZodType>(schema: Schema, given: unknown, part: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { field, message } = firstIssue(parsed.error);
  throw invalidRequest(field ?? part, message);
}

/** The request's headers as the schema names them. @throws ProblemError 400 naming the header that is missing or wrong */
export function readHeaders<Schema extends z.ZodObject>(request: HttpRequest, schema: Schema): z.output<Schema> {
  const names = Object.keys(schema.shape);
  const given = names.map((name) => [name, request.headers.get(name) ?? undefined] as const);
  return checked(schema, Object.fromEntries(given), 'headers');
}

/** The first thing that a schema finds wrong, by the field that it is wrong with; no field where it is the whole. */
export function firstIssue({ issues }: z.core.$ZodError): {
  readonly field: string | undefined;
  readonly message: string;
} {
  const [issue] = issues;
  if (issue === undefined) return { field: undefined, message: 'is not what this route takes' };
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  return { field: [...issue.path, ...unknown].join('.') || undefined, message: issue.message };
}

/** The secret of an `Authorization: Bearer` header, undefined where there is none. */
export function bearerOf(request: HttpRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

/**
 * The revision in an If-Match header that holds one of our ETags.
 * @throws ProblemError 428 where it is missing, 412 where it is no ETag that we ever gave
 */
export function revisionOfIfMatch(request: HttpRequest): number {
  const header = request.headers.get('if-match');
  if (header === null) {
    throw new ProblemError({
      status: 428,
      type: 'if-match-required',
      title: 'If-Match is required',
      detail: 'Read the lease first and send its ETag as If-Match, so that two renewals cannot meet unseen.',
      field: 'If-Match',
    });
  }
  const revision = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (revision !== undefined) return Number(revision);
  throw new ProblemError({
    status: 412,
    type: 'stale',
    title: 'The lease has changed',
    detail: "If-Match is not the lease's present ETag. Read the lease and try again.",
    field: 'If-Match',
  });
}

export function etagOf(revision: number): string {
  return `"${revision}"`;
}
