import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientFrame } from '../../../infra/local/web-pubsub/client-frames.ts';

const send = { type: 'sendToGroup', group: 'g', dataType: 'text', data: 'x' };
const parse = (frame: unknown) => parseClientFrame(JSON.stringify(frame));

describe('a frame of a client', () => {
  test('says what is sent, in the form of its data type', () => {
    expect(parse({ ...send, ackId: 5, noEcho: true, ttlSeconds: 300, metadata: { a: 'b' } })).toEqual({
      type: 'sendToGroup',
      group: 'g',
      noEcho: true,
      ackId: '5',
      message: { payload: { dataType: 'text', text: 'x' }, metadata: { a: 'b' }, ttlSeconds: 300 },
    });
    expect(parse({ type: 'event', event: 'e', data: { a: [1] } })).toMatchObject({
      message: { payload: { dataType: 'json', text: '{"a":[1]}' } },
    });
    expect(parse({ ...send, dataType: 'binary', data: 'AP8=' })).toMatchObject({
      message: { payload: { bytes: Buffer.from([0, 255]) } },
    });
  });

  test('may carry metadata alone', () => {
    expect(parse({ type: 'sendToGroup', group: 'g', metadata: { a: 'b' } })).toMatchObject({
      message: { payload: { text: '' } },
    });
  });

  test.each([
    { ...send, ttlSeconds: 301 },
    { ...send, ttlSeconds: -1 },
    { ...send, noEcho: 'yes' },
    { ...send, ackId: -1 },
    { ...send, ackId: 1.5 },
    { ...send, metadata: { 'a b': 'x' } },
    { ...send, metadata: { a: 'ü' } },
    { ...send, metadata: { a: 5 } },
    { ...send, metadata: { a: 'x'.repeat(1025) } },
    { ...send, metadata: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [index, 'x'.repeat(1000)])) },
    { ...send, group: 'g'.repeat(1025) },
    { ...send, dataType: 'xml' },
    { ...send, dataType: 'json', data: null },
    { type: 'sequenceAck' },
    { type: 'event', event: 'no blanks', data: 1 },
    { type: '__proto__' },
    null,
  ])('is refused: %j', (frame) => {
    expect(parse(frame)).toBeUndefined();
  });

  test('keeps an ack id to its last digit, up to 64 bits', () => {
    const ackIdOf = (digits: string) =>
      parseClientFrame(`{"data":{"ackId":1},"ackId": ${digits},"type":"event","event":"e"}`);
    expect(ackIdOf('9007199254740993')).toMatchObject({ ackId: '9007199254740993' });
    expect(ackIdOf('18446744073709551615')).toMatchObject({ ackId: '18446744073709551615' });
    expect(ackIdOf('18446744073709551616')).toBeUndefined();
  });

  test('of any JSON is understood or refused', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseClientFrame(text)));
    fc.assert(fc.property(fc.string(), (text) => void parseClientFrame(text)));
  });
});
