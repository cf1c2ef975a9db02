/**
 * Phone numbers as they are shown: masked to the last four digits unless the viewer asked for them.
 *
 * A customer's number is E.164, or whatever was dialled where that is no number.
 */

const TWO_DIGIT_CODES = new Set(
  "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98".split(
    " ",
  ),
);
const SHOWN_AT_THE_END = 4;
const DOT = "•";

interface Parts {
  code: string;
  national: string;
}

function split(number: string): Parts | undefined {
  const digits = /^\+([1-9]\d{6,14})$/.exec(number)?.[1];
  if (digits === undefined) return undefined;
  const length = /^[17]/.test(digits) ? 1 : TWO_DIGIT_CODES.has(digits.slice(0, 2)) ? 2 : 3;
  return { code: digits.slice(0, length), national: digits.slice(length) };
}

/** Groups of three and four from the left; North American numbers as they are written there. */
function grouped(national: string): string {
  if (national.length === 10) return `${national.slice(0, 3)} ${national.slice(3, 6)} ${national.slice(6)}`;
  const head = national.slice(0, -SHOWN_AT_THE_END);
  const tail = national.slice(-SHOWN_AT_THE_END);
  return [...(head.match(/\d{1,4}/g) ?? []), tail].join(" ");
}

export function revealed(number: string): string {
  const parts = split(number);
  return parts === undefined ? number : `+${parts.code} ${grouped(parts.national)}`;
}

export function masked(number: string): string {
  const parts = split(number);
  if (parts === undefined) return isServiceNumber(number) ? number : DOT.repeat(Math.min(number.length, 10));
  const kept = parts.national.length > SHOWN_AT_THE_END + 1 ? SHOWN_AT_THE_END : 2;
  const hidden = parts.national.length - kept;
  const shown = [...grouped(parts.national)];
  let digits = 0;
  const text = shown.map((character) => (character !== " " && digits++ < hidden ? DOT : character)).join("");
  return `+${parts.code} ${text}`;
}

/** For screen readers, which would read out every dot. */
export function spokenMasked(number: string): string {
  const text = masked(number);
  const end = /\d+$/.exec(text)?.[0];
  if (!text.includes(DOT)) return text;
  return end === undefined ? "hidden number" : `number ending in ${[...end].join(" ")}`;
}

/** Three digits (911, 112) are nobody's own number. */
function isServiceNumber(number: string): boolean {
  return /^\d{1,3}$/.test(number);
}
