import { expect, test } from 'vitest';
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

test.each([
  ['0', 0],
  ['7071', 7071],
  ['65535', 65_535],
])('--port %s is a port', (text, port) => expect(readPort(text)).toBe(port));

test.each(['', '-1', '65536', '80a', '1e3', '7071.5'])('--port %j is refused', (text) =>
  expect(() => readPort(text)).toThrow('--port takes a number'),
);
