import { dataOf } from './outgoing-message.ts';
import type { Payload } from './payload.ts';

export type AckError = 'BadRequest' | 'Duplicate' | 'Forbidden' | 'InternalServerError';

/** The text frames of the JSON subprotocols that are about the connection itself. */
export function connectedFrame(userId: string | undefined, connectionId: string, reconnectionToken?: string): string {
  return JSON.stringify({
    type: 'system',
    event: 'connected',
    userId: userId ?? null,
    connectionId,
    ...(reconnectionToken !== undefined && { reconnectionToken }),
  });
}

export function disconnectedFrame(message: string): string {
  return JSON.stringify({ type: 'system', event: 'disconnected', message });
}

export const PONG_FRAME = JSON.stringify({ type: 'pong' });

/** `ackId` is the text of an unsigned number of 64 bits. */
export function ackFrame(ackId: string): string {
  return `{"type":"ack","ackId":${ackId},"success":true}`;
}

export function errorAckFrame(ackId: string, name: AckError, message: string): string {
  return `{"type":"ack","ackId":${ackId},"success":false,"error":${JSON.stringify({ name, message })}}`;
}

export function invokeResponseFrame(invocationId: string, payload: Payload | undefined): string {
  const head = JSON.stringify({ type: 'invokeResponse', invocationId, success: true, dataType: payload?.dataType });
  return payload ? `${head.slice(0, -1)},"data":${dataOf(payload)}}` : head;
}

export function invokeErrorFrame(invocationId: string, name: AckError, message: string): string {
  return JSON.stringify({ type: 'invokeResponse', invocationId, success: false, error: { name, message } });
}
