/** Patterns of the shell (POSIX "2.13 Pattern Matching Notation") as regular expressions. */

/** A piece of a word; what was quoted is no pattern. */
export interface Segment {
  text: string;
  quoted: boolean;
}

export const hasPattern = (segments: readonly Segment[]): boolean =>
  segments.some(({ text, quoted }) => !quoted && /[*?[]/.test(text));

/** Matches a whole text. `path`: stars and question marks stop at slashes. */
export function patternSource(segments: readonly Segment[], path = false): string {
  const chars = segments.flatMap(({ text, quoted }) => [...text].map((char) => ({ char, quoted })));
  const any = path ? '[^/]' : '[\\s\\S]';
  let source = '';
  for (let at = 0; at < chars.length; at += 1) {
    const { char, quoted } = chars[at]!;
    if (quoted) source += escaped(char);
    else if (char === '*') source += `${any}*`;
    else if (char === '?') source += any;
    else if (char === '[') {
      const set = bracket(chars, at);
      source += set?.source ?? '\\[';
      at = set?.end ?? at;
    } else if (char === '\\' && at + 1 < chars.length) {
      at += 1;
      source += escaped(chars[at]!.char);
    } else source += escaped(char);
  }
  return source;
}

export function matches(segments: readonly Segment[], text: string): boolean {
  return new RegExp(`^(?:${patternSource(segments)})$`, 'u').test(text);
}

function escaped(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

const classes: Record<string, string> = {
  digit: '0-9',
  alpha: 'A-Za-z',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
};

function bracket(chars: readonly { char: string; quoted: boolean }[], start: number) {
  let at = start + 1;
  let inner = '';
  const negated = chars[at]?.char === '!' || chars[at]?.char === '^';
  if (negated) at += 1;
  for (let first = true; at < chars.length; at += 1, first = false) {
    const { char, quoted } = chars[at]!;
    if (char === ']' && !quoted && !first) return { source: `[${negated ? '^' : ''}${inner}]`, end: at };
    if (char === '[' && chars[at + 1]?.char === ':') {
      const rest = chars.slice(at + 2, at + 12).map((one) => one.char);
      const name = /^([a-z]+):\]/.exec(rest.join(''))?.[1];
      if (name === undefined || !Object.hasOwn(classes, name)) return undefined;
      inner += classes[name];
      at += name.length + 3;
    } else if (char === '-' && !quoted && !first && chars[at + 1]?.char !== ']') inner += '-';
    else inner += char.replace(/[\\\]^[-]/, '\\$&');
  }
  return undefined;
}
