import type { ConversionProgress } from './conversion-outcome.ts';

/** Progress is for people: so much time passes between two tellings. */
const PAUSE_MILLISECONDS = 500;

type Tell = (progress: ConversionProgress) => void;

/**
 * Tells of progress at once, and then at most twice a second: of what comes meanwhile the newest. Disposing of it tells what is held back,
 * so that the last phase is never lost.
 */
export function throttleProgress(tell: Tell): { readonly tell: Tell } & Disposable {
  let held: ConversionProgress | undefined;
  let pause: NodeJS.Timeout | undefined;
  const tellHeld = () => {
    if (held !== undefined) tell(held);
    held = undefined;
  };
  const tellHeldThenPause = () => {
    pause = held === undefined ? undefined : setTimeout(tellHeldThenPause, PAUSE_MILLISECONDS);
    tellHeld();
  };
  return {
    tell(progress) {
      held = progress;
      if (pause === undefined) tellHeldThenPause();
    },
    [Symbol.dispose]() {
      clearTimeout(pause);
      tellHeld();
    },
  };
}
