export { accountAnswer } from './account-answers.ts';
export type { Caller } from './caller.ts';
export { Callers } from './callers.ts';
export { EntraTokens } from './entra-tokens.ts';
export { openApiDocument } from './open-api.ts';
export { forbidden, type Problem, ProblemError, unauthenticated } from './problem.ts';
export { RateLimits } from './rate-limits.ts';
export { bearerOf, etagOf, firstIssue, readBody, readHeaders, revisionOfIfMatch } from './request.ts';
export { type Explain, type Front, type Gate, json, serve, serveAnyone, serveOptions } from './serve.ts';
