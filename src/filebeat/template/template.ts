/**
 * Renders the templates of Filebeat's modules: Go's text/template with `missingkey=error` and the functions that
 * Filebeat adds (`tojson`, `inList`, `IngestPipeline`). Values are pasted as raw text, as Filebeat does.
 */
import type { Fault } from '../../model/model.js';
import { isPlainMap, type Plain, type PlainMap } from '../tree/value.js';
import { functions, isFunction, isTrue } from './template-functions.js';
import { fail, TemplateError } from './template-lex.js';
import { type Operand, type Pipeline, parseTemplate, type TemplateNode } from './template-parse.js';
import { goPrint } from './template-print.js';

const maximalText = 4 * 1024 * 1024;
const maximalSteps = 200_000;

/** A parsed template, or why it cannot be parsed. */
export type Template = { ok: true; nodes: TemplateNode[] } | { ok: false; fault: Fault };

/** Parses a template; `at.line` of a fault is the line of the template. */
export function compileTemplate(text: string): Template {
  // Most texts have no action.
  if (!text.includes('{{')) return { ok: true, nodes: text === '' ? [] : [{ kind: 'text', text }] };
  return attempt(() => ({ ok: true, nodes: parseTemplate(text, isFunction) }));
}

/**
 * Faults: `template-failed` (Filebeat fails, too) and `template-unsupported` (valid in Go, not supported here).
 * `at.line` is the line of the template, `at.file` is empty. `spend` gets the cost: steps, and 1 per 16 characters.
 */
export function renderTemplate(
  template: string | Template,
  variables: PlainMap,
  spend: (steps: number) => void = () => undefined,
): { ok: true; text: string } | { ok: false; fault: Fault } {
  const compiled = typeof template === 'string' ? compileTemplate(template) : template;
  if (!compiled.ok) return compiled;
  const renderer = new Renderer(variables);
  try {
    return attempt(() => ({ ok: true, text: renderer.render(compiled.nodes) }));
  } finally {
    spend(renderer.cost());
  }
}

function attempt<T>(act: () => T): T | { ok: false; fault: Fault } {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const code = error.unsupported ? 'template-unsupported' : 'template-failed';
    return { ok: false, fault: { code, ...(error.line > 0 ? { at: { file: '', line: error.line } } : {}) } };
  }
}

type Flow = 'break' | 'continue' | undefined;

/** One rendering: its variables, its output and its cost so far. */
class Renderer {
  private readonly out: string[] = [];
  private length = 0;
  private steps = 0;
  private readonly scopes: { name: string; value: Plain }[];

  constructor(private readonly root: PlainMap) {
    this.scopes = [{ name: '$', value: root }];
  }

  render(nodes: TemplateNode[]): string {
    this.walk(nodes, this.root);
    return this.out.join('');
  }

  cost(): number {
    return this.steps + Math.ceil(this.length / 16);
  }

  private write(text: string): void {
    this.length += text.length;
    if (this.length > maximalText) fail(true);
    this.out.push(text);
  }

  private walk(nodes: TemplateNode[], dot: Plain): Flow {
    const outerScopes = this.scopes.length;
    let flow: Flow;
    for (const node of nodes) {
      if (++this.steps > maximalSteps) fail(true);
      flow = this.step(node, dot);
      if (flow) break;
    }
    // Variables go out of scope with their block; those declared by an `if` or a loop itself, with the whole construct.
    this.scopes.length = outerScopes;
    return flow;
  }

  private step(node: TemplateNode, dot: Plain): Flow {
    if (node.kind === 'jump') return node.to;
    if (node.kind === 'text') this.write(node.text);
    else if (node.kind === 'print') {
      const value = this.pipeline(node.pipeline, dot);
      if (node.pipeline.variables.length === 0) this.write(value === null ? '<no value>' : goPrint(value));
    } else if (node.kind === 'range') return this.loop(node, dot);
    else {
      const outerScopes = this.scopes.length;
      const value = this.pipeline(node.pipeline, dot);
      const truth = isTrue(value);
      const flow = this.walk(truth ? node.body : node.otherwise, truth && node.kind === 'with' ? value : dot);
      this.scopes.length = outerScopes;
      return flow;
    }
    return undefined;
  }

