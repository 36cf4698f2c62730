import { odata, type WebPubSubGroupMember, type WebPubSubServiceClient } from '@azure/web-pubsub';
import type { LiveEvent } from '#lib/api';
import { ADMINISTRATORS, CLIENTS, isUserId, pipelineGroup } from './names.ts';
import { PubSubError } from './pubsub-error.ts';
import { ask, type Service } from './service.ts';

/** Who hears of a record: whoever may read its pipeline. */
export interface Audience {
  readonly pipelineId: string;
  readonly owner: string;
  /** User ids; `clients` among them stands for every Client. */
  readonly readers: readonly string[];
  /** Set where the pipeline's group may still hold somebody who was taken off the readers: then it counts for nothing. */
  readonly groupIsStale?: boolean;
  /** User ids that hear nothing, whatever groups they are in: they may be back with an old token for a moment. */
  readonly keptOut?: readonly string[];
}

export interface LiveEvents {
  /**
   * Sends an event to the pipeline's group, the Administrators, the owner and the readers, to each connection once. It is over within a
   * second. Where it throws, some may have got it: sending it again is safe, since it keeps its id.
   * @throws PubSubError
   */
  publish(event: LiveEvent, audience: Audience, signal?: AbortSignal): Promise<void>;
  /**
   * Sends an event again, unchanged, to those of some connections that are of its audience; to all of its audience for `everyone`. One
   * request after another.
   * @throws PubSubError
   */
  repeat(
    event: LiveEvent,
    audience: Audience,
    connectionIds: readonly string[] | 'everyone',
    signal: AbortSignal,
  ): Promise<void>;
  /** Closes every connection of a user. A client whose token still lives can come back with it. @throws PubSubError */
  closeUser(subject: string, reason: string): Promise<void>;
  /**
   * Takes every connection of a user out of the group of a pipeline, and the permission to join it again from those that were in it.
   * @throws PubSubError
   */
  dropReader(subject: string, pipelineId: string): Promise<void>;
  /** The same for everybody in the group of a pipeline who is neither of its audience nor an Administrator. @throws PubSubError */
  dropOthers(audience: Audience): Promise<void>;
}

const PUBLISH_MILLISECONDS = 1000;
/** For each request: nobody's commit waits for it. */
const REPEAT_MILLISECONDS = 5000;
const CLOSE_MILLISECONDS = 5000;
/** A filter is a part of the URL, of which services take some 8 KB. */
const USERS_PER_SEND = 20;
const CONNECTIONS_PER_SEND = 50;
const REMOVALS_AT_ONCE = 20;

export function liveEventsOn({ client }: Service): LiveEvents {
  return {
    async publish(event, audience, signal) {
      const filters = filtersOf(audience);
      await ask(
        `send the event ${event.id}`,
        PUBLISH_MILLISECONDS,
        (abortSignal) => Promise.all(filters.map((filter) => client.sendToAll(event, { filter, abortSignal }))),
        signal,
      );
    },

    async repeat(event, audience, connectionIds, signal) {
      for (const filter of filtersFor(connectionIds, audience)) {
        await ask(
          `send the event ${event.id} again`,
          REPEAT_MILLISECONDS,
          (abortSignal) => client.sendToAll(event, { filter, abortSignal }),
          signal,
        );
      }
    },

    async closeUser(subject, reason) {
      checkUserId(subject);
      await ask('close the connections of a user', CLOSE_MILLISECONDS, (abortSignal) =>
        client.closeUserConnections(subject, { reason, abortSignal }),
      );
    },

    async dropReader(subject, pipelineId) {
      checkUserId(subject);
      await ask('take a user out of a group', CLOSE_MILLISECONDS, (abortSignal) =>
        takeOut(client, pipelineGroup(pipelineId), ({ userId }) => userId === subject, abortSignal),
      );
    },

    async dropOthers(audience) {
      if (audience.readers.includes(CLIENTS)) return;
      const users = new Set(usersOf(audience));
      await ask('take users out of a group', CLOSE_MILLISECONDS, async (abortSignal) => {
        const administrators = new Set<string>();
        for await (const { connectionId } of await client.group(ADMINISTRATORS).listConnections({ abortSignal })) {
          administrators.add(connectionId);
        }
        const isOther = ({ connectionId, userId = '' }: WebPubSubGroupMember) =>
          !administrators.has(connectionId) && !users.has(userId);
        await takeOut(client, pipelineGroup(audience.pipelineId), isOther, abortSignal);
      });
    },
  };
}

async function takeOut(
  client: WebPubSubServiceClient,
  name: string,
  isOut: (member: WebPubSubGroupMember) => boolean,
  abortSignal: AbortSignal,
): Promise<void> {
  const group = client.group(name);
  const members: WebPubSubGroupMember[] = [];
  for await (const member of await group.listConnections({ abortSignal })) members.push(member);
  for (const chunk of inChunks(members.filter(isOut), REMOVALS_AT_ONCE)) {
    await Promise.all(
      chunk.map(async ({ connectionId }) => {
        // First the permission: a connection that keeps it would be back at once.
        await client.revokePermission(connectionId, 'joinLeaveGroup', { targetName: name, abortSignal });
        await group.removeConnection(connectionId, { abortSignal });
      }),
    );
  }
}

/**
 * One filter for each send. The first reaches the groups and the first users, the others the users that are left and in none of the
 * groups, so that nobody gets an event twice.
 */
function filtersOf(audience: Audience): string[] {
  const everyClient = audience.readers.includes(CLIENTS) ? [CLIENTS] : [];
  const ownGroup = audience.groupIsStale ? [] : [pipelineGroup(audience.pipelineId)];
  const groups = [...ownGroup, ADMINISTRATORS, ...everyClient];
  const isIn = groups.map((group) => odata`${group} in groups`);
  const [first = [], ...others] = inChunks(
    usersOf(audience).map((user) => odata`userId eq ${user}`),
    USERS_PER_SEND,
  );
  const isInNone = isIn.map((clause) => `not(${clause})`).join(' and ');
  const filters = [
    [...isIn, ...first].join(' or '),
    ...others.map((chunk) => `(${chunk.join(' or ')}) and ${isInNone}`),
  ];
  const isLetIn = (audience.keptOut ?? []).filter(isUserId).map((user) => odata` and userId ne ${user}`);
  return isLetIn.length === 0 ? filters : filters.map((filter) => `(${filter})${isLetIn.join('')}`);
}

/** The same, narrowed to some connections: the service itself decides which of them may hear. */
function filtersFor(connectionIds: readonly string[] | 'everyone', audience: Audience): string[] {
  const filters = filtersOf(audience);
  if (connectionIds === 'everyone') return filters;
  const isOne = connectionIds.map((connectionId) => odata`connectionId eq ${connectionId}`);
  return inChunks(isOne, CONNECTIONS_PER_SEND).flatMap((chunk) =>
    filters.map((filter) => `(${chunk.join(' or ')}) and (${filter})`),
  );
}

/** An owner or reader that cannot be a user id has no connection: tokens are refused to them. */
function usersOf({ owner, readers }: Audience): string[] {
  return [...new Set([owner, ...readers])].filter((user) => user !== CLIENTS && isUserId(user));
}

function inChunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function checkUserId(subject: string): void {
  if (!isUserId(subject)) throw new PubSubError('invalid', 'This cannot be the user id of a connection.');
}
