/**
 * What the top level of a script does, as far as its text shows: which functions it defines, and whether it certainly
 * throws. Where that depends on a condition, there is no fault.
 */
import type { Token } from './script-tokens.js';

/** Names of ECMAScript, and what Filebeat adds (script/javascript/session.go and its modules). */
const GLOBALS = new Set(
  (
    'Object Function Array String Boolean Number Date RegExp Error EvalError RangeError ReferenceError SyntaxError ' +
    'TypeError URIError Math JSON NaN Infinity undefined parseInt parseFloat isNaN isFinite decodeURI ' +
    'decodeURIComponent encodeURI encodeURIComponent eval arguments GoError require console Event'
  ).split(' '),
);
const WORDS = new Set(
  (
    'break case catch continue debugger default delete do else finally for function if in instanceof new return ' +
    'switch this throw try typeof var void while with true false null'
  ).split(' '),
);
/** After one of these the result depends on a condition. */
const CONDITIONAL = new Set(['if', 'for', 'while', 'do', 'try', 'switch', 'with', '&&', '||', '?', 'return']);

/** The code of the fault of a script that compiles. `hasParams`: it needs a function `register`. */
export function topLevelFault(tokens: readonly Token[], hasParams: boolean): string | undefined {
  const defines = (name: string): boolean => {
    let depth = 0;
    return tokens.some(({ kind, text }, at) => {
      if (kind === 'sign') depth += text === '{' ? 1 : text === '}' ? -1 : 0;
      if (kind !== 'name' || text !== name) return false;
      const before = tokens[at - 1]?.text ?? '';
      return before === 'function' ? depth === 0 : before === 'var' || before === ',' || tokens[at + 1]?.text === '=';
    });
  };
  if (throws(tokens)) return 'script-throws';
  if (!defines('process') || isNoFunction('process', tokens)) return 'script-no-process';
  if (isNoFunction('test', tokens)) return 'script-throws';
  return hasParams && !defines('register') ? 'script-no-register' : undefined;
}

/** A variable that is never set, or set once, to something other than a function. */
function isNoFunction(name: string, tokens: readonly Token[]): boolean {
  const indexes = tokens.flatMap(({ kind, text }, at) => (kind === 'name' && text === name ? [at] : []));
  const [at, second] = indexes;
  if (at === undefined || second !== undefined || tokens[at - 1]?.text !== 'var') return false;
  const [next, value, end] = [tokens[at + 1], tokens[at + 2], tokens[at + 3]];
  if (next === undefined || next.text === ';') return true;
  const isAlone = end === undefined || end.text === ';';
  return next.text === '=' && isAlone && (value?.kind === 'number' || value?.kind === 'string' || isConstant(value));
}

function isConstant(token: Token | undefined): boolean {
  return token !== undefined && ['true', 'false', 'null', 'undefined'].includes(token.text);
}

/** Filebeat runs a function `test` when it loads the script; an exception in it is a fault. */
export function runsTest(tokens: readonly Token[]): boolean {
  return tokens.some(({ kind, text }, at) => kind === 'name' && text === 'test' && tokens[at - 1]?.text === 'function');
}

/** True for a `throw`, or the use of an undeclared name, before anything depends on a condition. */
function throws(tokens: readonly Token[]): boolean {
  const declared = declaredNames(tokens);
  let depth = 0;
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind === 'sign' && text === '{') depth++;
    else if (kind === 'sign' && text === '}') depth--;
    if (depth > 0) continue;
    const [before, next] = [tokens[at - 1]?.text, tokens[at + 1]?.text];
    if (before === '.' || kind === 'string' || kind === 'regexp' || kind === 'number') continue;
    if (CONDITIONAL.has(text)) return false;
    if (kind !== 'name') continue;
    if (text === 'throw') return true;
    if (text === 'require' && next === '(' && unknownModule(tokens[at + 2])) return true;
    const known = WORDS.has(text) || GLOBALS.has(text) || declared.has(text);
    if (!known && before !== 'typeof' && next !== ':') return true;
  }
  return false;
}

const MODULES = new Set(['console', 'net', 'path', 'processor', 'windows', 'winlogbeat']);

function unknownModule(name: Token | undefined): boolean {
  return name?.kind === 'string' && !MODULES.has(name.text.slice(1, -1));
}

/** All declared names, parameters included. */
function declaredNames(tokens: readonly Token[]): Set<string> {
  const names = new Set<string>();
  for (const [at, { text }] of tokens.entries()) {
    if (text === 'function' || text === 'catch') {
      let inner = at + 1;
      if (tokens[inner]?.kind === 'name') names.add(tokens[inner++]!.text);
      for (; inner < tokens.length && tokens[inner]!.text !== ')'; inner++) names.add(tokens[inner]!.text);
    } else if (text === 'var') addVariables(tokens, at + 1, names);
  }
  return names;
}

/** `var a = f(1, 2), b;` declares a and b. */
function addVariables(tokens: readonly Token[], from: number, names: Set<string>): void {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if (kind === 'sign' && '([{'.includes(text)) depth++;
    else if (kind === 'sign' && ')]}'.includes(text)) {
      if (--depth < 0) return;
    } else if (depth === 0 && text === ';') return;
    else if (depth === 0 && kind === 'name' && (at === from || tokens[at - 1]!.text === ',')) names.add(text);
  }
}
