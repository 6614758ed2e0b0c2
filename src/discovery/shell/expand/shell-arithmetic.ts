/** Arithmetic of the shell on whole numbers, as in `$(( … ))`. */

const levels: Record<string, (a: number, b: number) => number>[] = [
  { '||': (a, b) => (a !== 0 || b !== 0 ? 1 : 0) },
  { '&&': (a, b) => (a !== 0 && b !== 0 ? 1 : 0) },
  { '==': (a, b) => (a === b ? 1 : 0), '!=': (a, b) => (a !== b ? 1 : 0) },
  {
    '<=': (a, b) => (a <= b ? 1 : 0),
    '>=': (a, b) => (a >= b ? 1 : 0),
    '<': (a, b) => (a < b ? 1 : 0),
    '>': (a, b) => (a > b ? 1 : 0),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b), '%': (a, b) => a % b },
];

class Unreadable extends Error {}

/** The variables of an expression, as texts. */
export interface Numbers {
  read(name: string): string | undefined;
  write(name: string, value: string): void;
}

/**
 * The value of an expression; undefined where it is unknown or not supported. Assignments (`i++`, `i += 2`) go through
 * `numbers`; an unknown value is written as `unreadable`.
 */
export function evaluateArithmetic(text: string, numbers: Numbers, unreadable: string): number | undefined {
  const expression = text.trim();
  const assignment = /^([A-Za-z_]\w*)\s*(?:(\+\+|--)|([-+*/%]?)=(?!=)([\s\S]+))$/.exec(expression);
  if (assignment !== null) {
    const [, name, step, operator, rest] = assignment as unknown as [string, string, string?, string?, string?];
    const before = step !== undefined || operator !== '' ? numberOf(name, numbers) : 0;
    const operand = step === undefined ? evaluateArithmetic(rest!, numbers, unreadable) : 1;
    const how = step === undefined ? operator! : step[0]!;
    const level = levels.find((one) => one[how] !== undefined);
    const after =
      before === undefined || operand === undefined
        ? undefined
        : how === ''
          ? operand
          : level?.[how]?.(before, operand);
    numbers.write(name, after === undefined ? unreadable : String(after));
    return step === undefined ? after : before;
  }
  try {
    const tokens = expression.match(/\s+|\d+|[A-Za-z_]\w*|[|&=!<>]{1,2}|[-+*/%()]|[\s\S]/g) ?? [];
    const rest = tokens.filter((token) => token.trim() !== '').reverse();
    if (rest.length === 0) return 0;
    const value = binary(rest, 0, numbers);
    return rest.length > 0 || !Number.isSafeInteger(value) ? undefined : value;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function binary(tokens: string[], level: number, numbers: Numbers): number {
  const operators = levels[level];
  if (operators === undefined) return single(tokens, numbers);
  let value = binary(tokens, level + 1, numbers);
  for (;;) {
    const operator = operators[tokens.at(-1) ?? ''];
    if (operator === undefined) return value;
    tokens.pop();
    value = operator(value, binary(tokens, level + 1, numbers));
  }
}

function single(tokens: string[], numbers: Numbers): number {
  const token = tokens.pop();
  if (token === '(') {
    const value = binary(tokens, 0, numbers);
    if (tokens.pop() !== ')') throw new Unreadable();
    return value;
  }
  if (token === '-') return -single(tokens, numbers);
  if (token === '+') return single(tokens, numbers);
  if (token === '!') return single(tokens, numbers) === 0 ? 1 : 0;
  if (token !== undefined && /^(?:0|[1-9]\d*)$/.test(token)) return Number(token);
  const value = token !== undefined && /^[A-Za-z_]\w*$/.test(token) ? numberOf(token, numbers) : undefined;
  if (value === undefined) throw new Unreadable();
  return value;
}

function numberOf(name: string, numbers: Numbers): number | undefined {
  const text = numbers.read(name);
  if (text === undefined || text === '') return 0;
  return /^-?(?:0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
}
