/**
 * Reads settings from a configuration tree in the type that Filebeat wants, with the conversions of go-ucfg. Where
 * something cannot be evaluated or converted, the result is the first such failure.
 */
import type { Position } from '../../model/model.js';
import { parseGoInt } from './go-number.js';
import { failure, parsePath, type Read, type Tree, type Value } from './tree.js';
import { type Plain, plainMap } from './value.js';
import { type LookupPath, lookup, type Scope, settle, textOf } from './variables.js';

/** Looks up a dotted key, e.g. `protocol.udp.host`. Null counts as absent. */
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

/** A setting, converted with one of the functions below; undefined if absent. */
export function getAs<T>(
  tree: Tree,
  key: string,
  scope: Scope,
  convert: (value: Value, scope: Scope) => Read<T>,
): Read<T | undefined> {
  const found = get(tree, key, scope);
  if (!found.ok) return found;
  return found.value ? convert(found.value, scope) : { ok: true, value: undefined };
}

/** Like `getAs`, but undefined also where the value is unknown or cannot be converted. */
export function readAs<T>(...args: Parameters<typeof getAs<T>>): T | undefined {
  const read = getAs<T>(...args);
  return read.ok ? read.value : undefined;
}

/** A string setting; `''` if absent, undefined where it is unknown or cannot be converted. */
export function readText(tree: Tree, key: string, scope: Scope): string | undefined {
  const read = getAs(tree, key, scope, toText);
  return read.ok ? (read.value ?? '') : undefined;
}

/** The strings of a list setting, with their nodes. Leaves out those that are unknown or cannot be converted. */
export function listedTexts(tree: Tree, key: string, scope: Scope): { text: string; value: Value }[] {
  return (readAs(tree, key, scope, toList) ?? []).flatMap((value) => {
    const read = toText(value, scope);
    return read.ok ? [{ text: read.value, value }] : [];
  });
}

/** Where a key stands, for messages: the position of the deepest existing part of its path. */
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

/** A string; numbers and booleans are printed. */
export function toText(value: Value, scope: Scope): Read<string> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  const text = textOf(settled.value);
  return text.ok ? text : failure(text.fault.code, value.at);
}

/**
 * A boolean, or a string that `strconv.ParseBool` accepts (1 t T true TRUE True 0 f F false FALSE False), but no
 * number.
 */
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

/** A whole number; floats are truncated, strings read with Go's prefixes (0x, 0b, 0o). */
export function toInt(value: Value, scope: Scope): Read<number> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  const v = settled.value;
  if (v.kind === 'int') return { ok: true, value: Number(v.value) };
  if (v.kind === 'float' && Math.abs(v.value) < 2 ** 63) return { ok: true, value: Math.trunc(v.value) };
  const parsed = v.kind === 'text' ? parseGoInt(v.value, true) : undefined;
  return parsed === undefined ? failure('wrong-type', value.at) : { ok: true, value: Number(parsed) };
}

/** A section; null is an empty one. */
export function toTree(value: Value, scope: Scope): Read<Tree> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  if (settled.value.kind === 'tree') return { ok: true, value: settled.value };
  if (settled.value.kind !== 'nil') return failure('wrong-type', value.at);
  return { ok: true, value: { kind: 'tree', parent: undefined, names: new Map(), items: undefined, at: value.at } };
}

/** A list. A scalar counts as a list of one, a map as an empty list. */
export function toList(value: Value, scope: Scope): Read<Value[]> {
  const settled = settle(value, scope);
  if (!settled.ok) return settled;
  if (settled.value.kind === 'tree') return { ok: true, value: settled.value.items ?? [] };
  return { ok: true, value: settled.value.kind === 'nil' ? [] : [settled.value] };
}

/** Nodes after which `toPlain` gives up: a tree may refer to itself many times over. */
const MAX_PLAIN = 200_000;

/** Everything below a value, evaluated, as Filebeat does to hash an entry. */
export function toPlain(value: Value, scope: Scope): Read<Plain> {
  return plain(value, scope, new Set(), { left: MAX_PLAIN });
}

function plain(value: Value, scope: Scope, path: LookupPath, budget: { left: number }): Read<Plain> {
  if (--budget.left < 0) return { ...failure('value-too-long', value.at), unresolved: 'variable' };
  const settled = settle(value, scope, path);
  if (!settled.ok) return settled;
  const v = settled.value;
  switch (v.kind) {
    case 'nil':
      return { ok: true, value: null };
    case 'float':
      return { ok: true, value: { float: v.value } };
    case 'tree':
      return plainTree(v, scope, path, budget);
    default:
      return { ok: true, value: v.value };
  }
}

/** An empty tree becomes null, an empty list stays a list; names and indexes together become a map. */
function plainTree(tree: Tree, scope: Scope, path: LookupPath, budget: { left: number }): Read<Plain> {
  const items: Plain[] = [];
  for (const item of tree.items ?? []) {
    const read = plain(item, scope, new Set(path), budget);
    if (!read.ok) return read;
    items.push(read.value);
  }
  if (tree.names.size === 0) return { ok: true, value: tree.items ? items : null };
  const map = plainMap();
  for (const [name, child] of tree.names) {
    const read = plain(child, scope, new Set(path), budget);
    if (!read.ok) return read;
    map[name] = read.value;
  }
  for (const [index, item] of items.entries()) map[String(index)] = item;
  return { ok: true, value: map };
}
