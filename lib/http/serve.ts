import {
  app,
  type FunctionInput,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions';
import type { z } from 'zod';
import { type Access, type Route, type RouteName, routes } from '#lib/api';
import type { Caller } from './caller.ts';
import { type Callers, requireRole } from './callers.ts';
import { corsHeaders, preflight } from './cors.ts';
import { type Problem, ProblemError, problemResponse } from './problem.ts';
import type { RateLimits } from './rate-limits.ts';
import { checked, readBody } from './request.ts';

/** Turns what a handler threw into a problem; undefined for what is nobody's mistake but ours. */
export type Explain = (error: unknown) => Problem | undefined;

/** What every route stands on. */
export interface Front<Services extends Gate> {
  /** Origins whose pages may read the answers. */
  readonly allowedOrigins: () => readonly string[];
  readonly services: (context: InvocationContext) => Promise<Services>;
  /** What the host gives each invocation beside the request, as the durable client. */
  readonly inputs: readonly FunctionInput[];
  readonly explain: Explain;
}

/** What lets a request in. */
export interface Gate {
  readonly callers: Callers;
  readonly limits: RateLimits;
}

type Part<R extends Route, Name extends 'body' | 'query' | 'parameters'> = R[Name] extends z.ZodType
  ? z.output<R[Name]>
  : undefined;
type CallerOf<A extends Access> = A extends { readonly kind: 'roles' } ? Caller : undefined;

/** A request that has passed all that its route asks before existence: caller, role, rate, parameters, query and body. */
export interface Call<R extends Route, Services> {
  readonly caller: CallerOf<R['access']>;
  readonly parameters: Part<R, 'parameters'>;
  readonly query: Part<R, 'query'>;
  /** Undefined for a machine: the handler reads it once it knows who speaks. */
  readonly body: R['access'] extends { readonly kind: 'machine' } ? undefined : Part<R, 'body'>;
  readonly services: Services;
  readonly request: HttpRequest;
  readonly context: InvocationContext;
}

/**
 * Registers a route's function. Whatever its handler does, every request is answered: with a problem for what is known, and for the rest
 * with a 500 that says nothing of the inside, which goes to the log instead.
 */
export function serve<Name extends RouteName, Services extends Gate>(
  name: Name,
  front: Front<Services>,
  handle: (call: Call<(typeof routes)[Name], Services>) => Promise<HttpResponseInit>,
): void {
  const route: Route = routes[name];
  register(name, route, front.inputs, async (request, context) => {
    const answer = await answerOf(request, context, front.explain, async () => {
      const services = await front.services(context);
      const caller = route.access.kind === 'roles' ? await services.callers.identify(request) : undefined;
      if (caller !== undefined && route.access.kind === 'roles') requireRole(caller, route.access.roles);
      if (caller !== undefined && route.limited) services.limits.take(caller.subject);
      const parts = await partsOf(request, route);
      // The parts are what the route's own schemas made of them, which is what their types say.
      return handle({ caller, ...parts, services, request, context } as Call<(typeof routes)[Name], Services>);
    });
    return withCors(answer, request, front.allowedOrigins);
  });
}

/** Registers a route that anyone may call, and that answers whether or not the app's parts do. */
export function serveAnyone(
  name: RouteName,
  front: Omit<Front<Gate>, 'services'>,
  handle: (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>,
): void {
  register(name, routes[name], front.inputs, async (request, context) => {
    const answer = await answerOf(request, context, front.explain, () => handle(request, context));
    return withCors(answer, request, front.allowedOrigins);
  });
}

/**
 * Registers what answers `OPTIONS` of every path: browsers ask which pages may call, and whoever sends to a webhook whether it may
 * (CloudEvents HTTP Web Hook, 4). One function for both, since hosts do not all prefer the narrower of two routes.
 * @param allow gives the origin that may send, out of those that ask, or throws
 */
export function serveOptions<Services extends Gate>(
  webhook: RouteName,
  front: Front<Services>,
  allow: (services: Services, origins: string) => string,
): void {
  app.http('preflight-options', {
    route: '{*path}',
    methods: ['OPTIONS'],
    authLevel: 'anonymous',
    handler: async (request, context) => {
      const origins = request.headers.get('webhook-request-origin');
      const isWebhook = new URL(request.url).pathname.toLowerCase() === routes[webhook].path;
      if (origins === null || !isWebhook) return preflight(request, front.allowedOrigins());
      return await answerOf(request, context, front.explain, async () => ({
        status: 200,
        headers: { 'WebHook-Allowed-Origin': allow(await front.services(context), origins) },
      }));
    },
  });
}

/** A JSON answer; answers about records are never cached. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponseInit {
  return { status, headers: { 'Cache-Control': 'no-store', ...headers }, jsonBody: body };
}

function register(
  name: RouteName,
  { method, path, access }: Route,
  inputs: readonly FunctionInput[],
  handler: (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>,
): void {
  app.http(name, {
    route: path.slice(1),
    methods: access.kind === 'anyone' ? [method, 'HEAD'] : [method],
    authLevel: 'anonymous',
    extraInputs: [...inputs],
    handler,
  });
}

async function partsOf(request: HttpRequest, { parameters, query, headers, body, access }: Route) {
  const given = Object.fromEntries(request.query);
  const shape: Readonly<Record<string, z.ZodType>> = headers?.shape ?? {};
  for (const [name, schema] of Object.entries(shape)) {
    const value = request.headers.get(name);
    // Their absence is for the route to answer: a precondition has a status of its own.
    if (value !== null) checked(schema, value, name);
  }
  return {
    parameters: parameters && checked(parameters, request.params, 'path'),
    query: query && checked(query, given, 'query'),
    body: body && access.kind !== 'machine' ? await readBody(request, body) : undefined,
  };
}

async function answerOf(
  request: HttpRequest,
  context: InvocationContext,
  explain: Explain,
  handle: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  try {
    return await handle();
  } catch (error) {
    const problem = error instanceof ProblemError ? error.problem : explain(error);
    if (problem !== undefined && problem.status < 500) return problemResponse(problem);
    context.error(`${request.method} ${new URL(request.url).pathname} failed.`, error);
    return problemResponse(
      problem ?? {
        status: 500,
        type: 'internal-error',
        title: 'The service failed',
        detail: `Try again; if it stays, the log has the cause under the invocation ${context.invocationId}.`,
      },
    );
  }
}

function withCors(
  answer: HttpResponseInit,
  request: HttpRequest,
  allowedOrigins: () => readonly string[],
): HttpResponseInit {
  const headers = { 'X-Content-Type-Options': 'nosniff', ...corsHeaders(request, allowedOrigins()) };
  return { ...answer, headers: { ...headers, ...answer.headers } };
}
