/** A person's wish, or a failure of the stack, that ends the demo early. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** True where a person asked for the end, and not the stack. */
  readonly asked: boolean;
  abort(reason: Error): void;
}

/**
 * Listens for Ctrl-C, SIGTERM and SIGHUP until it is disposed of.
 * @param again called when one more comes while the first is being obeyed
 */
export function listenForInterrupt(again: () => void): Interrupt {
  const controller = new AbortController();
  let asked = false;
  const ask = () => {
    if (controller.signal.aborted) return again();
    asked = true;
    controller.abort(new Error('The demo was interrupted.'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, ask);
  return {
    signal: controller.signal,
    get asked() {
      return asked;
    },
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, ask);
    },
  };
}
