/**
 * Characters that a terminal obeys or that turn text around, wherever foreign text leaves the program: control characters of
 * both sets (ESC, CR, CSI …), bidirectional marks, line separators. Pure.
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

/** Everything spelled out but line feeds and tabs. */
export function withoutControls(text: string): string {
  return text.replace(all, spelled);
}

/** Everything spelled out: one line, each character of which takes its place. */
export function spelledOut(text: string): string {
  return text.replace(allAndLines, spelled);
}

/** For a whole document, whose line feeds are its own. */
export function spelledOutBetweenLines(document: string): string {
  return document.replace(allAndTabs, spelled);
}

/** JSON leaves DEL, C1 and bidirectional controls as they are; written as `\u009b` they are the same to who parses it. */
export function asciiControls(json: string): string {
  return json.replace(all, (c) => `\\u${hex(c, 4)}`);
}
