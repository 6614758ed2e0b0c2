/** `test`, `[` and bash's `[[`: true, false or unknown (undefined). */
import { isKnown } from '../../launch/launch-context.js';
import { expandText, segmentsOf } from '../expand/shell-expand.js';
import { fileTest } from '../expand/shell-files.js';
import { matches } from '../expand/shell-pattern.js';
import { literal, type Word } from '../parser/shell-tree.js';
import type { ShellState } from '../shell-state.js';

type Truth = boolean | undefined;

/** Longer expressions are not evaluated: their value is unknown. */
const maxWords = 200;

const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);
const both = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === undefined || b === undefined ? undefined : true;
const either = (a: Truth, b: Truth): Truth => not(both(not(a), not(b)));

const unary = /^-[a-zA-Z]$/;
const numeric: Record<string, (a: number, b: number) => boolean> = {
  '-eq': (a, b) => a === b,
  '-ne': (a, b) => a !== b,
  '-lt': (a, b) => a < b,
  '-le': (a, b) => a <= b,
  '-gt': (a, b) => a > b,
  '-ge': (a, b) => a >= b,
};
const binaryOperator = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

/** The value of `test` by the number of its arguments (POSIX test(1)). Undefined also where the words are not a test. */
export function test(words: readonly string[], state: ShellState): Truth {
  const [a, b, c] = words;
  switch (words.length) {
    case 0:
      return false;
    case 1:
      return isKnown(a!) ? a !== '' : a!.replaceAll('\0', '') !== '' || undefined;
    case 2:
      if (a === '!') return not(test(words.slice(1), state));
      return unary.test(a!) ? single(a!, b!, state) : undefined;
    case 3:
      if (binaryOperator.test(b!)) return pair(a!, b!, c!);
      if (a === '!') return not(test(words.slice(1), state));
      if (a === '(' && c === ')') return test([b!], state);
  }
  return words.length < 3 || words.length > maxWords ? undefined : evaluateWords([...words], state);
}

/** Expressions with `-a` and `-o`. */
function evaluateWords(words: string[], state: ShellState): Truth {
  const or = topLevel(words, '-o');
  if (or > 0) return either(evaluateWords(words.slice(0, or), state), evaluateWords(words.slice(or + 1), state));
  const and = topLevel(words, '-a');
  if (and > 0) return both(evaluateWords(words.slice(0, and), state), evaluateWords(words.slice(and + 1), state));
  if (words[0] === '!') return not(evaluateWords(words.slice(1), state));
  if (words[0] === '(' && words.at(-1) === ')') return evaluateWords(words.slice(1, -1), state);
  const [a, b, c] = words as [string, string, string];
  if (words.length === 3) return binaryOperator.test(b) ? pair(a, b, c) : undefined;
  return words.length < 3 ? test(words, state) : undefined;
}

function topLevel(words: readonly string[], operator: string): number {
  let open = 0;
  for (let at = words.length - 1; at > 0; at -= 1) {
    if (words[at] === ')') open += 1;
    if (words[at] === '(') open -= 1;
    if (open === 0 && words[at] === operator && at < words.length - 1) return at;
  }
  return -1;
}

function single(operator: string, operand: string, state: ShellState): Truth {
  if (operator === '-n' || operator === '-z') {
    const isFull = isKnown(operand) ? operand !== '' : operand.replaceAll('\0', '') !== '' || undefined;
    return operator === '-n' ? isFull : not(isFull);
  }
  return fileTest(operator, operand, state);
}

function pair(a: string, operator: string, b: string): Truth {
  if (!isKnown(a) || !isKnown(b)) return undefined;
  if (operator === '=' || operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  const compare = numeric[operator];
  if (compare === undefined) return undefined;
  const isNumber = (text: string) => /^\s*[-+]?\d+\s*$/.test(text);
  // A comparison of something that is not a number is an error.
  return isNumber(a) && isNumber(b) ? compare(Number(a), Number(b)) : undefined;
}

/** The value of `[[ … ]]`: words are not split, and the right side of `==` is a pattern. */
export function condition(tokens: readonly (Word | string)[], state: ShellState): Truth {
  if (tokens.length > maxWords) return undefined;
  const ahead = [...tokens].reverse();
  const truth = orPart(ahead, state);
  return ahead.length > 0 ? undefined : truth;
}

function orPart(tokens: (Word | string)[], state: ShellState): Truth {
  let truth = andPart(tokens, state);
  while (tokens.at(-1) === '||') {
    tokens.pop();
    truth = either(truth, andPart(tokens, state));
  }
  return truth;
}

function andPart(tokens: (Word | string)[], state: ShellState): Truth {
  let truth = term(tokens, state);
  while (tokens.at(-1) === '&&') {
    tokens.pop();
    truth = both(truth, term(tokens, state));
  }
  return truth;
}

function term(tokens: (Word | string)[], state: ShellState): Truth {
  const first = tokens.pop();
  if (first === '(') {
    const truth = orPart(tokens, state);
    if (tokens.pop() !== ')') tokens.push('(');
    return truth;
  }
  if (first === undefined || typeof first === 'string') return undefined;
  const plain = literal(first);
  if (plain === '!') return not(term(tokens, state));
  const second = tokens.at(-1);
  if (plain !== undefined && unary.test(plain) && Array.isArray(second)) {
    tokens.pop();
    return single(plain, expandText(second, state), state);
  }
  const left = expandText(first, state);
  const operator = typeof second === 'string' ? second : second === undefined ? undefined : literal(second);
  if (operator === undefined || !(binaryOperator.test(operator) || operator === '=~')) {
    return isKnown(left) ? left !== '' : undefined;
  }
  tokens.pop();
  const right = tokens.pop();
  if (!Array.isArray(right) || operator === '=~') return undefined;
  if (!['=', '==', '!='].includes(operator)) return pair(left, operator, expandText(right, state));
  const pattern = segmentsOf(right, state);
  if (!isKnown(left) || pattern.some(({ text }) => !isKnown(text))) return undefined;
  return matches(pattern, left) === (operator !== '!=');
}
