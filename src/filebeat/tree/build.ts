/**
 * Builds configuration trees from YAML documents and from plain data (`-E`, templates). Filebeat processes the keys of
 * one map in random order, so two spellings of one setting are recorded as a clash.
 */
import type { Position } from '../../model/model.js';
import type { YamlNode } from '../yaml/yaml.js';
import { parseExpression } from './expression.js';
import {
  adopt,
  child,
  failure,
  newTree,
  type PathElement,
  parsePath,
  plainChild,
  type Read,
  setChild,
  setPath,
  type Tree,
  type TreeRules,
  type Value,
} from './tree.js';
import { isGoFloat, type Plain } from './value.js';

/** Two spellings of one setting in one map: the result depends on Go's map order. */
export interface Clash {
  path: string;
  at: Position;
}

export interface Build {
  file: string;
  rules: TreeRules;
  clashes: Clash[];
}

/** The tree of a YAML document. A scalar or no document becomes an empty tree, a list a tree of items. */
export function treeFromYaml(node: YamlNode | undefined, build: Build): Read<Tree> {
  const at = { file: build.file, ...(node ? { line: node.line } : {}) };
  if (!node || node.kind === 'scalar') return { ok: true, value: newTree(at) };
  const built = fromYaml(node, build);
  return built.ok && built.value.kind === 'tree' ? { ok: true, value: built.value } : (built as Read<Tree>);
}

function fromYaml(node: YamlNode, build: Build): Read<Value> {
  const at = { file: build.file, line: node.line };
  if (node.kind === 'scalar') {
    if (node.type === 'null') return { ok: true, value: { kind: 'nil', at } };
    if (node.type === 'float') return { ok: true, value: { kind: 'float', value: Number(node.value), at } };
    if (node.type === 'int') return { ok: true, value: { kind: 'int', value: node.value as number, at } };
    if (node.type === 'bool') return { ok: true, value: { kind: 'bool', value: node.value === true, at } };
    return textValue(String(node.value), at);
  }
  const tree = newTree(at);
  if (node.kind === 'list') {
    tree.items = [];
    for (const item of node.items) {
      const built = fromYaml(item, build);
      if (!built.ok) return built;
      adopt(built.value, tree);
      tree.items.push(built.value);
    }
    return { ok: true, value: tree };
  }
  const entries = build.rules.reversed ? [...node.entries].reverse() : node.entries;
  for (const { key, line, value } of entries) {
    const built = fromYaml(value, build);
    if (!built.ok) return built;
    // Use the line of the key: its value may begin on a later line.
    built.value.at = { file: build.file, line };
    const set = addEntry(tree, key, built.value, build);
    if (!set.ok) return set;
  }
  return { ok: true, value: tree };
}

/** A string; parsed as an expression if it contains a variable. */
function textValue(text: string, at: Position): Read<Value> {
  if (!text.includes('$')) return { ok: true, value: { kind: 'text', value: text, at } };
  const parsed = parseExpression(text);
  if (!parsed.ok) return failure('bad-expansion', at);
  if (parsed.expression.kind === 'text')
    return { ok: true, value: { kind: 'text', value: parsed.expression.text, at } };
  return { ok: true, value: { kind: 'dynamic', expression: parsed.expression, owner: newTree(at), at } };
}

/** The tree of plain data, as `-E` makes it. Keys are split at dots. */
export function treeFromPlain(plain: { [key: string]: Plain }, at: Position, rules: TreeRules): Read<Tree> {
  const built = fromPlain(plain, { file: at.file, rules, clashes: [] }, at);
  return built.ok && built.value.kind === 'tree' ? { ok: true, value: built.value } : (built as Read<Tree>);
}

/** The tree's value of a single plain value. */
export function valueFromPlain(plain: Plain, at: Position, rules: TreeRules): Read<Value> {
  return fromPlain(plain, { file: at.file, rules, clashes: [] }, at);
}

function fromPlain(plain: Plain, build: Build, at: Position): Read<Value> {
  if (plain === null) return { ok: true, value: { kind: 'nil', at } };
  if (typeof plain === 'boolean') return { ok: true, value: { kind: 'bool', value: plain, at } };
  if (typeof plain === 'number' || typeof plain === 'bigint')
    return { ok: true, value: { kind: 'int', value: plain, at } };
  if (typeof plain === 'string') return textValue(plain, at);
  if (isGoFloat(plain)) return { ok: true, value: { kind: 'float', value: plain.float, at } };
  const tree = newTree(at);
  if (Array.isArray(plain)) {
    tree.items = [];
    for (const item of plain) {
      const built = fromPlain(item, build, at);
      if (!built.ok) return built;
      adopt(built.value, tree);
      tree.items.push(built.value);
    }
    return { ok: true, value: tree };
  }
  for (const [key, item] of Object.entries(plain)) {
    const built = fromPlain(item, build, at);
    if (!built.ok) return built;
    const set = addEntry(tree, key, built.value, build);
    if (!set.ok) return set;
  }
  return { ok: true, value: tree };
}

function addEntry(tree: Tree, key: string, value: Value, build: Build): Read<undefined> {
  const path = parsePath(key, build.rules);
  const old = plainChild(tree, ...path);
  if (!old || old.kind === 'nil') {
    const set = setPath(tree, path, value);
    if (set.ok || set.fault.code !== 'not-an-object') return set;
    build.clashes.push({ path: key, at: value.at });
    return { ok: true, value: undefined };
  }
  if (value.kind === 'nil') return { ok: true, value: undefined };
  if (old.kind === 'tree' && value.kind === 'tree') {
    mergeSpellings(old, value, key, build);
    return { ok: true, value: undefined };
  }
  build.clashes.push({ path: key, at: value.at });
  return setPath(tree, path, value);
}

/** Merges two sections for one setting of one map. A setting in both of them is a clash. */
function mergeSpellings(to: Tree, from: Tree, path: string, build: Build): void {
  const merge = (element: PathElement, value: Value): void => {
    const old = child(to, element);
    const innerPath = `${path}.${element}`;
    if (old?.kind === 'tree' && value.kind === 'tree') {
      mergeSpellings(old, value, innerPath, build);
    } else if (old?.kind !== 'tree' || value.kind !== 'nil') {
      if (old && old.kind !== 'nil') build.clashes.push({ path: innerPath, at: value.at });
      setChild(to, element, value);
    }
  };
  for (const [name, value] of from.names) merge(name, value);
  for (const [index, value] of (from.items ?? []).entries()) merge(index, value);
}
