/**
 * The grammar of the values of `-E`, `-M` and environment variables: JSON with bare words, trailing commas, and commas
 * at the top level that make lists.
 */
import { parseGoFloat, parseGoInt } from './go-number.js';

/** Plain data. Whole numbers are `number`, or `bigint` where `number` would lose digits. */
export type Plain = null | boolean | number | bigint | string | GoFloat | Plain[] | PlainMap;

export type PlainMap = { [key: string]: Plain };

/** A floating-point number, which Go prints and converts differently from a whole number. */
export interface GoFloat {
  float: number;
}

export function isGoFloat(value: Plain): value is GoFloat {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isFloatShape(value);
}

function isFloatShape(value: object): boolean {
  // PlainMaps have no prototype (see `plainMap`); only a GoFloat is an ordinary object.
  return Object.getPrototypeOf(value) === Object.prototype && typeof (value as GoFloat).float === 'number';
}

/** A map without a prototype, so that `__proto__` is an ordinary key. */
export function plainMap(): PlainMap {
  return Object.create(null) as PlainMap;
}

export function isPlainMap(value: Plain | undefined): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isGoFloat(value);
}

const TRUE_WORDS = new Set(['t', 'T', 'true', 'TRUE', 'True', 'on', 'ON']);
const FALSE_WORDS = new Set(['f', 'F', 'false', 'FALSE', 'False', 'off', 'OFF']);

function parseWord(word: string): Plain {
  if (word === 'null') return null;
  if (TRUE_WORDS.has(word)) return true;
  if (FALSE_WORDS.has(word)) return false;
  const whole = parseGoInt(word, false) ?? parseGoInt(word, true);
  if (whole !== undefined) return whole;
  const float = parseGoFloat(word);
  return float === undefined ? word : { float };
}

export type ParsedValue = { ok: true; value: Plain } | { ok: false };

/** Deeper values are refused: no Filebeat option nests so deep, and the stack is finite. */
const MAX_DEPTH = 200;

class Refused extends Error {}

/** Parses one value. Without `objects` (environment variables since 7.0) `{` is an ordinary character. */
export function parseValue(text: string, options: { objects: boolean } = { objects: true }): ParsedValue {
  try {
    return { ok: true, value: new Reader(goTrim(text), options.objects).top() };
  } catch (error) {
    if (error instanceof Refused) return { ok: false };
    throw error;
  }
}

/** Go's `strings.TrimSpace`; unlike in JavaScript, U+FEFF is no white space. */
export function goTrim(text: string): string {
  return text
    .replace(/^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, '')
    .replace(/[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/, '');
}

class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly objects: boolean,
  ) {}

  top(): Plain {
    const values: Plain[] = [];
    for (;;) {
      values.push(this.value(',', 0));
      this.blanks();
      if (this.at >= this.text.length) break;
      this.expect(',');
    }
    return values.length === 1 ? values[0]! : values;
  }

  private value(stops: string, depth: number): Plain {
    if (depth > MAX_DEPTH) throw new Refused();
    this.blanks();
    switch (this.text[this.at]) {
      case undefined:
        return null;
      case '[':
        return this.list(depth);
      case '{':
        return this.objects ? this.object(depth) : parseWord(this.bare(stops));
      case '"':
        return this.doubleQuoted();
      case "'":
        return this.singleQuoted();
      default:
        return parseWord(this.bare(stops));
    }
  }

  private list(depth: number): Plain {
    this.at++;
    const values: Plain[] = [];
    for (;;) {
      this.blanks();
      if (this.text[this.at] === ']') {
        this.at++;
        break;
      }
      values.push(this.value(',]', depth + 1));
      this.blanks();
      const next = this.text[this.at++];
      if (next === ']') break;
      if (next !== ',') throw new Refused();
    }
    // Filebeat reads an empty list as null.
    return values.length === 0 ? null : values;
  }

  private object(depth: number): Plain {
    this.at++;
    const map = plainMap();
    for (;;) {
      this.blanks();
      if (this.text[this.at] === '}') {
        this.at++;
        break;
      }
      const key = this.key();
      this.blanks();
      this.expect(':');
      map[key] = this.value(',}', depth + 1);
      // Filebeat skips no blanks here, either: it refuses `{a: "b" }`.
      const next = this.text[this.at++];
      if (next === '}') break;
      if (next !== ',') throw new Refused();
    }
    return Object.keys(map).length === 0 ? null : map;
  }

  private key(): string {
    const first = this.text[this.at];
    if (first === undefined) throw new Refused();
    if (first === '"') return this.doubleQuoted();
    if (first === "'") return this.singleQuoted();
    return this.bare(':');
  }

  private bare(stops: string): string {
    let end = this.at;
    while (end < this.text.length && !stops.includes(this.text[end]!)) end++;
    if (end === this.at) throw new Refused();
    const word = goTrim(this.text.slice(this.at, end));
    this.at = end;
    return word;
  }

  private singleQuoted(): string {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw new Refused();
    const inner = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return inner;
  }

  private doubleQuoted(): string {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw new Refused();
    } while (this.text[end - 1] === '\\');
    const inner = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return unquoteGo(inner);
  }

  private blanks(): void {
    const leading = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
    const blank = leading.exec(this.text.slice(this.at, this.at + 64));
    if (!blank) return;
    this.at += blank[0].length;
    if (blank[0].length === 64) this.blanks();
  }

  private expect(letter: string): void {
    if (this.text[this.at] !== letter) throw new Refused();
    this.at++;
  }
}

const SIMPLE_ESCAPES: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** Go's `strconv.Unquote` of the text between double quotes. */
function unquoteGo(inner: string): string {
  if (inner.includes('\n')) throw new Refused();
  return inner.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]?))/g,
    (_all, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
      const code = hex ?? short ?? long;
      if (code !== undefined) return codePoint(Number.parseInt(code, 16));
      if (octal !== undefined) return codePoint(Number.parseInt(octal, 8));
      const letter = SIMPLE_ESCAPES[simple ?? ''];
      if (letter === undefined) throw new Refused();
      return letter;
    },
  );
}

function codePoint(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new Refused();
  return String.fromCodePoint(code);
}
