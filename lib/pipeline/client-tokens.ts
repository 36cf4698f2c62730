import { type ClientTokenAnswer, type ClientTokenBody, type ClientTokenQuery, ROLES } from '#lib/api';
import type { Caller } from '#lib/http';
import { ADMINISTRATORS, CLIENTS, groupOfJoinRole, isRole, joinRole, type PubSub, pipelineGroup } from '#lib/pubsub';
import { readablePipeline } from './access.ts';
import { noLiveEvents } from './no-live-events.ts';
import type { PipelineParts } from './parts.ts';
import { PipelineError } from './pipeline-error.ts';

export interface LiveParts extends Pick<PipelineParts, 'config' | 'pipelines'> {
  /** Undefined where the settings name no Web PubSub. */
  readonly pubsub: PubSub | undefined;
}

const DEFAULT_MINUTES = 60;

/**
 * A Web PubSub client token for a caller. Its user is the caller. It is in the group `administrators` or `clients`, by the caller's widest
 * role, and in those of the pipelines that are asked for; it may join and leave these, or those of the roles that are asked for, and
 * send to none. A pipeline that the caller may not know of is not there, in the same words as elsewhere.
 * @throws ProblemError 503; PipelineError `invalid`, `forbidden`, `not_found`; PubSubError
 */
export async function clientTokenFor(
  parts: LiveParts,
  caller: Caller,
  { minutes, pipelines = [], roles: wanted }: ClientTokenBody,
): Promise<ClientTokenAnswer> {
  const { pubsub, config } = parts;
  if (pubsub === undefined) throw noLiveEvents();
  checkMinutes(config, minutes, 'minutes');
  await Promise.all(pipelines.map((id) => readablePipeline(parts, caller, id)));
  const isAdministrator = caller.roles.includes(ROLES.administrator);
  const groups = [isAdministrator ? ADMINISTRATORS : CLIENTS, ...pipelines.map(pipelineGroup)];
  const roles = wanted ?? groups.map(joinRole);
  // What every Client may hear, an Administrator may.
  const joinable = [...groups, CLIENTS];
  await Promise.all(roles.map((role) => checkRole(parts, caller, role, joinable)));

  const userId = caller.subject;
  const request = {
    userId,
    minutes: minutes ?? Math.min(DEFAULT_MINUTES, config.CLIENT_TOKEN_MAX_MINUTES),
    groups,
    roles,
  };
  const { token, url, baseUrl, expiresOn } = await pubsub.tokens.issue(request);
  return { url, baseUrl, token, expiresOn: expiresOn.toISOString(), hub: config.WEB_PUBSUB_HUB, userId, roles, groups };
}

/**
 * The same, asked for in the shape of the Web PubSub AAD design spec.
 * @throws as clientTokenFor; PipelineError `forbidden` for another user, `not_found` for another hub
 */
export async function clientAccessTokenFor(
  parts: LiveParts,
  caller: Caller,
  { hub, userId, roles, ttl }: ClientTokenQuery,
): Promise<string> {
  if (parts.pubsub === undefined) throw noLiveEvents();
  checkMinutes(parts.config, ttl, 'ttl');
  if (userId !== undefined && userId !== caller.subject) {
    throw new PipelineError('forbidden', "A client token's user is its caller.", 'userId');
  }
  // The service does not tell hubs apart by case.
  if (hub !== undefined && hub.toLowerCase() !== parts.config.WEB_PUBSUB_HUB.toLowerCase()) {
    throw new PipelineError('not_found', `Live events go through the hub ${parts.config.WEB_PUBSUB_HUB} alone.`, 'hub');
  }
  return (await clientTokenFor(parts, caller, { minutes: ttl, roles })).token;
}

function checkMinutes(
  { CLIENT_TOKEN_MAX_MINUTES: max }: LiveParts['config'],
  minutes: number | undefined,
  field: string,
) {
  if (minutes === undefined || minutes <= max) return;
  const detail = `A client token is good for 1 to ${max} minutes (CLIENT_TOKEN_MAX_MINUTES).`;
  throw new PipelineError('invalid', detail, field);
}

/** A caller may join what is `joinable`, and the groups of pipelines that they may read; nothing else, and nothing wider. */
async function checkRole(parts: LiveParts, caller: Caller, role: string, joinable: readonly string[]): Promise<void> {
  if (!isRole(role)) {
    const detail = 'A role is none of Web PubSub, as webpubsub.joinLeaveGroup.{group} is.';
    throw new PipelineError('invalid', detail, 'roles');
  }
  const group = groupOfJoinRole(role);
  if (group !== undefined && joinable.includes(group)) return;
  const pipeline = group?.startsWith(pipelineGroup('')) ? group.slice(pipelineGroup('').length) : undefined;
  if (pipeline === undefined) {
    throw new PipelineError('forbidden', `The role ${role} is given to nobody here, or not to this caller.`, 'roles');
  }
  await readablePipeline(parts, caller, pipeline);
}
