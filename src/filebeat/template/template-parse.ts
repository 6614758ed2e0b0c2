/**
 * The grammar of Go's text/template as far as module templates use it: actions with `{{-` trimming, if, range, with,
 * variables, pipelines, parentheses, literals. `define`, `template` and `block` are not supported.
 */
import { TemplateError, type TemplateToken, tokenize } from './template-lex.js';

export type TemplateNode =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline }
  | { kind: 'if' | 'with'; pipeline: Pipeline; body: TemplateNode[]; otherwise: TemplateNode[] }
  | { kind: 'range'; pipeline: Pipeline; body: TemplateNode[]; otherwise: TemplateNode[] }
  | { kind: 'jump'; to: 'break' | 'continue' };

export interface Pipeline {
  /** `$i, $item :=` */
  variables: string[];
  /** False for `=`, which assigns to variables declared before. */
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

/** Throws TemplateError. As in Go, an unknown function is an error even where it would never run. */
export function parseTemplate(source: string, isFunction: (name: string) => boolean): TemplateNode[] {
  return new Parser(tokenize(source), isFunction).list(false);
}

class Parser {
  private at = 0;
  private depth = 0;
  private loops = 0;
  /** Declared so far and still in scope. */
  private readonly variables = ['$'];

  constructor(
    private readonly tokens: TemplateToken[],
    private readonly isFunction: (name: string) => boolean,
  ) {}

  /** Up to `{{end}}` or `{{else…}}`; the cursor stays after its `{{`. `nested`: the list must end with one of them. */
  list(nested: boolean): TemplateNode[] {
    this.enter();
    const nodes: TemplateNode[] = [];
    for (;;) {
      const token = this.peek();
      if (!token) {
        if (nested) this.fail();
        break;
      }
      this.at++;
      if (token.kind === 'text') nodes.push({ kind: 'text', text: token.text });
      else {
        this.skipSpace();
        const word = this.word();
        if (word === 'end' || word === 'else') {
          if (!nested) this.fail();
          break;
        }
        nodes.push(this.action());
        this.take('close');
      }
    }
    this.depth--;
    return nodes;
  }

  private action(): TemplateNode {
    const word = this.word();
    if (word === 'define' || word === 'template' || word === 'block') this.fail(true);
    if (word === 'break' || word === 'continue') {
      if (this.loops === 0) this.fail();
      this.at++;
      this.skipSpace();
      return { kind: 'jump', to: word };
    }
    if (word === 'if' || word === 'with' || word === 'range') {
      this.at++;
      return this.control(word);
    }
    const node: TemplateNode = { kind: 'print', pipeline: this.pipeline(false) };
    this.skipSpace();
    return node;
  }

  /** After `if`, `with` or `range`. */
  private control(kind: 'if' | 'with' | 'range'): TemplateNode {
    const outerVariables = this.variables.length;
    const pipeline = this.pipeline(kind === 'range');
    this.take('close');
    if (kind === 'range') this.loops++;
    const body = this.list(true);
    if (kind === 'range') this.loops--;
    const otherwise = this.otherwise(kind);
    this.variables.length = outerVariables;
    return { kind, pipeline, body, otherwise };
  }

  /** From `else` or `end` to the end of the construct. */
  private otherwise(kind: 'if' | 'with' | 'range'): TemplateNode[] {
    let nodes: TemplateNode[] = [];
    if (this.peek()?.text === 'else') {
      this.at++;
      this.skipSpace();
      const word = this.word();
      if (word !== undefined) {
        // `{{else if}}` shares its `{{end}}` with the outer `if`.
        if (word !== kind || kind === 'range') return this.fail();
        this.at++;
        return [this.control(kind)];
      }
      this.take('close');
      nodes = this.list(true);
    }
    this.take('word', 'end');
    this.skipSpace();
    return nodes;
  }

