/**
 * Where the settings of an input come from, for `explain`: what was overridden by what, which variables were found
 * where. Names keys, variables and places, never a value.
 */
import type { Position } from '../model.js';
import type { Expression } from './expression.js';
import { parsePath, rootOf, type Tree, type Value } from './tree.js';
import { lookup, type Scope } from './variables.js';

/** Keys that decide about a socket, and those on the way to them. */
const telling = new Set([
  'enabled',
  'host',
  'listen_address',
  'listen_port',
  'network',
  'port',
  'protocol',
  'read_buffer',
  'tcp',
  'type',
  'udp',
]);
const deepest = 3;
const most = 8;

/** Sentences about the settings of one input; none where everything simply stands in its entry. */
export function originNotes(tree: Tree, scope: Scope): string[] {
  const notes: string[] = [];
  const visit = (node: Tree, prefix: string, depth: number) => {
    for (const [name, value] of node.names) {
      if (!telling.has(name) || notes.length >= most) continue;
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (value.kind === 'tree' && depth < deepest) visit(value, key, depth + 1);
      notes.push(...override(key, value));
      if (value.kind === 'dynamic') notes.push(...variables(key, value.expression, value.owner, scope));
    }
  };
  visit(tree, '', 1);
  return notes.slice(0, most);
}

function placeText({ file, line }: Position): string {
  return line === undefined ? file : `${file}:${line}`;
}

function override(key: string, { at, over = [] }: Value): string[] {
  const here = placeText(at);
  const before = [...new Set(over.map(placeText))].filter((place) => place !== here);
  return before.length === 0 ? [] : [`${key}: ${here} overrides ${before.join(' and ')}`];
}

function variables(key: string, expression: Expression, owner: Tree, scope: Scope): string[] {
  const names = new Map<string, boolean>();
  collect(expression, false, names);
  return [...names].map(([name, spare]) => `${key}: \${${name}} is ${found(name, spare, owner, scope)}`);
}

/** Names that are written out, and whether a default stands behind them. */
function collect(expression: Expression, spare: boolean, names: Map<string, boolean>): void {
  switch (expression.kind) {
    case 'text':
      return;
    case 'splice':
      for (const piece of expression.pieces) collect(piece, spare, names);
      return;
    case 'reference':
      names.set(expression.name, spare);
      return;
    case 'computed':
      collect(expression.name, spare, names);
      return;
    default: {
      const { kind, name, right } = expression;
      if (name.kind === 'text') names.set(name.text, kind === 'default');
      else collect(name, kind === 'default', names);
      collect(right, spare, names);
    }
  }
}

function found(name: string, spare: boolean, owner: Tree, scope: Scope): string {
  const set = lookup(rootOf(owner), parsePath(name, scope.tree), scope, new Set([name]));
  if (set.ok && set.value !== undefined) return `set in ${placeText(set.value.at)}`;
  if (scope.env === undefined) return 'looked for in an environment that cannot be seen';
  if (scope.env[name]) return 'set in the environment';
  return spare ? 'not set, so its default counts' : 'not set';
}
