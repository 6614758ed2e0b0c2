/**
 * Reads settings out of a configuration tree in the type that Filebeat wants, with its conversions (go-ucfg):
 * the first thing that cannot be evaluated or converted is the answer.
 */
import type { Position } from '../../model/model.js';
import { parseGoInt } from './go-number.js';
import { parsePath, type Tree, type Value } from './tree.js';
import { type Plain, plainMap } from './value.js';
import { failure, type LookupPath, lookup, type Read, type Scope, settle, textOf } from './variables.js';

/** Looks up a dotted key, e.g. `protocol.udp.host`. Null counts as nothing there. */
export function get(tree: Tree, key: string, scope: Scope): Read<Value | undefined> {
  const path = parsePath(key, scope.tree);
  const [name] = path;
  if (path.length === 1 && typeof name === 'string') {
    const value = tree.names.get(name);
    return { ok: true, value: value?.kind === 'nil' ? undefined : value };
  }
  const found = lookup(tree, path, scope);
  if (!found.ok) return found;
  return found.value?.kind === 'nil' ? { ok: true, value: undefined } : found;
}

/** The place of a key, for messages: of the deepest existing part of its path. */
export function positionOf(tree: Tree, key: string): Position {
  let node: Value = tree;
  for (const element of parsePath(key)) {
    if (node.kind !== 'tree') break;
    const next: Value | undefined = typeof element === 'number' ? node.items?.[element] : node.names.get(element);
    if (!next) break;
    node = next;
  }
  return node.at;
}

/** A text; numbers and truth values are printed. */
export function toText(value: Value, scope: Scope): Read<string> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  const text = textOf(settled.value);
  return text.ok ? text : failure(text.fault.code, value.at);
}

/** Texts count as `strconv.ParseBool` takes them (1 t T true TRUE True 0 f F false FALSE False); numbers do not count. */
export function toBool(value: Value, scope: Scope): Read<boolean> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  const v = settled.value;
  if (v.kind === 'bool') return { ok: true, value: v.value };
  if (v.kind === 'text') {
    if (/^(?:1|t|T|true|TRUE|True)$/.test(v.value)) return { ok: true, value: true };
    if (/^(?:0|f|F|false|FALSE|False)$/.test(v.value)) return { ok: true, value: false };
  }
  return failure('wrong-type', value.at);
}

/** A whole number; floats are cut, texts read with Go's prefixes. */
export function toInt(value: Value, scope: Scope): Read<number> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  const v = settled.value;
  if (v.kind === 'int') return { ok: true, value: Number(v.value) };
  if (v.kind === 'float' && Math.abs(v.value) < 2 ** 63) return { ok: true, value: Math.trunc(v.value) };
  const parsed = v.kind === 'text' ? parseGoInt(v.value, true) : undefined;
  return parsed === undefined ? failure('wrong-type', value.at) : { ok: true, value: Number(parsed) };
}

/** A sub-tree; null is an empty one. */
export function toTree(value: Value, scope: Scope): Read<Tree> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  if (settled.value.kind === 'tree') return { ok: true, value: settled.value };
  if (settled.value.kind !== 'nil') return failure('wrong-type', value.at);
  return { ok: true, value: { kind: 'tree', parent: undefined, names: new Map(), items: undefined, at: value.at } };
}

/** A list: a scalar is a list of one, a tree without numbered children is an empty one. */
export function toList(value: Value, scope: Scope): Read<Value[]> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  if (settled.value.kind === 'tree') return { ok: true, value: settled.value.items ?? [] };
  return { ok: true, value: settled.value.kind === 'nil' ? [] : [settled.value] };
}

/** What `toPlain` gives up at: a tree referring to itself many times over. */
const MAX_PLAIN = 200_000;

/** Everything below a value, evaluated: what Filebeat does to hash an entry. The first thing that fails fails it all. */
export function toPlain(value: Value, scope: Scope): Read<Plain> {
  return plain(value, scope, new Set(), { left: MAX_PLAIN });
}

function plain(value: Value, scope: Scope, trail: LookupPath, budget: { left: number }): Read<Plain> {
  if (--budget.left < 0) return { ...failure('value-too-long', value.at), unresolved: 'variable' };
  const settled = settle(value, scope, trail);
  if (!settled.ok) return settled;
  const v = settled.value;
  switch (v.kind) {
    case 'nil':
      return { ok: true, value: null };
    case 'float':
      return { ok: true, value: { float: v.value } };
    case 'tree':
      return plainTree(v, scope, trail, budget);
    default:
      return { ok: true, value: v.value };
  }
}

/** An empty tree is null, an empty list a list; names and numbers together are a map with numeric names. */
function plainTree(tree: Tree, scope: Scope, trail: LookupPath, budget: { left: number }): Read<Plain> {
  const items: Plain[] = [];
  for (const item of tree.items ?? []) {
    const read = plain(item, scope, new Set(trail), budget);
    if (!read.ok) return read;
    items.push(read.value);
  }
  if (tree.names.size === 0) return { ok: true, value: tree.items ? items : null };
  const map = plainMap();
  for (const [name, child] of tree.names) {
    const read = plain(child, scope, new Set(trail), budget);
    if (!read.ok) return read;
    map[name] = read.value;
  }
  for (const [index, item] of items.entries()) map[String(index)] = item;
  return { ok: true, value: map };
}
