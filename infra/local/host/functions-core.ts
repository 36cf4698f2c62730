import { registerHooks } from 'node:module';
import { HostError } from './host-error.ts';
import type { HostLog, LogLevel } from './host-log.ts';
import type { FunctionCallback, FunctionMetadata, ProgrammingModel } from './rpc.ts';

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** What the app registered while it loaded. */
export interface AppRegistration {
  readonly functions: readonly RegisteredFunction[];
  readonly model: ProgrammingModel | undefined;
  /** After this, registering a function throws, as in Azure. */
  lock(): void;
}

const specifier = '@azure/functions-core';
const slot = Symbol.for('embedded-functions-host.core');

/**
 * Provides `@azure/functions-core` to every module that requires or imports it from now on. In Azure it exists only inside the host's
 * Node worker. One app per process: a second call throws.
 */
export function provideFunctionsCore(log: HostLog): AppRegistration {
  if (Reflect.has(globalThis, slot)) {
    throw new HostError('unsupported', 'This process already hosts an app: start one process per host.');
  }
  const functions = new Map<string, RegisteredFunction>();
  const state: { locked: boolean; model: ProgrammingModel | undefined } = { locked: false, model: undefined };
  const core = {
    version: '3.14.1',
    hostVersion: '4.1052.200',
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): CoreDisposable {
      if (state.locked) throw systemError('A function can only be registered during app startup.');
      const id = metadata.functionId ?? metadata.name;
      if (functions.has(id)) throw systemError(`A function named "${metadata.name}" is registered twice.`);
      functions.set(id, { metadata, callback });
      return new CoreDisposable(() => functions.delete(id));
    },
    registerHook(name: string): never {
      throw systemError(`The embedded host runs no hooks: the app registers "${name}".`);
    },
    setProgrammingModel(model: ProgrammingModel): void {
      state.model = model;
    },
    getProgrammingModel: () => state.model,
    log: (level: LogLevel, _category: string, message: string) => log(level, 'app', message),
    Disposable: CoreDisposable,
  };
  Reflect.set(globalThis, slot, core);
  answerForCore(Object.keys(core));
  return {
    get functions() {
      return [...functions.values()];
    },
    get model() {
      return state.model;
    },
    lock: () => {
      state.locked = true;
    },
  };
}

/** Node links `require` to CommonJS text and `import` to a module with named exports: two addresses, one object. */
function answerForCore(names: readonly string[]): void {
  const object = "globalThis[Symbol.for('embedded-functions-host.core')]";
  const sources = new Map([
    ['functions-core:commonjs', `module.exports = ${object};`],
    [
      'functions-core:module',
      `const core = ${object}; export default core; export const { ${names.join(', ')} } = core;`,
    ],
  ]);
  registerHooks({
    resolve(requested, context, next) {
      if (requested !== specifier) return next(requested, context);
      const format = context.conditions.includes('require') ? 'commonjs' : 'module';
      return { url: `functions-core:${format}`, format, shortCircuit: true };
    },
    load(url, context, next) {
      const source = sources.get(url);
      if (source === undefined) return next(url, context);
      return { format: url.slice('functions-core:'.length), source, shortCircuit: true };
    },
  });
}

class CoreDisposable {
  readonly #dispose: () => unknown;

  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }

  static from(...disposables: readonly { dispose(): unknown }[]): CoreDisposable {
    return new CoreDisposable(() => {
      for (const each of disposables) each.dispose();
    });
  }

  dispose(): unknown {
    return this.#dispose();
  }
}

function systemError(message: string): Error {
  return Object.assign(new Error(message), { isAzureFunctionsSystemError: true });
}
