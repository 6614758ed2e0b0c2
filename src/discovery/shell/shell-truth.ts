/** `test`, `[` and bash's `[[`: true, false, or not known. */
import { isKnown } from '../launch/launch-world.js';
import { expandText, segmentsOf } from './shell-expand.js';
import { fileTest } from './shell-files.js';
import { matches } from './shell-pattern.js';
import type { ShellState } from './shell-state.js';
import type { Word } from './shell-syntax.js';

type Truth = boolean | undefined;

export const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);
export const both = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === undefined || b === undefined ? undefined : true;
export const either = (a: Truth, b: Truth): Truth => not(both(not(a), not(b)));

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

/** Of `test`, by the number of its arguments (POSIX test(1)). Undefined also where the words are no test. */
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
  return words.length < 3 ? undefined : joined([...words], state);
}

/** With `-a` and `-o`. */
function joined(words: string[], state: ShellState): Truth {
  const or = topLevel(words, '-o');
  if (or > 0) return either(joined(words.slice(0, or), state), joined(words.slice(or + 1), state));
  const and = topLevel(words, '-a');
  if (and > 0) return both(joined(words.slice(0, and), state), joined(words.slice(and + 1), state));
  if (words[0] === '!') return not(joined(words.slice(1), state));
  if (words[0] === '(' && words.at(-1) === ')') return joined(words.slice(1, -1), state);
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
  // What is no number is an error, and an error is not true.
  return isNumber(a) && isNumber(b) ? compare(Number(a), Number(b)) : undefined;
}

/** `[[ … ]]`: words are not split, the right side of `==` is a pattern. */
export function condition(tokens: readonly (Word | string)[], state: ShellState): Truth {
  const rest = [...tokens].reverse();
  const truth = orPart(rest, state);
  return rest.length > 0 ? undefined : truth;
}

function orPart(rest: (Word | string)[], state: ShellState): Truth {
  let truth = andPart(rest, state);
  while (rest.at(-1) === '||') {
    rest.pop();
    truth = either(truth, andPart(rest, state));
  }
  return truth;
}

function andPart(rest: (Word | string)[], state: ShellState): Truth {
  let truth = one(rest, state);
  while (rest.at(-1) === '&&') {
    rest.pop();
    truth = both(truth, one(rest, state));
  }
  return truth;
}

function one(rest: (Word | string)[], state: ShellState): Truth {
  const first = rest.pop();
  if (first === '(') {
    const truth = orPart(rest, state);
    if (rest.pop() !== ')') rest.push('(');
    return truth;
  }
  if (first === undefined || typeof first === 'string') return undefined;
  const plain = plainText(first);
  if (plain === '!') return not(one(rest, state));
  const second = rest.at(-1);
  if (plain !== undefined && unary.test(plain) && Array.isArray(second)) {
    rest.pop();
    return single(plain, expandText(second, state), state);
  }
  const left = expandText(first, state);
  const operator = typeof second === 'string' ? second : second === undefined ? undefined : plainText(second);
  if (operator === undefined || !(binaryOperator.test(operator) || operator === '=~')) {
    return isKnown(left) ? left !== '' : undefined;
  }
  rest.pop();
  const right = rest.pop();
  if (!Array.isArray(right) || operator === '=~') return undefined;
  if (!['=', '==', '!='].includes(operator)) return pair(left, operator, expandText(right, state));
  const pattern = segmentsOf(right, state);
  if (!isKnown(left) || pattern.some(({ text }) => !isKnown(text))) return undefined;
  return matches(pattern, left) === (operator !== '!=');
}

function plainText(word: Word): string | undefined {
  const [only] = word;
  return word.length === 1 && only?.kind === 'text' && !only.quoted ? only.text : undefined;
}
