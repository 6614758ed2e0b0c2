/**
 * The grammar of Go's text/template as far as module templates use it: actions with `{{-` trimming, if, range, with,
 * variables, pipelines, parentheses, literals. `define`, `template`, `block` are not followed.
 */

import { TemplateError, type TemplateToken, tokenize } from './template-lex.js';

export type TemplateNode =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline }
  | { kind: 'if' | 'with'; pipeline: Pipeline; body: TemplateNode[]; otherwise: TemplateNode[] }
  | { kind: 'range'; pipeline: Pipeline; body: TemplateNode[]; otherwise: TemplateNode[] }
  | { kind: 'jump'; to: 'break' | 'continue' };

export interface Pipeline {
  /** `$i, $item :=`; `=` assigns to a variable that is there. */
  variables: string[];
  declares: boolean;
  commands: Operand[][];
}

export type Operand =
  | { kind: 'literal'; value: string | number | boolean | null; float?: true }
  | { kind: 'dot' }
  | { kind: 'variable'; name: string }
  | { kind: 'function'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline }
  /** `.a.b`, `$x.a`, `(…).a`. */
  | { kind: 'field'; of: Operand; names: string[] };

const maximalDepth = 100;

/** Throws TemplateError; a function that is not known is an error wherever it stands. */
export function parseTemplate(source: string, isFunction: (name: string) => boolean): TemplateNode[] {
  const tokens = tokenize(source);
  let at = 0;
  let depth = 0;
  let loops = 0;
  /** Variables in sight. */
  const variables = ['$'];

  const peek = () => tokens[at];
  const fail = (unsupported = false): never => {
    throw new TemplateError(peek()?.line ?? tokens.at(-1)?.line ?? 1, unsupported);
  };
  const take = (kind: TemplateToken['kind'], text?: string): TemplateToken => {
    const token = peek();
    if (token?.kind !== kind || (text !== undefined && token.text !== text)) return fail();
    at++;
    return token;
  };
  const skipSpace = () => {
    while (peek()?.kind === 'space') at++;
  };
  const isMark = (text: string) => peek()?.kind === 'mark' && peek()?.text === text;

  const operand = (): Operand => {
    const token = peek() ?? fail();
    at++;
    let value: Operand;
    if (token.kind === 'string') value = { kind: 'literal', value: token.text };
    else if (token.kind === 'number') value = numberOf(token) ?? fail(true);
    else if (token.kind === 'variable') {
      if (!variables.includes(token.text)) fail();
      value = { kind: 'variable', name: token.text };
    } else if (token.kind === 'field') return fields({ kind: 'dot' }, token.text);
    else if (token.kind === 'word') value = wordOf(token.text);
    else if (token.kind === 'mark' && token.text === '.') value = { kind: 'dot' };
    else if (token.kind === 'mark' && token.text === '(') {
      if (++depth > maximalDepth) fail(true);
      value = { kind: 'pipeline', pipeline: pipeline(false) };
      take('mark', ')');
      depth--;
    } else {
      at--;
      return fail();
    }
    if (value.kind === 'function' && !isFunction(value.name)) fail();
    return peek()?.kind === 'field' ? fields(value, take('field').text) : value;
  };
  const fields = (of: Operand, first: string): Operand => {
    const names = [first];
    while (peek()?.kind === 'field') names.push(take('field').text);
    return { kind: 'field', of, names };
  };

  const command = (): Operand[] => {
    const operands: Operand[] = [];
    skipSpace();
    while (peek() && peek()?.kind !== 'close' && !isMark('|') && !isMark(')')) {
      operands.push(operand());
      if (peek()?.kind !== 'space' && peek()?.kind !== 'close' && !isMark('|') && !isMark(')')) fail();
      skipSpace();
    }
    if (operands.length === 0) fail();
    return operands;
  };

  const pipeline = (inRange: boolean): Pipeline => {
    const result: Pipeline = { variables: [], declares: true, commands: [] };
    skipSpace();
    const start = at;
    while (peek()?.kind === 'variable') {
      result.variables.push(take('variable').text);
      skipSpace();
      if (!isMark(',') || !inRange || result.variables.length > 1) break;
      at++;
      skipSpace();
    }
    if (result.variables.length > 0 && (isMark(':=') || isMark('='))) {
      result.declares = isMark(':=');
      if (!result.declares && !result.variables.every((name) => variables.includes(name))) fail();
      at++;
    } else {
      at = start;
      result.variables = [];
    }
    result.commands.push(command());
    while (isMark('|')) {
      at++;
      result.commands.push(command());
    }
    if (result.declares) variables.push(...result.variables);
    return result;
  };

  /** Up to `{{end}}` or `{{else…}}`, which stays unread (behind its `{{`). */
  const list = (nested: boolean): TemplateNode[] => {
    if (++depth > maximalDepth) fail(true);
    const nodes: TemplateNode[] = [];
    for (;;) {
      const token = peek();
      if (!token) {
        if (nested) fail();
        break;
      }
      at++;
      if (token.kind === 'text') nodes.push({ kind: 'text', text: token.text });
      else {
        skipSpace();
        const word = peek();
        if (word?.kind === 'word' && (word.text === 'end' || word.text === 'else')) {
          if (!nested) fail();
          break;
        }
        nodes.push(action());
        take('close');
      }
    }
    depth--;
    return nodes;
  };

  const action = (): TemplateNode => {
    const word = peek()?.kind === 'word' ? peek()?.text : undefined;
    if (word === 'define' || word === 'template' || word === 'block') fail(true);
    if (word === 'break' || word === 'continue') {
      if (loops === 0) fail();
      at++;
      skipSpace();
      return { kind: 'jump', to: word };
    }
    if (word === 'if' || word === 'with' || word === 'range') {
      at++;
      return control(word);
    }
    const node: TemplateNode = { kind: 'print', pipeline: pipeline(false) };
    skipSpace();
    return node;
  };

  const control = (kind: 'if' | 'with' | 'range'): TemplateNode => {
    const mark = variables.length;
    const condition = pipeline(kind === 'range');
    take('close');
    if (kind === 'range') loops++;
    const body = list(true);
    if (kind === 'range') loops--;
    let otherwise: TemplateNode[] = [];
    if (peek()?.text === 'else') {
      at++;
      skipSpace();
      const again = peek()?.kind === 'word' ? peek()?.text : undefined;
      if (again !== undefined) {
        // `{{else if}}` shares its `{{end}}` with the outer one.
        if (again !== kind || kind === 'range') return fail();
        at++;
        otherwise = [control(kind)];
        variables.length = mark;
        return { kind, pipeline: condition, body, otherwise };
      }
      take('close');
      otherwise = list(true);
    }
    take('word', 'end');
    skipSpace();
    variables.length = mark;
    return { kind, pipeline: condition, body, otherwise };
  };

  return list(false);
}

function wordOf(text: string): Operand {
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
  return text === 'nil' ? { kind: 'literal', value: null } : { kind: 'function', name: text };
}

function numberOf(token: TemplateToken): Operand | undefined {
  const value = Number(token.text.replaceAll('_', ''));
  if (!Number.isFinite(value)) return undefined;
  return { kind: 'literal', value, ...(/[.eE]/.test(token.text) ? { float: true } : {}) };
}
