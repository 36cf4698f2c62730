import { z } from 'zod';
import { isEventName, isGroupName } from './names.ts';
import type { Metadata, Payload } from './payload.ts';

/** What a client of a JSON subprotocol asks for. `ackId` is the text of an unsigned number of 64 bits. */
export type ClientRequest =
  | { readonly type: 'ping' }
  | { readonly type: 'sequenceAck'; readonly sequenceId: number }
  | { readonly type: 'joinGroup' | 'leaveGroup'; readonly group: string; readonly ackId?: string | undefined }
  | {
      readonly type: 'sendToGroup';
      readonly group: string;
      readonly noEcho: boolean;
      readonly message: ClientMessage;
      readonly ackId?: string | undefined;
    }
  | {
      readonly type: 'event';
      readonly event: string;
      readonly message: ClientMessage;
      readonly ackId?: string | undefined;
    }
  /** An event whose answer is told apart from others by the id. */
  | { readonly type: 'invoke'; readonly invocationId: string; readonly event: string; readonly message: ClientMessage }
  /** The answer to an invocation is not waited for any more. */
  | { readonly type: 'cancelInvocation' };

export interface ClientMessage {
  readonly payload: Payload;
  readonly metadata: Metadata | undefined;
  /** 0 stands for never. */
  readonly ttlSeconds: number;
}

const METADATA_BYTES = 8192;
const UINT64_LIMIT = 2n ** 64n;

/** The largest ones are rounded up to the limit itself. */
const uint64 = z.number().nonnegative().lte(Number(UINT64_LIMIT)).refine(Number.isInteger);
const group = z.string().refine(isGroupName);
const event = z.string().refine(isEventName);
const metadata = z
  .record(
    z
      .string()
      .max(256)
      .regex(/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i),
    z
      .string()
      .max(1024)
      .regex(/^[\x20-\x7e]*$/),
  )
  .refine((all) => Object.entries(all).flat().join('').length <= METADATA_BYTES);
const optionalAckId = uint64.nullish();

const message = {
  ackId: optionalAckId,
  dataType: z.enum(['json', 'text', 'binary', 'protobuf']).default('json'),
  data: z.unknown().optional(),
  metadata: metadata.nullish(),
  ttlSeconds: z.number().int().min(0).max(300).nullish(),
};

const frame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('sequenceAck'), sequenceId: uint64 }),
  z.object({ type: z.literal('joinGroup'), group, ackId: optionalAckId }),
  z.object({ type: z.literal('leaveGroup'), group, ackId: optionalAckId }),
  z.object({ type: z.literal('sendToGroup'), group, noEcho: z.boolean().nullish(), ...message }),
  z.object({ type: z.literal('event'), event, ...message }),
  z.object({
    type: z.literal('invoke'),
    invocationId: z.string().min(1),
    target: z.literal('event'),
    event,
    ...message,
  }),
  z.object({ type: z.literal('cancelInvocation'), invocationId: z.string() }),
]);

/** Undefined for what is no JSON, and for JSON that the subprotocol does not know. */
export function parseClientFrame(text: string): ClientRequest | undefined {
  const parsed = frame.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const given = parsed.data;
  if (given.type === 'ping' || given.type === 'sequenceAck') return given;
  if (given.type === 'cancelInvocation') return { type: given.type };
  const ackId = given.ackId == null ? undefined : exactly(given.ackId, text);
  if (ackId !== undefined && BigInt(ackId) >= UINT64_LIMIT) return undefined;
  if (given.type === 'joinGroup' || given.type === 'leaveGroup') return { type: given.type, group: given.group, ackId };
  const mayBeEmpty = given.metadata != null || given.type === 'invoke';
  const payload = payloadOf(given.dataType, given.data, mayBeEmpty);
  if (!payload) return undefined;
  const content = { payload, metadata: given.metadata ?? undefined, ttlSeconds: given.ttlSeconds ?? 0 };
  switch (given.type) {
    case 'event':
      return { type: given.type, event: given.event, message: content, ackId };
    case 'invoke':
      return { type: given.type, invocationId: given.invocationId, event: given.event, message: content };
    case 'sendToGroup':
      return { type: given.type, group: given.group, noEcho: given.noEcho ?? false, message: content, ackId };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A number of JSON loses its last digits beyond 2^53; the text has them. */
function exactly(ackId: number, text: string): string {
  if (Number.isSafeInteger(ackId)) return String(ackId);
  const digits = [...text.matchAll(/"ackId"\s*:\s*(\d+)/g)].map(([, found = '']) => found);
  return digits.find((found) => Number(found) === ackId) ?? BigInt(ackId).toString();
}

/** A message may be its metadata alone. */
function payloadOf(dataType: Payload['dataType'], data: unknown, mayBeAbsent: boolean): Payload | undefined {
  if (data === undefined && mayBeAbsent) return { dataType: 'text', text: '' };
  if (dataType === 'json') return data == null ? undefined : { dataType, text: JSON.stringify(data) };
  if (typeof data !== 'string') return undefined;
  if (dataType === 'text') return { dataType, text: data };
  return isBase64(data) ? { dataType, bytes: Buffer.from(data, 'base64') } : undefined;
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
