import type { ConversionWarning } from './conversion-outcome.ts';

/** The first of a kind tell the story. */
const MOST_OF_A_KIND = 50;

/** Warnings in the order in which they come; of each code the first, and how many more there are: models can have a million of them. */
export class WarningList {
  readonly #kept: ConversionWarning[] = [];
  readonly #counts = new Map<ConversionWarning['code'], number>();

  add(warnings: readonly ConversionWarning[]): void {
    for (const warning of warnings) {
      const count = (this.#counts.get(warning.code) ?? 0) + 1;
      this.#counts.set(warning.code, count);
      if (count <= MOST_OF_A_KIND) this.#kept.push(warning);
    }
  }

  get all(): ConversionWarning[] {
    const more = [...this.#counts].filter(([, count]) => count > MOST_OF_A_KIND);
    return [
      ...this.#kept,
      ...more.map(([warning, count]) => ({
        code: 'more_warnings' as const,
        title: 'More warnings of the same kind',
        details: { warning, count: String(count - MOST_OF_A_KIND) },
      })),
    ];
  }
}
