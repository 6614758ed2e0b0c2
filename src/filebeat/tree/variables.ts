/**
 * Evaluates `${…}` in a configuration tree as Filebeat does: a name is looked up in the root of the tree that
 * holds it, then in the environment, then in the keystore, and what is spliced together is parsed once more.
 */
import type { Fault, Position, UnresolvedWhy } from '../../model/model.js';
import { valueFromPlain } from './build.js';
import type { Expression } from './expression.js';
import { formatFloat, parseGoFloat, parseGoInt } from './go-number.js';
import {
  type Dynamic,
  type PathElement,
  parsePath,
  rootOf,
  type Scalar,
  type Tree,
  type TreeRules,
  type Value,
} from './tree.js';
import { goTrim, parseValue } from './value.js';

/** Where names are looked up beside the tree itself, and the rules of the release for it. */
export interface Scope {
  /** The whole environment of the process; undefined when it could not be read. */
  env: Record<string, string | undefined> | undefined;
  /** Variables that may be set to what nobody can tell; `any`: every name that `env` has not. */
  envHidden?: { any: boolean; names: readonly string[] } | undefined;
  /** A keystore file exists: a name found nowhere else may be in it. */
  keystore: boolean;
  /** `{…}` in a variable is an object (6.8). */
  envObjects: boolean;
  /** Blanks around a number in a variable fall away (7.17+). */
  envTrims: boolean;
  /** A name with dots may be one of the environment (7.17+). */
  envDots: boolean;
  tree: TreeRules;
}

/** A value that could not be had. `unresolved`: not an error of Filebeat's but something that cannot be known from here. */
export interface Failure {
  ok: false;
  fault: Fault;
  unresolved?: UnresolvedWhy;
}
export type Read<T> = { ok: true; value: T } | Failure;

/** A tree or a scalar: what a `${…}` has become. */
export type Settled = Tree | Scalar;

/**
 * Names looked up so far for one value. Filebeat never forgets one while it evaluates, so a setting that is named twice
 * in one text counts as a cycle (`${my.port}${my.port}`); a name of the environment may be repeated.
 */
export type LookupPath = Set<string>;

/** Splices that grow beyond this are not followed: 2^30 letters can be written in a few lines. */
const MAX_TEXT = 1_000_000;
/** More names than this for one value are not followed. */
const MAX_TRAIL = 100;

/** The value behind a `${…}`, or the value itself. */
export function settle(value: Value, scope: Scope, trail?: LookupPath): Read<Settled> {
  if (value.kind !== 'dynamic') return { ok: true, value };
  return evaluate(value, scope, trail ?? new Set());
}

function evaluate(dynamic: Dynamic, scope: Scope, trail: LookupPath): Read<Settled> {
  const { expression, owner, at } = dynamic;
  if (trail.size > MAX_TRAIL) return { ...failure('value-too-long', at), unresolved: 'variable' };
  if (expression.kind === 'reference') {
    const found = resolve(expression.name, owner, scope, trail, at);
    if (!found.ok) return found;
    if (found.value.from === 'tree') return settle(found.value.value, scope, trail);
    return reparse(found.value.text, scope.envObjects, at, scope);
  }
  const text = splice(expression, owner, scope, trail, at);
  return text.ok ? reparse(text.value, true, at, scope) : text;
}

/** The text of an expression's result is read once more by the grammar of value.ts. */
function reparse(text: string, objects: boolean, at: Position, scope: Scope): Read<Settled> {
  const parsed = parseValue(text, { objects });
  if (!parsed.ok) return failure('bad-value-text', at);
  if (parsed.value === null) {
    const blank = goTrim(text) === '';
    return { ok: true, value: blank ? { kind: 'text', value: text, at } : { kind: 'nil', at } };
  }
  // What a variable holds is not expanded again.
  const built = typeof parsed.value === 'string' ? undefined : valueFromPlain(parsed.value, at, scope.tree);
  if (!built) return { ok: true, value: { kind: 'text', value: parsed.value as string, at } };
  if (!built.ok) return built;
  return built.value.kind === 'dynamic' ? failure('bad-value-text', at) : { ok: true, value: built.value };
}

