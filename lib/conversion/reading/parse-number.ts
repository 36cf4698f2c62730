const [PLUS, MINUS, POINT, ZERO] = [43, 45, 46, 48];
/** Powers of ten that a double holds exactly. */
export const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Longest digits whose value a double holds exactly. */
export const EXACT_DIGITS = 15;

/** A decimal number, or one of the ways in which programs write NaN and infinity; undefined where the bytes are something else. */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number | undefined {
  const sign = signOf(bytes[start]);
  let mantissa = 0;
  let digits = 0;
  let point = -1;
  let at = sign === 0 ? start : start + 1;
  for (; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits += 1;
    } else if (digit === POINT - ZERO && point < 0) point = at;
    else break;
  }
  // One division of two exact numbers is rounded as it should be; all else is left to the language.
  if (at < end || digits === 0 || digits > EXACT_DIGITS) return parseAny(bytes, start, end);
  const value = mantissa / (POWERS[point < 0 ? 0 : end - 1 - point] ?? 1);
  return sign < 0 ? -value : value;
}

function signOf(byte: number | undefined): number {
  if (byte === MINUS) return -1;
  return byte === PLUS ? 1 : 0;
}

const LONGEST_NUMBER = 400;

function parseAny(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > LONGEST_NUMBER) return undefined;
  const word = Buffer.from(bytes.subarray(start, end)).toString('latin1');
  return parseWord(word);
}

/** As `parseNumber`, of a word. */
export function parseWord(word: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) return Number(word);
  // As C and Microsoft's C write them.
  if (/^[+-]?(nan(\(.*\))?|1\.#(qnan|snan|ind|nan).*)$/i.test(word)) return Number.NaN;
  if (!/^[+-]?(inf(inity)?|1\.#inf.*)$/i.test(word)) return undefined;
  return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
