/**
 * The origin of an input's settings, for `explain`: which value overrides which, and where variables are set. Names
 * keys, variables and positions, never a value.
 */
import type { Position } from '../../model/model.js';
import type { Expression } from './expression.js';
import { parsePath, rootOf, type Tree, type Value } from './tree.js';
import { lookup, type Scope } from './variables.js';

/** Keys that decide about a socket, and the sections that contain them. */
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
const maximalDepth = 3;
const maximalNotes = 8;

/** Sentences about the settings of one input; none if its entry contains all of them. */
export function originNotes(tree: Tree, scope: Scope): string[] {
  const notes: string[] = [];
  const visit = (node: Tree, prefix: string, depth: number) => {
    for (const [name, value] of node.names) {
      if (!relevantKeys.has(name) || notes.length >= maximalNotes) continue;
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (value.kind === 'tree' && depth < maximalDepth) visit(value, key, depth + 1);
      notes.push(...override(key, value));
      if (value.kind === 'dynamic') notes.push(...variables(key, value.expression, value.owner, scope));
    }
  };
  visit(tree, '', 1);
  return notes.slice(0, maximalNotes);
}

/** Variables of Filebeat's own filesets that do not affect sockets. A custom module may use any name for its port. */
const irrelevantVariables = new Set([
  'paths',
  'tags',
  'tz_offset',
  'rsa_fields',
  'keep_raw_fields',
  'debug',
  'log_level',
  'internal_networks',
]);

/** The origin of a fileset's variables. `stated`: from its entry; `overridden`: the same after `-M`. */
export function filesetNotes(stated: FilesetVariables, overridden: FilesetVariables, at: Position): string[] {
  const names = Object.keys(overridden.variables).filter((name) => !irrelevantVariables.has(name));
  const flagged = names.filter((name) => !sameText(stated.variables[name], overridden.variables[name]));
  const entered = names.filter((name) => !flagged.includes(name));
  const label = (all: string[]) => all.map((name) => `var.${name}`).join(', ');
  const notes: string[] = [];
  if (names.length === 0) notes.push('no variable of its address is set: the defaults of the fileset apply');
  if (entered.length > 0) notes.push(`${label(entered)}: set in ${positionText(at)}`);
  for (const name of flagged) {
    const before = stated.variables[name] === undefined ? 'the default of the fileset' : positionText(at);
    notes.push(`var.${name}: -M on the command line overrides ${before}`);
  }
  const settings = Object.keys(overridden.input).filter((name) => relevantKeys.has(name));
  if (settings.length > 0)
    notes.push(`${settings.map((name) => `input.${name}`).join(', ')}: overrides the template of the fileset`);
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

function positionText({ file, line }: Position): string {
  return line === undefined ? file : `${file}:${line}`;
}

function override(key: string, { at, over = [] }: Value): string[] {
  const position = positionText(at);
  const overridden = [...new Set(over.map(positionText))].filter((text) => text !== position);
  return overridden.length === 0 ? [] : [`${key}: ${position} overrides ${overridden.join(' and ')}`];
}

function variables(key: string, expression: Expression, owner: Tree, scope: Scope): string[] {
  const names = new Map<string, boolean>();
  collect(expression, false, names);
  return [...names].map(([name, hasDefault]) => `${key}: \${${name}} is ${originOf(name, hasDefault, owner, scope)}`);
}

/** Adds the names that are written out, and whether they have a default. */
function collect(expression: Expression, hasDefault: boolean, names: Map<string, boolean>): void {
  switch (expression.kind) {
    case 'text':
      return;
    case 'splice':
      for (const piece of expression.pieces) collect(piece, hasDefault, names);
      return;
    case 'reference':
      names.set(expression.name, hasDefault);
      return;
    case 'computed':
      collect(expression.name, hasDefault, names);
      return;
    default: {
      const { kind, name, right } = expression;
      if (name.kind === 'text') names.set(name.text, kind === 'default');
      else collect(name, kind === 'default', names);
      collect(right, hasDefault, names);
    }
  }
}

function originOf(name: string, hasDefault: boolean, owner: Tree, scope: Scope): string {
  const inTree = lookup(rootOf(owner), parsePath(name, scope.tree), scope, new Set([name]));
  if (inTree.ok && inTree.value !== undefined) return `set in ${positionText(inTree.value.at)}`;
  if (scope.env === undefined) return 'not known: the environment cannot be read';
  if (scope.env[name]) return 'set in the environment';
  return hasDefault ? 'not set, so its default applies' : 'not set';
}
