import type { RawData, WebSocket } from 'ws';
import type { ClientConnection } from './client-connection.ts';
import { type ClientMessage, type ClientRequest, parseClientFrame } from './client-frames.ts';
import type { EventHandlers } from './event-handlers.ts';
import { deliverTo, type Hub } from './hub.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import type { Payload } from './payload.ts';
import {
  type AckError,
  ackFrame,
  errorAckFrame,
  invokeErrorFrame,
  invokeResponseFrame,
  PONG_FRAME,
} from './server-frames.ts';

/** What messages of a client without a subprotocol are. */
export type SimpleMode =
  | { readonly kind: 'sendEvent' }
  | { readonly kind: 'sendToGroup'; readonly group: string; readonly noEcho: boolean };

export interface ClientSession {
  readonly connection: ClientConnection;
  readonly hub: Hub;
  readonly handlers: EventHandlers;
  readonly simpleMode: SimpleMode;
  readonly now: () => Date;
}

interface Frame {
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

const UNSUPPORTED_FRAME = 1003;
const INVALID_PAYLOAD = 1007;
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;

/** Does what the client says over this socket, one frame after the other: while an event handler is asked, nothing more is read. */
export function serveSocket(socket: WebSocket, session: ClientSession): void {
  const { connection } = session;
  const handle = connection.clientProtocol === 'simple' ? handleSimple : handleJson;
  const waiting: Frame[] = [];
  let isBusy = false;

  const next = (frame: Frame) => {
    if (connection.hasEnded) return;
    const work = handle(session, frame);
    if (!work) return;
    isBusy = true;
    socket.pause();
    void work.finally(() => {
      isBusy = false;
      for (let found = waiting.shift(); found && !isBusy; found = isBusy ? undefined : waiting.shift()) next(found);
      if (!isBusy) socket.resume();
    });
  };
  socket.on('message', (data, isBinary) => {
    const frame = { bytes: bufferOf(data), isBinary };
    // What had arrived before the pause still comes.
    if (isBusy) waiting.push(frame);
    else next(frame);
  });
  // A frame that breaks the protocol or its limits: the library has closed with the code for it.
  socket.on('error', (error) => connection.end(INVALID_PAYLOAD, error.message));
  socket.on('close', (code, reason) => connection.detach(socket, code, reason.toString()));
}

function handleJson(session: ClientSession, { bytes, isBinary }: Frame): Promise<void> | undefined {
  const { connection } = session;
  if (isBinary) {
    connection.end(UNSUPPORTED_FRAME, 'The JSON subprotocol requires text messages.');
    return undefined;
  }
  const request = parseClientFrame(bytes.toString());
  if (!request) {
    connection.end(INVALID_PAYLOAD, 'The client message is not a valid JSON protocol message.');
    return undefined;
  }
  if (request.type === 'ping') {
    connection.send(PONG_FRAME);
    return undefined;
  }
  if (request.type === 'sequenceAck') {
    connection.acknowledge(request.sequenceId);
    return undefined;
  }
  if (request.type === 'cancelInvocation') return undefined;
  if (request.type === 'invoke') return handleInvocation(session, request);
  const { ackId } = request;
  if (ackId !== undefined && connection.hasExecuted(ackId)) {
    connection.send(errorAckFrame(ackId, 'Duplicate', `Message with ack-id: ${ackId} has been processed`));
    return undefined;
  }
  if (request.type === 'event') return handleEvent(session, request);
  const refusal = handleGroupRequest(session, request);
  answer(connection, ackId, refusal === undefined ? undefined : { name: 'Forbidden', message: refusal });
  return undefined;
}

type GroupRequest = Extract<ClientRequest, { readonly group: string }>;

/** Why it is refused; undefined where it is done. */
function handleGroupRequest({ connection, hub, now }: ClientSession, request: GroupRequest): string | undefined {
  const { group } = request;
  if (request.type === 'sendToGroup') {
    if (!connection.permissions.allows('sendToGroup', group)) {
      return `The client does not have permission to send to group '${group}'.`;
    }
    sendToGroup({ connection, hub, now }, group, request.message, request.noEcho);
    return undefined;
  }
  const verb = request.type === 'joinGroup' ? 'join' : 'leave';
  if (!connection.permissions.allows('joinLeaveGroup', group)) {
    return `The client does not have permission to ${verb} group '${group}'.`;
  }
  hub[verb](connection, group);
  return undefined;
}

async function handleEvent(
  { connection, handlers }: ClientSession,
  request: Extract<ClientRequest, { readonly type: 'event' }>,
): Promise<void> {
  try {
    const answered = await handlers.userEvent(connection, request.event, request.message);
    if (answered) connection.deliver(serverMessage(answered));
    answer(connection, request.ackId, undefined);
  } catch {
    answer(connection, request.ackId, { name: 'InternalServerError', message: 'Internal server error' });
  }
}

async function handleInvocation(
  { connection, handlers }: ClientSession,
  { invocationId, event, message }: Extract<ClientRequest, { readonly type: 'invoke' }>,
): Promise<void> {
  try {
    const answered = await handlers.userEvent(connection, event, message);
    connection.send(invokeResponseFrame(invocationId, answered?.payload));
  } catch {
    connection.send(invokeErrorFrame(invocationId, 'InternalServerError', 'Internal server error'));
  }
}

function handleSimple(session: ClientSession, { bytes, isBinary }: Frame): Promise<void> | undefined {
  const { connection, simpleMode } = session;
  const payload: Payload = isBinary ? { dataType: 'binary', bytes } : { dataType: 'text', text: bytes.toString() };
  const message = { payload, metadata: undefined, ttlSeconds: 0 };
  if (simpleMode.kind === 'sendEvent') return handleSimpleEvent(session, message);
  if (connection.permissions.allows('sendToGroup', simpleMode.group)) {
    sendToGroup(session, simpleMode.group, message, simpleMode.noEcho);
  } else {
    connection.end(POLICY_VIOLATION, `The client does not have permission to send to group '${simpleMode.group}'.`);
  }
  return undefined;
}

async function handleSimpleEvent({ connection, handlers }: ClientSession, message: ClientMessage): Promise<void> {
  try {
    const answered = await handlers.userEvent(connection, 'message', message);
    if (answered) connection.deliver(serverMessage(answered));
  } catch {
    connection.end(INTERNAL_ERROR, 'The event handler failed.');
  }
}

function sendToGroup(
  { connection, hub, now }: Pick<ClientSession, 'connection' | 'hub' | 'now'>,
  group: string,
  { payload, metadata, ttlSeconds }: ClientMessage,
  noEcho: boolean,
): void {
  const message = new OutgoingMessage(
    payload,
    { from: 'group', group, fromUserId: connection.userId },
    { ...(metadata && { metadata }), ...(ttlSeconds > 0 && { expiresAt: now().getTime() + ttlSeconds * 1000 }) },
  );
  deliverTo(hub.inGroup(group), message, { excluded: new Set(noEcho ? [connection.connectionId] : []) });
}

function serverMessage({ payload, metadata }: Omit<ClientMessage, 'ttlSeconds'>): OutgoingMessage {
  return new OutgoingMessage(payload, { from: 'server' }, metadata ? { metadata } : {});
}

/** What failed is not remembered: trying again may succeed. */
function answer(
  connection: ClientConnection,
  ackId: string | undefined,
  error: { readonly name: AckError; readonly message: string } | undefined,
): void {
  if (ackId === undefined) return;
  if (error) {
    connection.send(errorAckFrame(ackId, error.name, error.message));
    return;
  }
  connection.rememberExecuted(ackId);
  connection.send(ackFrame(ackId));
}

function bufferOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
