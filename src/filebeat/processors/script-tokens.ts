/** Splits a script into tokens, for `script-syntax.ts`. The script must be valid in some edition of ECMAScript. */

export interface Token {
  kind: 'name' | 'number' | 'string' | 'template' | 'regexp' | 'sign';
  text: string;
  /** There is a line break before it. */
  newLine: boolean;
}

const BLANKS = /[\s\ufeff]+|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\//y;
const NAME = /[\p{ID_Start}$_\\][\p{ID_Continue}$_\\\u200c\u200d]*/uy;
const NUMBER = /(?:0[xXbBoO][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)n?/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-zA-Z]*/y;
const SIGN =
  />>>=|\.\.\.|===|!==|>>>|<<=|>>=|\*\*=|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<|>>|\*\*|[\s\S]/uy;

/** Words after which a slash begins a regular expression. */
const BEFORE_OPERAND = new Set('return typeof instanceof in of new delete void throw case do else'.split(' '));

/** True if an operand follows this token, not an operator. */
export function expectsOperand(before: Token | undefined): boolean {
  if (!before) return true;
  if (before.kind === 'name') return BEFORE_OPERAND.has(before.text);
  return before.kind === 'sign' && !/^(?:\)|\]|\}|\+\+|--)$/.test(before.text);
}

export function tokensOf(script: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const text = pattern.exec(script)?.[0];
    if (text) at += text.length;
    return text;
  };
  while (at < script.length) {
    let newLine = false;
    for (let blank = take(BLANKS); blank; blank = take(BLANKS)) newLine ||= /[\n\r\u2028\u2029]/.test(blank);
    if (at >= script.length) break;
    const add = (kind: Token['kind'], text: string): void => void tokens.push({ kind, text, newLine });
    const name = take(NAME);
    if (name) {
      add('name', name);
      continue;
    }
    const number = take(NUMBER);
    if (number) {
      add('number', number);
      continue;
    }
    const string = take(STRING);
    if (string) {
      add('string', string);
      continue;
    }
    if (script[at] === '`') {
      // ECMAScript 5 has no templates, so the rest does not matter.
      add('template', '`');
      return tokens;
    }
    const regexp = script[at] === '/' && expectsOperand(tokens.at(-1)) ? take(REGEXP) : undefined;
    if (regexp) add('regexp', regexp);
    else add('sign', take(SIGN)!);
  }
  return tokens;
}
