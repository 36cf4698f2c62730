import type { ConversionWarning } from './conversion-outcome.ts';

/** The first of a code tell the story. */
const MOST_OF_A_CODE = 50;

/** Codes of which each says what somebody has to find, write or mend: as many as a model may have files where no setting says otherwise. */
const MOST_OF_LISTED = 10_000;
const listed: ReadonlySet<ConversionWarning['code']> = new Set<ConversionWarning['code']>([
  '4004',
  'file_missing',
  'override_unused',
  'setting_without_effect',
]);

/** Warnings in the order in which they come; of each code the first, and how many more there are: models can have a million of them. */
export class WarningList {
  readonly #kept: ConversionWarning[] = [];
  readonly #counts = new Map<ConversionWarning['code'], number>();

  add(warnings: readonly ConversionWarning[]): void {
    for (const warning of warnings) {
      const count = (this.#counts.get(warning.code) ?? 0) + 1;
      this.#counts.set(warning.code, count);
      if (count <= mostOf(warning.code)) this.#kept.push(warning);
    }
  }

  get all(): ConversionWarning[] {
    const more = [...this.#counts].filter(([code, count]) => count > mostOf(code));
    return [
      ...this.#kept,
      ...more.map(([warning, count]) => ({
        code: 'more_warnings' as const,
        title: 'More warnings of the same kind',
        details: { warning, count: String(count - mostOf(warning)) },
      })),
    ];
  }
}

function mostOf(code: ConversionWarning['code']): number {
  return listed.has(code) ? MOST_OF_LISTED : MOST_OF_A_CODE;
}
