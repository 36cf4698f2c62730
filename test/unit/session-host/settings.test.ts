import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../infra/session-host/settings.ts';

const complete = {
  SESSION_ID: 'session-one',
  MACHINE_NAME: 'machine-one',
  MACHINE_DIRECTORY: '/var/lib/machine',
  HEARTBEAT_URL: 'http://127.0.0.1:7071/api/sessions/session-one/heartbeats',
  HEARTBEAT_SECRET: 'secret',
  SILENCE_SECONDS: '60',
};

describe("a session host's settings", () => {
  it('need no more than the machine is told at its start', () => {
    expect(parseSettings(complete)).toMatchObject({
      SILENCE_SECONDS: 60,
      SESSION_HOST_HOSTNAME: '127.0.0.1',
      SESSION_HOST_BIND: '127.0.0.1',
      ASSET_MAX_BYTES: 2 ** 32,
    });
  });

  it.each([
    ['SESSION_ID', ''],
    ['MACHINE_DIRECTORY', undefined],
    ['HEARTBEAT_URL', 'file:///etc/passwd'],
    ['HEARTBEAT_URL', 'heartbeats'],
    ['SILENCE_SECONDS', '0'],
    ['SILENCE_SECONDS', 'a minute'],
    ['SILENCE_SECONDS', ''],
    ['ASSET_MAX_BYTES', '-1'],
  ])('refuse %s = %j by its name', (name, value) => {
    expect(() => parseSettings({ ...complete, [name]: value })).toThrow(new RegExp(`\\b${name}: `));
  });

  it('name all that is wrong in one error, and no value', () => {
    const wrong = {
      ...complete,
      SESSION_ID: '',
      HEARTBEAT_URL: 'value-of-the-url',
      SILENCE_SECONDS: 'value-of-silence',
    };
    const error = expect(() => parseSettings(wrong));
    error.toThrow(/SESSION_ID[\s\S]*HEARTBEAT_URL[\s\S]*SILENCE_SECONDS/);
    expect(() => parseSettings(wrong)).not.toThrow(/value-of/);
  });
});
