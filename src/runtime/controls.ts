/**
 * Escapes characters of foreign text that could control a terminal or reverse text: C0 and C1 control characters (ESC, CR,
 * CSI …), bidirectional marks, line separators.
 */
const harmful =
  '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff';
const some = new RegExp(`[${harmful}]`);
const all = new RegExp(`[${harmful}]`, 'g');
const allAndTabs = new RegExp(`[${harmful}\\t]`, 'g');
const allAndLines = new RegExp(`[${harmful}\\t\\n]`, 'g');

const hex = (c: string, digits: number) => c.charCodeAt(0).toString(16).padStart(digits, '0');

/** `\x1b`, `\u202e`. */
function spelled(c: string): string {
  return c.charCodeAt(0) < 256 ? `\\x${hex(c, 2)}` : `\\u${hex(c, 4)}`;
}

export function hasControls(text: string): boolean {
  return some.test(text);
}

/** Escapes all but line feeds and tabs. */
export function withoutControls(text: string): string {
  return text.replace(all, spelled);
}

/** Escapes all, which gives one line of printable characters. */
export function spelledOut(text: string): string {
  return text.replace(allAndLines, spelled);
}

/** Escapes all but line feeds, for a document of several lines. */
export function spelledOutBetweenLines(document: string): string {
  return document.replace(allAndTabs, spelled);
}

/** Escapes DEL, C1 and bidirectional controls, which JSON.stringify leaves, as `\u009b`; parsers see the same text. */
export function asciiControls(json: string): string {
  return json.replace(all, (c) => `\\u${hex(c, 4)}`);
}
