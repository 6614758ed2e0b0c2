/**
 * Evaluates `${…}` in a configuration tree as Filebeat does: it looks a name up in the root of the tree, then in the
 * environment, then in the keystore, and parses a concatenated string once more.
 */
import type { Position } from '../../model/model.js';
import { valueFromPlain } from './build.js';
import type { Expression } from './expression.js';
import { formatFloat, parseGoFloat, parseGoInt } from './go-number.js';
import {
  type Dynamic,
  failure,
  type PathElement,
  parsePath,
  type Read,
  rootOf,
  type Scalar,
  type Tree,
  type TreeRules,
  type Value,
} from './tree.js';
import { goTrim, parseValue } from './value.js';

/** Where names are looked up apart from the tree, and the release's rules for it. */
export interface Scope {
  /** The environment of the process; undefined if it cannot be read. */
  env: Record<string, string | undefined> | undefined;
  /** Names of variables with unknown values; `any`: there may be more of any name. */
  envHidden?: { any: boolean; names: readonly string[] } | undefined;
  /** A keystore exists; it may have any name that is found nowhere else. */
  keystore: boolean;
  /** `{…}` in a variable is an object (6.8). */
  envObjects: boolean;
  /** Blanks around a number in a variable are removed (7.17+). */
  envTrims: boolean;
  /** A name with dots may be an environment variable (7.17+). */
  envDots: boolean;
  tree: TreeRules;
}

/** The value of a `${…}`: a tree or a scalar. */
export type Settled = Tree | Scalar;

/**
 * Names looked up so far for one value. Filebeat removes none of them while it evaluates, so a setting that a string
 * names twice counts as a cycle (`${my.port}${my.port}`); an environment variable may be repeated.
 */
export type LookupPath = Set<string>;

/** Longer results are not computed: a few lines can expand to 2^30 characters. */
const MAX_TEXT = 1_000_000;
/** Names that are looked up for one value. */
const MAX_NAMES = 100;

/** The value of a `${…}`; any other value unchanged. */
export function settle(value: Value, scope: Scope, names?: LookupPath): Read<Settled> {
  if (value.kind !== 'dynamic') return { ok: true, value };
  return evaluate(value, scope, names ?? new Set());
}

function evaluate(dynamic: Dynamic, scope: Scope, names: LookupPath): Read<Settled> {
  const { expression, owner, at } = dynamic;
  if (names.size > MAX_NAMES) return { ...failure('value-too-long', at), unresolved: 'variable' };
  if (expression.kind === 'reference') {
    const found = resolve(expression.name, owner, scope, names, at);
    if (!found.ok) return found;
    if (found.value.from === 'tree') return settle(found.value.value, scope, names);
    return reparse(found.value.text, scope.envObjects, at, scope);
  }
  const text = splice(expression, owner, scope, names, at);
  return text.ok ? reparse(text.value, true, at, scope) : text;
}

/** Parses the result of an expression once more, by the grammar of value.ts. */
function reparse(text: string, objects: boolean, at: Position, scope: Scope): Read<Settled> {
  const parsed = parseValue(text, { objects });
  if (!parsed.ok) return failure('bad-value-text', at);
  if (parsed.value === null) {
    const blank = goTrim(text) === '';
    return { ok: true, value: blank ? { kind: 'text', value: text, at } : { kind: 'nil', at } };
  }
  // A `${…}` inside a variable's value is not expanded.
  const built = typeof parsed.value === 'string' ? undefined : valueFromPlain(parsed.value, at, scope.tree);
  if (!built) return { ok: true, value: { kind: 'text', value: parsed.value as string, at } };
  if (!built.ok) return built;
  return built.value.kind === 'dynamic' ? failure('bad-value-text', at) : { ok: true, value: built.value };
}

type Found = { from: 'tree'; value: Value } | { from: 'env'; text: string };

function resolve(name: string, owner: Tree, scope: Scope, names: LookupPath, at: Position): Read<Found> {
  const cycle = names.has(name);
  if (!cycle) {
    names.add(name);
    const inTree = lookup(rootOf(owner), parsePath(name, scope.tree), scope, names);
    if (inTree.ok && inTree.value) return { ok: true, value: { from: 'tree', value: inTree.value } };
    // A scalar in the middle of the path ends the search; only a missing name goes on to the environment.
    if (!inTree.ok && inTree.fault.code !== 'undefined-variable') return inTree;
  }
  const text = fromEnvironment(name, scope);
  if (text !== undefined && text !== '') return { ok: true, value: { from: 'env', text } };
  if (cycle) return failure('reference-cycle', at, name);
  if (scope.env === undefined || mayBeSet(name, scope))
    return { ...failure('undefined-variable', at, name), unresolved: 'variable' };
  if (scope.keystore) return { ...failure('undefined-variable', at, name), unresolved: 'keystore' };
  return failure('undefined-variable', at, name);
}

