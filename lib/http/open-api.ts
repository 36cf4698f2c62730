import type { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { type Access, problem, type Route, routes } from '#lib/api';

/**
 * The OpenAPI 3.1 document of every route, with paths from the root, out of the very schemas that requests are checked with.
 * @param schemas further schemas by name, for what a body holds and its own folder checks
 */
export function openApiDocument(schemas: Readonly<Record<string, z.ZodType>>): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const [name, route] of Object.entries<Route>(routes)) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(name, route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Remote Rendering Functions',
      version: '1',
      description:
        'Tokens, uploads, pipelines, leases and revocations. Errors are RFC 9457 problems with a stable type.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { ...schemas },
      securitySchemes: {
        entra: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token of Microsoft Entra with an app role.',
        },
        accountKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'The account id, a colon and a key of the account.',
        },
        machineSecret: { type: 'http', scheme: 'bearer', description: "The secret of a session host's machine." },
      },
    },
  });
}

function operationOf(operationId: string, route: Route): ZodOpenApiOperationObject {
  const answers = Object.entries(route.answers).map(([status, { description, schema, headers }]) => [
    status,
    { description, ...(headers && { headers }), ...(schema && { content: { 'application/json': { schema } } }) },
  ]);
  const problems = problemsOf(route).map((status) => [
    String(status),
    {
      description: PROBLEMS[status] ?? 'A problem.',
      // The retired service's refusals had no body.
      ...(route.access.kind !== 'account' && { content: { 'application/problem+json': { schema: problem } } }),
    },
  ]);
  return {
    operationId,
    summary: route.summary,
    ...describeAccess(route.access),
    requestParams: {
      ...(route.parameters && { path: route.parameters }),
      ...(route.query && { query: route.query }),
      ...(route.headers && { header: route.headers }),
    },
    ...(route.body && {
      requestBody: {
        required: !route.body.safeParse(undefined).success,
        content: { 'application/json': { schema: route.body } },
      },
    }),
    responses: Object.fromEntries([...problems, ...answers]),
  };
}

function describeAccess(access: Access): Pick<ZodOpenApiOperationObject, 'description' | 'security'> {
  switch (access.kind) {
    case 'anyone':
      return { description: 'For anyone.', security: [] };
    case 'roles':
      return { description: `For callers with the app role ${access.roles.join(' or ')}.`, security: [{ entra: [] }] };
    case 'machine':
      return { description: "For the session's own machine.", security: [{ machineSecret: [] }] };
    case 'account':
      return {
        description: 'For a key of the account, or a caller with an app role. Refusals have no body.',
        security: [{ accountKey: [] }, { entra: [] }],
      };
  }
}

function problemsOf({ access, body, problems = [] }: Route): readonly number[] {
  if (access.kind === 'anyone') return problems;
  const role = access.kind === 'machine' ? [] : [403];
  const size = body === undefined ? [] : [413];
  return [...new Set([401, ...role, ...size, ...problems, 500, 503])].sort((one, other) => one - other);
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is not valid; `field` says where.',
  401: 'The caller is not known.',
  403: 'The caller may not do this.',
  404: 'There is no such thing, or none that the caller may know of.',
  409: 'It is in the way of what is there already.',
  412: 'The ETag is not the present one.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'It is understood and cannot be done.',
  428: 'If-Match is missing.',
  429: 'Too many requests; Retry-After says when to try again.',
  500: 'The service failed.',
  502: 'The STS elsewhere or Web PubSub refused, or gave what must not be passed on.',
  503: 'What is needed does not answer; try again.',
  504: 'Web PubSub did not answer in time; try again.',
};
