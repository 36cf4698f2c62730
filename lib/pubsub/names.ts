/** The group that every Administrator's connection is in. */
export const ADMINISTRATORS = 'administrators';
/** The group that every Client's connection is in; among a record's readers, every Client. */
export const CLIENTS = 'clients';

const MAX_GROUP_LENGTH = 1024;
const JOIN = 'webpubsub.joinLeaveGroup.';

/** The group whose connections hear of one pipeline. */
export function pipelineGroup(pipelineId: string): string {
  return `pipeline.${pipelineId}`;
}

/** The role that lets a connection join and leave one group. */
export function joinRole(group: string): string {
  return `${JOIN}${group}`;
}

/** The group that a role lets its connection join; undefined for a role that is another, or wider. */
export function groupOfJoinRole(role: string): string | undefined {
  return role.startsWith(JOIN) && isGroup(role.slice(JOIN.length)) ? role.slice(JOIN.length) : undefined;
}

/** Whether the service knows such a role: of what it does not know it grants nothing, without a word (contract 6). */
export function isRole(text: string): boolean {
  const role = /^webpubsub\.(?:joinLeaveGroup|sendToGroup)(?:s?\.(.+))?$/s.exec(text);
  return role !== null && (role[1] === undefined || isGroup(role[1]));
}

export function isGroup(text: string): boolean {
  return text.trim() !== '' && text.length <= MAX_GROUP_LENGTH && !/\p{Cc}/u.test(text);
}

/**
 * Whether somebody can have this as user id. It becomes a part of the path of a request: the service does not find ids with a slash or
 * a percent sign again (contract 5), and `.` and `..` would make the request another one.
 */
export function isUserId(text: string): boolean {
  return /^[A-Za-z0-9._@:-]{1,128}$/.test(text) && !/^\.{1,2}$/.test(text);
}
