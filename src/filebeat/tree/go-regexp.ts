/**
 * Whether Go's `regexp.Compile` accepts a pattern (RE2 syntax: https://pkg.go.dev/regexp/syntax). A bad pattern stops
 * an input or the process, so the result must be right in both directions.
 */

/** Go's limit for the numbers in `x{n,m}`. */
const MAX_REPEAT = 1000;
/** Go's limit, too. */
const MAX_DEPTH = 1000;
/** Longer patterns count as valid. */
const MAX_LENGTH = 50_000;

const REPEAT = /\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/y;
const GROUP_NAME = /P?<([A-Za-z0-9_]+)>/y;
const GROUP_FLAGS = /(?:[imsU]*(?:-[imsU]+)?)[:)]/y;
const POSIX_CLASS = /\[:(\^?)([a-z]+):\]/y;
const POSIX_NAMES = new Set(
  'alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit'.split(' '),
);
/** Escapes for classes of characters. */
const PERL_CLASSES = 'dDsSwW';

class Refused extends Error {}

/** Whether Go compiles the pattern. */
export function validGoRegexp(pattern: string): boolean {
  if (pattern.length > MAX_LENGTH) return true;
  try {
    new Parser(pattern).whole();
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): void {
    /** For each open group the largest repeat count inside it; Go limits the product of nested counts. */
    const groups = [1];
    /** The largest repeat count of the operand before; undefined if there is none, 0 if it is repeated already. */
    let before: number | undefined;
    while (this.at < this.text.length) {
      const letter = this.text[this.at]!;
      if (letter === '(') {
        if (!this.open()) continue;
        if (groups.push(1) > MAX_DEPTH) throw new Refused();
        before = undefined;
        continue;
      }
      if (letter === ')') {
        this.at++;
        before = groups.pop();
        if (groups.length === 0) throw new Refused();
      } else if (letter === '|') {
        this.at++;
        before = undefined;
        continue;
      } else {
        const times = this.repeats();
        if (times === undefined) {
          if (!this.operand(letter)) continue;
          before = 1;
        } else {
          if (!before || before * times > MAX_REPEAT) throw new Refused();
          groups.push(Math.max(groups.pop()!, before * times));
          before = 0;
          continue;
        }
      }
      groups.push(Math.max(groups.pop()!, before ?? 1));
    }
    if (groups.length > 1) throw new Refused();
  }

  /** One character or class. False for `\Q\E`, which is empty. */
  private operand(letter: string): boolean {
    if (letter === '[') this.charClass();
    else if (this.text.startsWith('\\Q\\E', this.at)) {
      this.at += 4;
      return false;
    } else if (letter === '\\') this.escape(false);
    else this.at++;
    return true;
  }

  /** After `(`. False for flags that open no group (`(?i)`). */
  private open(): boolean {
    this.at++;
    if (this.text[this.at] !== '?') return true;
    this.at++;
    if (this.match(GROUP_NAME)) return true;
    const flags = this.match(GROUP_FLAGS);
    if (!flags) throw new Refused();
    return flags[0].endsWith(':');
  }

  /**
   * `*`, `+`, `?` or `{n,m}`, each with an optional `?`: returns the count as Go limits it. Other braces are literal.
   */
  private repeats(): number | undefined {
    const letter = this.text[this.at]!;
    let times = 1;
    if (letter === '{') {
      const counted = this.match(REPEAT);
      if (!counted) return undefined;
      const [least, most] = [Number(counted[1]), counted[3] === undefined ? undefined : Number(counted[3])];
      if (least > MAX_REPEAT || (most !== undefined && (most > MAX_REPEAT || most < least))) throw new Refused();
      times = Math.max(1, most ?? least);
    } else if (letter === '*' || letter === '+' || letter === '?') this.at++;
    else return undefined;
    if (this.text[this.at] === '?') this.at++;
    return times;
  }

  private charClass(): void {
    this.at++;
    if (this.text[this.at] === '^') this.at++;
    // A bracket right after the opening one is literal.
    for (let first = true; first || this.text[this.at] !== ']'; first = false) {
      if (this.at >= this.text.length) throw new Refused();
      const posix = this.match(POSIX_CLASS);
      if (posix) {
        if (!POSIX_NAMES.has(posix[2]!)) throw new Refused();
        continue;
      }
      const low = this.classLetter();
      if (low === undefined) continue;
      const next = this.text[this.at + 1];
      if (this.text[this.at] !== '-' || next === undefined || next === ']') continue;
      this.at++;
      const high = this.classLetter();
      if (high === undefined || high < low) throw new Refused();
    }
    this.at++;
  }

  /** Code point of one character of a class; undefined for a class such as `\d`. */
  private classLetter(): number | undefined {
    if (this.text[this.at] === '\\') return this.escape(true);
    const code = this.text.codePointAt(this.at);
    if (code === undefined) throw new Refused();
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }

  private escape(inClass: boolean): number | undefined {
    const letter = this.text[this.at + 1];
    if (letter === undefined) throw new Refused();
    this.at += 2;
    if (PERL_CLASSES.includes(letter)) return undefined;
    if (letter === 'p' || letter === 'P') return this.unicodeClass();
    if (!inClass && 'AbBz'.includes(letter)) return undefined;
    if (!inClass && letter === 'Q') {
      const end = this.text.indexOf('\\E', this.at);
      this.at = end < 0 ? this.text.length : end + 2;
      return undefined;
    }
    const simple = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }[letter];
    if (simple !== undefined) return simple;
    if (letter === 'x') {
      const hex = this.match(/\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{2})/y);
      const code = Number.parseInt(hex?.[1] ?? hex?.[2] ?? '', 16);
      if (!(code <= 0x10ffff)) throw new Refused();
      return code;
    }
    if (letter === '0') return Number.parseInt(this.match(/[0-7]{1,2}/y)?.[0] ?? '0', 8);
    // `\1` is a back reference, which Go lacks; `\12` is an octal number.
    const octal = /[1-7]/.test(letter) ? this.match(/[0-7]{1,2}/y) : null;
    if (octal) return Number.parseInt(letter + octal[0], 8);
    const code = letter.codePointAt(0)!;
    if (code >= 0x80 || /[0-9A-Za-z]/.test(letter)) throw new Refused();
    return code;
  }

  private unicodeClass(): undefined {
    const match = this.match(/\{\^?([^}]+)\}|([A-Za-z])/y);
    const name = match?.[1] ?? match?.[2];
    if (name === undefined || !isUnicodeTable(name)) throw new Refused();
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at += match[0].length;
    return match;
  }
}

/** A general category (`Lu`) or a script (`Greek`); Go and ECMAScript use the same names. */
function isUnicodeTable(name: string): boolean {
  if (name === 'Any') return true;
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return false;
  return [name, `Script=${name}`].some((property) => {
    try {
      return new RegExp(`\\p{${property}}`, 'u') instanceof RegExp;
    } catch {
      return false;
    }
  });
}
