export type { Problem } from './problem.ts';
export { bearerOf, etagOf, firstIssue, readBody, readJsonBody, revisionOfIfMatch } from './request.ts';
export { type Explain, json, respond } from './route.ts';
