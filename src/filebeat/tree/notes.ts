/**
 * Where the settings of an input come from, for `explain`: what was overridden by what, which variables were found
 * where. Names keys, variables and places, never a value.
 */
import type { Position } from '../../model/model.js';
import type { Expression } from './expression.js';
import { parsePath, rootOf, type Tree, type Value } from './tree.js';
import { lookup, type Scope } from './variables.js';

/** Keys that decide about a socket, and those on the way to them. */
const relevantKeys = new Set([
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
      if (!relevantKeys.has(name) || notes.length >= most) continue;
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (value.kind === 'tree' && depth < deepest) visit(value, key, depth + 1);
      notes.push(...override(key, value));
      if (value.kind === 'dynamic') notes.push(...variables(key, value.expression, value.owner, scope));
    }
  };
  visit(tree, '', 1);
  return notes.slice(0, most);
}

/** Variables of the shipped filesets that have nothing to do with a socket; a module of one's own may call its port anything. */
const idle = new Set([
  'paths',
  'tags',
  'tz_offset',
  'rsa_fields',
  'keep_raw_fields',
  'debug',
  'log_level',
  'internal_networks',
]);

/**
 * Where the variables of a fileset come from. `stated`: in its entry; `overridden`: those and what `-M` says; an
 * `input` section is laid over what the template gives.
 */
export function filesetNotes(stated: FilesetVariables, overridden: FilesetVariables, at: Position): string[] {
  const names = Object.keys(overridden.variables).filter((name) => !idle.has(name));
  const flagged = names.filter((name) => !sameText(stated.variables[name], overridden.variables[name]));
  const entered = names.filter((name) => !flagged.includes(name));
  const label = (all: string[]) => all.map((name) => `var.${name}`).join(', ');
  const notes: string[] = [];
  if (names.length === 0) notes.push('no variable of its address is set: the defaults of the fileset apply');
  if (entered.length > 0) notes.push(`${label(entered)}: set in ${placeText(at)}`);
  for (const name of flagged) {
    const before = stated.variables[name] === undefined ? 'whatever the fileset has' : placeText(at);
    notes.push(`var.${name}: -M on the command line overrides ${before}`);
  }
  const settings = Object.keys(overridden.input).filter((name) => relevantKeys.has(name));
  if (settings.length > 0)
    notes.push(
      `${settings.map((name) => `input.${name}`).join(', ')}: overrides what the fileset makes of its variables`,
    );
  return notes;
}

interface FilesetVariables {
  variables: Readonly<Record<string, unknown>>;
  input: Readonly<Record<string, unknown>>;
}

function sameText(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  return text(a) === text(b);
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