/** The variable may be set, with an unknown value. The values of PATH, HOME and USER are known. */
function mayBeSet(name: string, { env, envHidden }: Scope): boolean {
  if (envHidden === undefined || (env !== undefined && Object.hasOwn(env, name))) return false;
  return envHidden.names.includes(name) || (envHidden.any && !['PATH', 'HOME', 'USER'].includes(name));
}

function fromEnvironment(name: string, scope: Scope): string | undefined {
  if (!scope.env || (name.includes('.') && !scope.envDots)) return undefined;
  if (!Object.hasOwn(scope.env, name)) return undefined;
  const text = scope.env[name];
  if (text === undefined || !scope.envTrims) return text;
  const trimmed = goTrim(text);
  const numeric = parseGoInt(trimmed, true) !== undefined || parseGoFloat(trimmed) !== undefined;
  return numeric ? trimmed : text;
}

function splice(expression: Expression, owner: Tree, scope: Scope, names: LookupPath, at: Position): Read<string> {
  switch (expression.kind) {
    case 'text':
      return { ok: true, value: expression.text };
    case 'reference':
      return textOfName(expression.name, owner, scope, names, at);
    case 'computed': {
      const name = splice(expression.name, owner, scope, names, at);
      return name.ok ? anonymous(textOfName(name.value, owner, scope, names, at)) : name;
    }
    case 'splice': {
      let text = '';
      for (const piece of expression.pieces) {
        const part = splice(piece, owner, scope, names, at);
        if (!part.ok) return part;
        text += part.value;
        if (text.length > MAX_TEXT) return { ...failure('value-too-long', at), unresolved: 'variable' };
      }
      return { ok: true, value: text };
    }
    default:
      return conditional(expression, owner, scope, names, at);
  }
}

function conditional(
  expression: Extract<Expression, { kind: 'default' | 'alternative' | 'message' }>,
  owner: Tree,
  scope: Scope,
  names: LookupPath,
  at: Position,
): Read<string> {
  const name = splice(expression.name, owner, scope, names, at);
  const isLiteral = expression.name.kind === 'text';
  const named = name.ok && name.value !== '' ? textOfName(name.value, owner, scope, names, at) : name;
  const found = isLiteral ? named : anonymous(named);
  if (!found.ok && found.unresolved) return found;
  const present = name.ok && name.value !== '' && found.ok;
  switch (expression.kind) {
    case 'default':
      return present && found.value !== '' ? found : splice(expression.right, owner, scope, names, at);
    case 'alternative':
      return present ? splice(expression.right, owner, scope, names, at) : { ok: true, value: '' };
    default:
      // The configured message is not shown; it may hold a secret.
      return present && found.value !== ''
        ? found
        : failure('undefined-variable', at, isLiteral && name.ok ? name.value : undefined);
  }
}

/** Removes a computed name, which is itself a value and must not be shown. */
function anonymous<T>(read: Read<T>): Read<T> {
  if (read.ok) return read;
  const { subject: _, ...fault } = read.fault;
  return { ...read, fault };
}

/** The text of one name, for concatenation. An environment variable keeps its quotes. */
function textOfName(name: string, owner: Tree, scope: Scope, names: LookupPath, at: Position): Read<string> {
  const found = resolve(name, owner, scope, names, at);
  if (!found.ok) return found;
  if (found.value.from === 'env') return { ok: true, value: found.value.text };
  const settled = settle(found.value.value, scope, names);
  return settled.ok ? textOf(settled.value) : settled;
}

/** A value as a string, as Filebeat prints it. Fails for a tree. */
export function textOf(value: Settled): Read<string> {
  switch (value.kind) {
    case 'nil':
      return { ok: true, value: 'null' };
    case 'tree':
      return failure('wrong-type', value.at);
    case 'float':
      return { ok: true, value: formatFloat(value.value) };
    default:
      return { ok: true, value: String(value.value) };
  }
}

/** The value at a path; follows references. `value` is undefined if it is absent. */
export function lookup(
  tree: Tree,
  path: readonly PathElement[],
  scope: Scope,
  names?: LookupPath,
): Read<Value | undefined> {
  let node: Value = tree;
  let visited = names;
  for (let depth = 0; depth < path.length; depth++) {
    const element = path[depth]!;
    if (node.kind === 'dynamic') visited ??= new Set();
    const settled = settle(node, scope, visited);
    const inner: Settled | undefined = settled.ok ? settled.value : undefined;
    const branch = inner?.kind === 'tree' ? inner : undefined;
    if (!branch && inner?.kind !== 'nil') {
      // Element 0 of a scalar is the scalar itself.
      if (element === 0 && inner) {
        node = inner;
        continue;
      }
      if (!settled.ok) return settled;
      return depth === path.length - 1 ? { ok: true, value: undefined } : failure('not-an-object', node.at);
    }
    const next: Value | undefined = typeof element === 'number' ? branch?.items?.[element] : branch?.names.get(element);
    if (!next) return { ok: true, value: undefined };
    node = next;
  }
  return { ok: true, value: node };
}
