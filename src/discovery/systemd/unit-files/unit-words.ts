/**
 * Words of a unit file: quotes, C-style escapes and `$VARIABLES`, as systemd splits them (systemd.service(5) "COMMAND
 * LINES", systemd.exec(5) `Environment=`).
 */

export type Environment = Record<string, string>;

const separators = ' \t\n\r';

const simpleEscapes: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** A backslash begins a C escape (commands, `Environment=`), or stands for the next character (values of `$VAR`). */
export type Escapes = 'c' | 'plain';

export type Word = { word: string; rest: string } | { error: 'unbalanced quote' } | undefined;

/**
 * Splits off the first word. Quotes may begin anywhere in a word. An unknown escape stays as it is. Undefined at the end
 * of the text.
 */
export function firstWord(text: string, escapes: Escapes = 'c', lenient = false): Word {
  let at = 0;
  while (at < text.length && separators.includes(text[at]!)) at += 1;
  if (at === text.length) return undefined;
  let word = '';
  let quote = '';
  for (; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '\\') {
      const read = escapes === 'c' ? cEscape(text, at + 1) : { char: text[at + 1] ?? '', length: 1 };
      word += read.char;
      at += read.length;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if (separators.includes(char)) {
      break;
    } else {
      word += char;
    }
  }
  if (quote !== '' && !lenient) return { error: 'unbalanced quote' };
  while (at < text.length && separators.includes(text[at]!)) at += 1;
  return { word, rest: text.slice(at) };
}

function cEscape(text: string, at: number): { char: string; length: number } {
  const next = text[at];
  if (next === undefined) return { char: '\\', length: 0 };
  const simple = simpleEscapes[next];
  if (simple !== undefined) return { char: simple, length: 1 };
  const coded = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(text.slice(at, at + 9));
  if (coded) {
    const code = coded[4] !== undefined ? parseInt(coded[4], 8) : parseInt((coded[1] ?? coded[2] ?? coded[3])!, 16);
    if (code > 0 && code <= 0x10ffff) return { char: String.fromCodePoint(code), length: coded[0].length };
  }
  return { char: `\\${next}`, length: 1 };
}

/** All words; `broken`: an unbalanced quote ended the list. */
export function splitWords(
  text: string,
  escapes: Escapes = 'c',
  lenient = false,
): { words: string[]; broken: boolean } {
  const words: string[] = [];
  for (let rest = text; ; ) {
    const next = firstWord(rest, escapes, lenient);
    if (next === undefined) return { words, broken: false };
    if ('error' in next) return { words, broken: true };
    words.push(next.word);
    rest = next.rest;
  }
}

/**
 * Variables in the words of a command: a word that is `$NAME` becomes the words of its value (none when unset), `${NAME}`
 * becomes its value, `$$` a dollar sign; any other dollar stays. There are no defaults (`${A:-b}`).
 */
export function expandVariables(words: readonly string[], env: Environment): string[] {
  return words.flatMap((word) => {
    if (word.startsWith('$') && word[1] !== '{' && word[1] !== '$') {
      const value = lookup(env, word.slice(1));
      return value === undefined ? [] : splitWords(value, 'plain', true).words;
    }
    // Nothing after the last closing brace is a variable; searching there would take quadratic time.
    const end = word.lastIndexOf('}') + 1;
    const put = (all: string, name?: string) => (all === '$$' ? '$' : (lookup(env, name!) ?? ''));
    return [word.slice(0, end).replace(/\$\$|\$\{([^}]*)\}/g, put) + word.slice(end).replace(/\$\$/g, '$')];
  });
}

function lookup(env: Environment, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

export const validName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `NAME=value` → its parts; undefined where systemd would ignore it. */
export function assignmentOf(word: string): [name: string, value: string] | undefined {
  const equals = word.indexOf('=');
  const name = word.slice(0, Math.max(equals, 0));
  return validName.test(name) ? [name, word.slice(equals + 1)] : undefined;
}
