/**
 * Parses `${name}`, `${name:default}`, `${name:+alternative}` and `${name:?message}`, which may be nested. Filebeat
 * parses them while it loads a file, so one syntax error fails the whole file.
 */
export type Expression =
  | { kind: 'text'; text: string }
  | { kind: 'splice'; pieces: Expression[] }
  | { kind: 'reference'; name: string }
  /** The name itself has to be evaluated, e.g. `${${N}}`. */
  | { kind: 'computed'; name: Expression }
  | { kind: 'default' | 'alternative' | 'message'; name: Expression; right: Expression };

export type ParsedExpression = { ok: true; expression: Expression } | { ok: false };

type Operator = 'default' | 'alternative' | 'message';

interface Level {
  left: Expression[];
  right: Expression[];
  operator?: Operator;
}

/** More open braces are refused. Go's stack is larger than ours. */
const MAX_NESTING = 200;

/** A string without `${` becomes one `text`, with `$$` and `$}` unescaped. */
export function parseExpression(input: string): ParsedExpression {
  const levels: Level[] = [{ left: [], right: [] }];
  let text = '';
  const flush = (): void => {
    if (text === '') return;
    const level = levels.at(-1)!;
    addText(level.operator ? level.right : level.left, text);
    text = '';
  };
  for (let i = 0; i < input.length; i++) {
    const letter = input[i]!;
    const next = input[i + 1];
    const inside = levels.length > 1;
    if (letter === '$' && next === '{') {
      flush();
      if (levels.length > MAX_NESTING) return { ok: false };
      levels.push({ left: [], right: [] });
      i++;
    } else if (letter === '$' && (next === '$' || next === '}')) {
      text += next;
      i++;
    } else if (inside && letter === '}') {
      flush();
      const piece = finish(levels.pop()!);
      if (!piece) return { ok: false };
      const level = levels.at(-1)!;
      (level.operator ? level.right : level.left).push(piece);
    } else if (inside && letter === ':' && next !== undefined) {
      flush();
      const operator: Operator = next === '+' ? 'alternative' : next === '?' ? 'message' : 'default';
      const level = levels.at(-1)!;
      const sign = operator === 'default' ? ':' : `:${next}`;
      if (level.operator) addText(level.right, sign);
      else level.operator = operator;
      i += sign.length - 1;
    } else {
      text += letter;
    }
  }
  flush();
  if (levels.length > 1) return { ok: false };
  return { ok: true, expression: join(levels[0]!.left) };
}

function finish(level: Level): Expression | undefined {
  if (level.left.length === 0) return undefined;
  if (level.operator) return { kind: level.operator, name: join(level.left), right: join(level.right) };
  const [only] = level.left;
  if (level.left.length === 1 && only?.kind === 'text') return { kind: 'reference', name: only.text };
  return { kind: 'computed', name: join(level.left) };
}

function join(pieces: Expression[]): Expression {
  if (pieces.length === 0) return { kind: 'text', text: '' };
  return pieces.length === 1 ? pieces[0]! : { kind: 'splice', pieces };
}

function addText(pieces: Expression[], text: string): void {
  const last = pieces.at(-1);
  if (last?.kind === 'text') last.text += text;
  else pieces.push({ kind: 'text', text });
}
