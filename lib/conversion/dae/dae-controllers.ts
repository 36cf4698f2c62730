import type { DaeElement } from './dae-element.ts';

/** What a controller does to which geometry. */
export interface DaeControllers {
  readonly skin: DaeElement | undefined;
  readonly morph: DaeElement | undefined;
  readonly geometry: DaeElement | undefined;
}

/** Follows controllers of controllers: a skin may hold what a morph shapes. */
export function readControllers(controller: DaeElement): DaeControllers {
  let [skin, morph]: (DaeElement | undefined)[] = [];
  let current: DaeElement | undefined = controller;
  for (let depth = 0; depth < 8 && current?.name === 'controller'; depth += 1) {
    const step: DaeElement | undefined = current.child('skin') ?? current.child('morph');
    if (step?.name === 'skin') skin ??= step;
    else morph ??= step;
    current = step?.find('source', 'geometry', 'controller');
  }
  return { skin, morph, geometry: current?.name === 'geometry' ? current : undefined };
}
