import { describe, expect, test } from 'vitest';
import { readArguments, readPort, UsageError } from '../../../infra/local/arguments.ts';

const command = { help: '', options: { port: { type: 'string' }, clean: { type: 'boolean' } } } as const;

test('Options are read by name', () => {
  expect(readArguments(command, ['--port', '8080', '--clean'])).toEqual({ port: '8080', clean: true });
});

test.each([[['--prot', '1']], [['stray']], [['--port']], [['--clean=yes']]])(
  '%j is refused, naming what is wrong',
  (argv) => {
    const read = () => readArguments(command, argv);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(argv[0]?.split('=')[0]);
  },
);

describe('What a command must be given beside options', () => {
  const convert = { ...command, operands: ['INPUT'] };

  test('may stand before, between and after them, or behind --', () => {
    for (const argv of [
      ['box.glb', '--port', '1'],
      ['--port', '1', 'box.glb'],
      ['--port', '1', '--', 'box.glb'],
    ]) {
      expect(readArguments(convert, argv)).toEqual({ port: '1' });
    }
  });

  test.each([
    [[], 'INPUT must be given.'],
    [['--clean'], 'INPUT must be given.'],
    [['a.glb', 'b.glb'], '"b.glb" is one word too many'],
    [['-x.glb'], "'-x'"],
  ])('%j is refused', (argv, message) => {
    const read = () => readArguments(convert, argv);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });
});

test.each([
  ['0', 0],
  ['7071', 7071],
  ['65535', 65_535],
])('--port %s is a port', (text, port) => expect(readPort(text)).toBe(port));

test.each(['', '-1', '65536', '80a', '1e3', '7071.5'])('--port %j is refused', (text) =>
  expect(() => readPort(text)).toThrow('--port takes a number'),
);
