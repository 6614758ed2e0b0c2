/** Patterns of the shell (POSIX "2.13 Pattern Matching Notation"). Matching takes time linear in text and pattern. */

/** A part of a word; in a pattern quoted text is literal. */
export interface Segment {
  text: string;
  quoted: boolean;
}

export const hasPattern = (segments: readonly Segment[]): boolean =>
  segments.some(({ text, quoted }) => !quoted && /[*?[]/.test(text));

/** Whether a pattern matches all of a text. */
export function matches(segments: readonly Segment[], text: string): boolean {
  const chars = [...text];
  return matchLengths(compile(segments), chars).at(-1) === chars.length;
}

/** `#`, `##`, `%`, `%%`: removes the shortest or longest prefix or suffix that matches. */
export function trimText(text: string, segments: readonly Segment[], operator: string): string {
  const isSuffix = operator.startsWith('%');
  const chars = [...text];
  const tokens = compile(segments);
  const lengths = isSuffix ? matchLengths(tokens.reverse(), [...chars].reverse()) : matchLengths(tokens, chars);
  const length = (operator.length === 2 ? lengths.at(-1) : lengths[0]) ?? 0;
  return (isSuffix ? chars.slice(0, chars.length - length) : chars.slice(length)).join('');
}

/** `/` and `//`: replaces the first or every longest match; undefined where that takes too long. */
export function replaceMatches(
  text: string,
  segments: readonly Segment[],
  replacement: string,
  every: boolean,
): string | undefined {
  const chars = [...text];
  const tokens = compile(segments);
  if (chars.length * chars.length * tokens.length > 10_000_000) return undefined;
  if (chars.length === 0) return matchLengths(tokens, chars).length > 0 ? replacement : '';
  let replaced = '';
  for (let at = 0; at < chars.length; ) {
    const length = matchLengths(tokens, chars.slice(at)).at(-1) ?? 0;
    replaced += length > 0 ? replacement : chars[at]!;
    at += Math.max(1, length);
    if (length > 0 && !every) return replaced + chars.slice(at).join('');
  }
  return replaced;
}

/** `*`, or a test of one character. */
type Token = '*' | ((char: string) => boolean);

/** The lengths of all prefixes that match, ascending. */
function matchLengths(tokens: readonly Token[], chars: readonly string[]): number[] {
  const lengths: number[] = [];
  // Indexes of the tokens that may come next, as in a simulation of a nondeterministic automaton.
  let states = withoutStars(new Set([0]), tokens);
  for (let length = 0; states.size > 0; length += 1) {
    if (states.has(tokens.length)) lengths.push(length);
    const char = chars[length];
    if (char === undefined) break;
    const following = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token === '*') following.add(state);
      else if (token?.(char)) following.add(state + 1);
    }
    states = withoutStars(following, tokens);
  }
  return lengths;
}

/** Adds the states that are reached because a star matches nothing. */
function withoutStars(states: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const state of states) if (tokens[state] === '*') states.add(state + 1);
  return states;
}

function compile(segments: readonly Segment[]): Token[] {
  const chars = segments.flatMap(({ text, quoted }) => [...text].map((char) => ({ char, quoted })));
  const tokens: Token[] = [];
  const lastClosing = chars.findLastIndex(({ char, quoted }) => char === ']' && !quoted);
  const literal = (wanted: string) => tokens.push((char) => char === wanted);
  for (let at = 0; at < chars.length; at += 1) {
    const { char, quoted } = chars[at]!;
    if (quoted) literal(char);
    else if (char === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (char === '?') tokens.push(() => true);
    else if (char === '[') {
      const set = at < lastClosing ? bracket(chars, at) : undefined;
      if (set === undefined) literal('[');
      else tokens.push(set.test);
      at = set?.end ?? at;
    } else if (char === '\\' && at + 1 < chars.length) {
      at += 1;
      literal(chars[at]!.char);
    } else literal(char);
  }
  return tokens;
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

/** `[…]` that begins at `start`; undefined where nothing closes it. */
function bracket(chars: readonly { char: string; quoted: boolean }[], start: number) {
  let at = start + 1;
  let inner = '';
  const isNegated = chars[at]?.char === '!' || chars[at]?.char === '^';
  if (isNegated) at += 1;
  for (let first = true; at < chars.length; at += 1, first = false) {
    const { char, quoted } = chars[at]!;
    if (char === ']' && !quoted && !first) return { test: setTest(`[${isNegated ? '^' : ''}${inner}]`), end: at };
    if (char === '[' && chars[at + 1]?.char === ':') {
      const ahead = chars.slice(at + 2, at + 12).map((one) => one.char);
      const name = /^([a-z]+):\]/.exec(ahead.join(''))?.[1];
      if (name === undefined || !Object.hasOwn(classes, name)) return undefined;
      inner += classes[name];
      at += name.length + 3;
    } else if (char === '-' && !quoted && !first && chars[at + 1]?.char !== ']') inner += '-';
    else inner += char.replace(/[\\\]^[-]/, '\\$&');
  }
  return undefined;
}

/** A range from a later to an earlier character, as in `[z-a]`, matches nothing. */
function setTest(source: string): (char: string) => boolean {
  try {
    const set = new RegExp(`^${source}$`, 'u');
    return (char) => set.test(char);
  } catch {
    return () => false;
  }
}
