import { describe, expect, test } from 'vitest';
import { untilAborted, withoutSecrets } from '#lib/identity';

const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
const shown = (error: Error): string =>
  [error.name, error.message, error.stack, JSON.stringify(error), error.cause instanceof Error && shown(error.cause)]
    .filter(Boolean)
    .join('\n');

describe('an error without secrets', () => {
  test('keeps what says what went wrong: names, messages, codes, statuses, causes, and where it was thrown', () => {
    const cause = Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' });
    const kept = withoutSecrets(Object.assign(new RangeError('no answer', { cause }), { statusCode: 503 }));
    expect(kept).toMatchObject({ name: 'RangeError', message: 'no answer', statusCode: 503 });
    expect(kept.cause).toMatchObject({ name: 'TypeError', message: 'fetch failed', code: 'ECONNREFUSED' });
    expect(kept.stack).toMatch(/^RangeError: no answer\n {4}at /);
    expect(kept.stack).toContain('without-secrets.test.ts');
  });

  test('holds neither a secret nor a token, wherever they stand', () => {
    const cause = Object.assign(new Error(`with key-1 and ${TOKEN}`), { code: `key-1 ${TOKEN}` });
    const error = Object.assign(new Error(`Bearer ${TOKEN}\n    at key-1 (${TOKEN})`, { cause }), {
      request: { headers: { authorization: 'key-1' } },
    });
    const text = shown(withoutSecrets(error, ['key-1', '']));
    expect(text).not.toContain('key-1');
    expect(text).not.toMatch(/eyJ|c2lnbmF0dXJl|authorization/);
    expect(text).toContain('[token]');
  });

  test('is short, whatever a service has answered, and however many causes it has', () => {
    let error = new Error('x'.repeat(100_000));
    for (let count = 0; count < 100; count += 1) error = new Error('y'.repeat(100_000), { cause: error });
    expect(shown(withoutSecrets(error)).length).toBeLessThan(40_000);
  });

  test('is one also where something else was thrown', () => {
    expect(withoutSecrets(TOKEN).message).toBe('Something that is no Error was thrown.');
  });
});

describe('work until a signal aborts', () => {
  test('gives what comes of it, or what it throws', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
    expect(await untilAborted(Promise.resolve(2), undefined)).toBe(2);
    await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  test('is left alone then, and what it throws later is nobody’s', async () => {
    const stop = new AbortController();
    const work = Promise.withResolvers<never>();
    const waited = untilAborted(work.promise, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waited).rejects.toThrow('enough');
    work.reject(new Error('too late'));
  });

  test('is not waited for where the signal has aborted before', async () => {
    await expect(untilAborted(Promise.resolve(1), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