  /** `inRange`: two variables may be declared. */
  private pipeline(inRange: boolean): Pipeline {
    const result: Pipeline = { variables: [], declares: true, commands: [] };
    this.skipSpace();
    const start = this.at;
    while (this.peek()?.kind === 'variable') {
      result.variables.push(this.take('variable').text);
      this.skipSpace();
      if (!this.isMark(',') || !inRange || result.variables.length > 1) break;
      this.at++;
      this.skipSpace();
    }
    if (result.variables.length > 0 && (this.isMark(':=') || this.isMark('='))) {
      result.declares = this.isMark(':=');
      if (!result.declares && !result.variables.every((name) => this.variables.includes(name))) this.fail();
      this.at++;
    } else {
      this.at = start;
      result.variables = [];
    }
    result.commands.push(this.command());
    while (this.isMark('|')) {
      this.at++;
      result.commands.push(this.command());
    }
    if (result.declares) this.variables.push(...result.variables);
    return result;
  }

  private command(): Operand[] {
    const operands: Operand[] = [];
    const isOver = () => this.peek()?.kind === 'close' || this.isMark('|') || this.isMark(')');
    this.skipSpace();
    while (this.peek() && !isOver()) {
      operands.push(this.operand());
      if (this.peek()?.kind !== 'space' && !isOver()) this.fail();
      this.skipSpace();
    }
    if (operands.length === 0) this.fail();
    return operands;
  }

  private operand(): Operand {
    const token = this.peek() ?? this.fail();
    if (token.kind === 'field') return this.fields({ kind: 'dot' });
    const operand = this.simpleOperand(token);
    if (operand.kind === 'function' && !this.isFunction(operand.name)) this.fail();
    return this.peek()?.kind === 'field' ? this.fields(operand) : operand;
  }

  /** An operand before its fields. */
  private simpleOperand({ kind, text }: TemplateToken): Operand {
    const start = this.at++;
    if (kind === 'string') return { kind: 'literal', value: text };
    if (kind === 'number') return numberOf(text) ?? this.fail(true);
    if (kind === 'word') return wordOf(text);
    if (kind === 'variable') return this.variables.includes(text) ? { kind: 'variable', name: text } : this.fail();
    if (kind === 'mark' && text === '.') return { kind: 'dot' };
    if (kind === 'mark' && text === '(') {
      this.enter();
      const pipeline = this.pipeline(false);
      this.take('mark', ')');
      this.depth--;
      return { kind: 'pipeline', pipeline };
    }
    this.at = start;
    return this.fail();
  }

  private fields(of: Operand): Operand {
    const names: string[] = [];
    while (this.peek()?.kind === 'field') names.push(this.take('field').text);
    return { kind: 'field', of, names };
  }

  private peek(): TemplateToken | undefined {
    return this.tokens[this.at];
  }

  /** The text of the next token if it is a word. */
  private word(): string | undefined {
    const token = this.peek();
    return token?.kind === 'word' ? token.text : undefined;
  }

  private isMark(text: string): boolean {
    const token = this.peek();
    return token?.kind === 'mark' && token.text === text;
  }

  private take(kind: TemplateToken['kind'], text?: string): TemplateToken {
    const token = this.peek();
    if (token?.kind !== kind || (text !== undefined && token.text !== text)) return this.fail();
    this.at++;
    return token;
  }

  private skipSpace(): void {
    while (this.peek()?.kind === 'space') this.at++;
  }

  private enter(): void {
    if (++this.depth > maximalDepth) this.fail(true);
  }

  private fail(unsupported = false): never {
    throw new TemplateError(this.peek()?.line ?? this.tokens.at(-1)?.line ?? 1, unsupported);
  }
}

function wordOf(text: string): Operand {
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
  return text === 'nil' ? { kind: 'literal', value: null } : { kind: 'function', name: text };
}

function numberOf(text: string): Operand | undefined {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isFinite(value)) return undefined;
  return { kind: 'literal', value, ...(/[.eE]/.test(text) ? { float: true } : {}) };
}
