/**
 * Filebeat's format strings, with `%{[field]:default}` and `%{+yyyy.MM.dd}` (libbeat/common/fmtstr, dtfmt): checks only
 * whether they compile.
 */

/** Letters of date patterns. */
const DATE_LETTERS = /^[xyYweEDMdaKhHkmsSfnz]$/;
const OPERATORS = '!@#&*=+<>?';

export function validFormat(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    if (text[at] === '\\') at += 2;
    else if (text.startsWith('%{', at)) {
      const end = closing(text, at + 2);
      if (end === undefined || !validVariable(text.slice(at + 2, end))) return false;
      at = end + 1;
    } else at++;
  }
  return true;
}

/** Position of the brace that closes a variable; undefined if there is none, or another variable begins before it. */
function closing(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '}') return at;
    else if (text.startsWith('%{', at)) return undefined;
  }
  return undefined;
}

function validVariable(inner: string): boolean {
  const [name = '', ...defaults] = inner.split(/(?<!\\):/);
  if (name.startsWith('+')) return validDate(name.slice(1));
  if (defaults.length > 1 || (defaults[0] && OPERATORS.includes(defaults[0][0]!))) return false;
  return /^[ \n\r\t]*(?:\[[^\]]+\])+[ \n\r\t]*$/.test(name) && name.startsWith('[');
}

function validDate(layout: string): boolean {
  const quoted = layout.replace(/'[^']*'/g, '');
  if (quoted.includes("'")) return false;
  return [...quoted].every((letter) => !/[A-Za-z]/.test(letter) || DATE_LETTERS.test(letter));
}