  private loop(node: TemplateNode & { kind: 'range' }, dot: Plain): Flow {
    const outerScopes = this.scopes.length;
    const { variables, declares } = node.pipeline;
    const value = this.pipeline({ ...node.pipeline, variables: [] }, dot);
    if (typeof value === 'number' && variables.length > 1) fail();
    const entries = entriesOf(value);
    if (entries.length === 0) return this.walk(node.otherwise, dot);
    for (const [key, item] of entries) {
      const named: [string | undefined, Plain][] =
        variables.length > 1
          ? [
              [variables[0], key],
              [variables[1], item],
            ]
          : [[variables[0], item]];
      for (const [name, content] of named) if (name !== undefined) this.bind(name, content, declares);
      const flow = this.walk(node.body, item);
      this.scopes.length = outerScopes;
      if (flow === 'break') break;
    }
    return undefined;
  }

  private bind(name: string, value: Plain, declares: boolean): void {
    if (declares) {
      this.scopes.push({ name, value });
      return;
    }
    const variable = this.scopes.findLast((scope) => scope.name === name) ?? fail();
    variable.value = value;
  }

  private pipeline(pipeline: Pipeline, dot: Plain): Plain {
    let value: Plain | undefined;
    for (const command of pipeline.commands) value = this.command(command, dot, value);
    const result = value ?? null;
    for (const name of pipeline.variables) this.bind(name, result, pipeline.declares);
    return result;
  }

  /** `piped`: the result of the command before; it becomes the last argument. */
  private command(operands: Operand[], dot: Plain, piped: Plain | undefined): Plain {
    if (++this.steps > maximalSteps) fail(true);
    const [first, ...args] = operands as [Operand, ...Operand[]];
    if (first.kind === 'function') {
      const last = piped === undefined ? [] : [piped];
      return this.call(first.name, args, dot, last);
    }
    // Only functions take arguments.
    if (args.length > 0 || piped !== undefined) fail();
    if (first.kind === 'literal' && first.value === null) fail();
    return this.evaluate(first, dot);
  }

  private evaluate(operand: Operand, dot: Plain): Plain {
    switch (operand.kind) {
      case 'literal':
        return operand.float ? { float: Number(operand.value) } : operand.value;
      case 'dot':
        return dot;
      case 'variable':
        return (this.scopes.findLast(({ name }) => name === operand.name) ?? fail()).value;
      case 'function':
        return this.call(operand.name, [], dot, []);
      case 'pipeline':
        return this.pipeline(operand.pipeline, dot);
      case 'field':
        return operand.names.reduce(fieldOf, this.evaluate(operand.of, dot));
    }
  }

  private call(name: string, operands: Operand[], dot: Plain, piped: Plain[]): Plain {
    if (name === 'and' || name === 'or') {
      let value: Plain | undefined;
      for (const operand of operands) {
        value = this.evaluate(operand, dot);
        if (isTrue(value) === (name === 'or')) return value;
      }
      const last = piped.length > 0 ? piped[0] : value;
      return last === undefined ? fail() : last;
    }
    const run = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!run) return fail(true);
    return run([...operands.map((operand) => this.evaluate(operand, dot)), ...piped], this.root);
  }
}

/** A missing key is an error (`missingkey=error`), and so is a field of anything but a map. */
function fieldOf(value: Plain, name: string): Plain {
  return isPlainMap(value) && Object.hasOwn(value, name) ? value[name]! : fail();
}

function entriesOf(value: Plain): [Plain, Plain][] {
  if (value === null) return [];
  if (typeof value === 'number') {
    if (value > maximalSteps) fail(true);
    return Array.from({ length: Math.max(value, 0) }, (_, index) => [index, index]);
  }
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (!isPlainMap(value)) return fail();
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key]!]);
}