type Found = { from: 'tree'; value: Value } | { from: 'env'; text: string };

function resolve(name: string, owner: Tree, scope: Scope, trail: LookupPath, at: Position): Read<Found> {
  const cycle = trail.has(name);
  if (!cycle) {
    trail.add(name);
    const inTree = lookup(rootOf(owner), parsePath(name, scope.tree), scope, trail);
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

/** Whoever starts it may have set it: of PATH, HOME and USER it is known who does. */
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

function splice(expression: Expression, owner: Tree, scope: Scope, trail: LookupPath, at: Position): Read<string> {
  switch (expression.kind) {
    case 'text':
      return { ok: true, value: expression.text };
    case 'reference':
      return named(expression.name, owner, scope, trail, at);
    case 'computed': {
      const name = splice(expression.name, owner, scope, trail, at);
      return name.ok ? anonymous(named(name.value, owner, scope, trail, at)) : name;
    }
    case 'splice': {
      let text = '';
      for (const piece of expression.pieces) {
        const part = splice(piece, owner, scope, trail, at);
        if (!part.ok) return part;
        text += part.value;
        if (text.length > MAX_TEXT) return { ...failure('value-too-long', at), unresolved: 'variable' };
      }
      return { ok: true, value: text };
    }
    default:
      return conditional(expression, owner, scope, trail, at);
  }
}

function conditional(
  expression: Extract<Expression, { kind: 'default' | 'alternative' | 'message' }>,
  owner: Tree,
  scope: Scope,
  trail: LookupPath,
  at: Position,
): Read<string> {
  const name = splice(expression.name, owner, scope, trail, at);
  const literal = expression.name.kind === 'text';
  const looked = name.ok && name.value !== '' ? named(name.value, owner, scope, trail, at) : name;
  const found = literal ? looked : anonymous(looked);
  if (!found.ok && found.unresolved) return found;
  const present = name.ok && name.value !== '' && found.ok;
  switch (expression.kind) {
    case 'default':
      return present && found.value !== '' ? found : splice(expression.right, owner, scope, trail, at);
    case 'alternative':
      return present ? splice(expression.right, owner, scope, trail, at) : { ok: true, value: '' };
    default:
      // The message is the operator's own words; it is not repeated.
      return present && found.value !== ''
        ? found
        : failure('undefined-variable', at, literal && name.ok ? name.value : undefined);
  }
}

/** A name that was put together is itself a value and must not be told. */
function anonymous<T>(read: Read<T>): Read<T> {
  if (read.ok) return read;
  const { subject: _, ...fault } = read.fault;
  return { ...read, fault };
}

/** The text of one name, for splicing. An environment value is taken as it stands, quotes and all. */
function named(name: string, owner: Tree, scope: Scope, trail: LookupPath, at: Position): Read<string> {
  const found = resolve(name, owner, scope, trail, at);
  if (!found.ok) return found;
  if (found.value.from === 'env') return { ok: true, value: found.value.text };
  const settled = settle(found.value.value, scope, trail);
  return settled.ok ? textOf(settled.value) : settled;
}

/** How Filebeat prints a value where a text is wanted. A tree cannot be printed. */
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

/** The value at a path, through references too. `value` undefined: nothing there. */
export function lookup(
  tree: Tree,
  path: readonly PathElement[],
  scope: Scope,
  trail?: LookupPath,
): Read<Value | undefined> {
  let node: Value = tree;
  let names = trail;
  for (let depth = 0; depth < path.length; depth++) {
    const element = path[depth]!;
    if (node.kind === 'dynamic') names ??= new Set();
    const settled = settle(node, scope, names);
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

export function failure(code: string, at: Position, subject?: string): Failure {
  return { ok: false, fault: { code, at, ...(subject ? { subject } : {}) } };
}
