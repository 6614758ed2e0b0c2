/**
 * Whether Filebeat's script engine (goja, ECMAScript 5.1) compiles a script. The parser of Node finds what no edition
 * allows; this file finds what only later editions allow. The script is never run.
 */
import { Script } from 'node:vm';
import { expectsOperand, type Token, tokensOf } from './script-tokens.js';

const LATER_SIGNS = new Set(['=>', '...', '**', '**=', '?.', '??', '??=', '&&=', '||=', '#', '@']);
const RESERVED = new Set(['const', 'class', 'debugger', 'enum', 'export', 'extends', 'import', 'super']);

/** `unsure`: the script has a regular expression that Node refuses and Go may accept. */
export type Compiled = { ok: true; tokens: Token[]; unsure: boolean } | { ok: false };

export function compileScript(script: string): Compiled {
  let unsure = false;
  try {
    // Compiles, runs nothing. Filebeat compiles scripts in strict mode.
    new Script(`'use strict';${script}`);
  } catch (error) {
    // Go accepts other regular expressions than Node.
    const isRegexp = error instanceof Error && error.message.startsWith('Invalid regular expression');
    if (!isRegexp || script.startsWith('#!')) return { ok: false };
    unsure = true;
  }
  const tokens = tokensOf(script);
  return hasLaterSyntax(tokens) ? { ok: false } : { ok: true, tokens, unsure };
}

/** An open bracket. `literal`: an array or object, not an index or a block. */
interface Open {
  sign: string;
  literal: boolean;
  /** Number of `?` without their `:` so far. */
  conditions: number;
  /** The last colon belonged to a `?`. */
  branch: boolean;
}

function hasLaterSyntax(tokens: readonly Token[]): boolean {
  const open: Open[] = [{ sign: '', literal: false, conditions: 0, branch: false }];
  for (const [index, token] of tokens.entries()) {
    const [before, next] = [tokens[index - 1], tokens[index + 1]];
    const inside = open.at(-1)!;
    if (isLater(token, before, next)) return true;
    if (token.kind === 'name' && isLaterWord(tokens, index, inside)) return true;
    if (token.kind !== 'sign') {
      if (inside.sign === '{' && inside.literal && isKey(before) && !isOldKey(token, next)) return true;
      continue;
    }
    if (token.text === '?') inside.conditions++;
    if (token.text === ':') inside.branch = inside.conditions > 0 && inside.conditions-- > 0;
    if ('([{'.includes(token.text)) {
      if (token.text === '[' && inside.sign === '{' && inside.literal && isKey(before)) return true;
      open.push({ sign: token.text, literal: isLiteral(token, before, inside), conditions: 0, branch: false });
    } else if (')]}'.includes(token.text) && open.length > 1) {
      const closed = open.pop()!;
      if (closed.literal && next?.text === '=' && next.kind === 'sign') return true;
    }
  }
  return false;
}

function isLater(token: Token, before: Token | undefined, next: Token | undefined): boolean {
  if (token.kind === 'template') return true;
  if (token.kind === 'number') return /^0[bBoO]|_|n$/.test(token.text) && !/^0[xX][0-9a-fA-F]+$/.test(token.text);
  if (token.kind === 'regexp')
    return /[^gim]/.test(token.text.slice(token.text.lastIndexOf('/') + 1)) || /\(\?<[=!]/.test(token.text);
  if (token.kind === 'string') return /(?<!\\)(?:\\\\)*\\u\{/.test(token.text);
  if (token.kind !== 'sign') return false;
  if (LATER_SIGNS.has(token.text)) return true;
  if (token.text === ')' && before?.text === ',' && before.kind === 'sign') return true;
  return token.text === '*' && before?.text === 'function' && next !== undefined;
}

function isLaterWord(tokens: readonly Token[], index: number, inside: Open): boolean {
  const [before, token, next] = [tokens[index - 1], tokens[index]!, tokens[index + 1]];
  if (before?.text === '.') return token.text === 'target' && tokens[index - 2]?.text === 'new';
  // Any word may be the name of a property.
  if (inside.sign === '{' && inside.literal && isKey(before)) return false;
  switch (token.text) {
    case 'let':
      return (
        !next?.newLine && (next?.kind === 'name' || next?.text === '[' || next?.text === '{') && next.text !== 'in'
      );
    case 'async':
      return next?.text === 'function' && !next.newLine;
    case 'var':
      return next?.text === '{' || next?.text === '[';
    case 'catch':
      return next?.text === '{' || (next?.text === '(' && tokens[index + 2]?.kind !== 'name');
    case 'of':
      return (
        inside.sign === '(' &&
        before?.kind === 'name' &&
        !/^(?:var|in)$/.test(before.text) &&
        /^[^=;,)]/.test(next?.text ?? ';')
      );
    case 'function':
      return hasLaterParameters(tokens, index);
    default:
      return RESERVED.has(token.text);
  }
}

/** Parameters are names with commas between them. */
function hasLaterParameters(tokens: readonly Token[], index: number): boolean {
  let at = index + (tokens[index + 1]?.kind === 'name' ? 3 : 2);
  for (; at < tokens.length && tokens[at]!.text !== ')'; at++)
    if (tokens[at]!.kind !== 'name' && tokens[at]!.text !== ',') return true;
  return false;
}

/** Inside an object a key follows this token. */
function isKey(before: Token | undefined): boolean {
  return before?.kind === 'sign' && (before.text === '{' || before.text === ',');
}

/** `name: value`, or `get name() {…}`. Without the colon it is a shorthand of later editions. */
function isOldKey(token: Token, next: Token | undefined): boolean {
  if (next?.text === ':') return true;
  return (token.text === 'get' || token.text === 'set') && next !== undefined && next.kind !== 'sign';
}

function isLiteral(token: Token, before: Token | undefined, inside: Open): boolean {
  if (token.text === '(') return false;
  if (token.text === '[') return expectsOperand(before);
  if (before === undefined || before.text === ';' || before.text === '{' || before.text === '}') return false;
  if (before.kind === 'name')
    return /^(?:return|typeof|in|new|delete|void|throw|case)$/.test(before.text) && !token.newLine;
  if (before.text !== ':') return expectsOperand(before);
  // After a colon: the value of a key, a branch of a condition, or the block of a label.
  return inside.sign === '(' || inside.sign === '[' || inside.literal || inside.branch;
}
