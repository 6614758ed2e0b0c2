/**
 * Conditions of processors (`when`, `if`), as in Filebeat's libbeat/conditions. Filebeat reads all nine kinds, but
 * creates only the first in its order; bad values of the others have no effect.
 */
import { parseAddress } from '../net/ip.js';
import { type Complaint, first } from '../tree/checks.js';
import { parseGoFloat } from '../tree/go-number.js';
import { validGoRegexp } from '../tree/go-regexp.js';
import { get, toList, toPlain, toText, toTree } from '../tree/read.js';
import { type Failure, failure, type Tree, type Value } from '../tree/tree.js';
import { isGoFloat, type Plain, plainMap } from '../tree/value.js';
import type { Scope } from '../tree/variables.js';

/** In Filebeat's order. */
const KINDS = ['equals', 'contains', 'regexp', 'range', 'has_fields', 'network', 'or', 'and', 'not'] as const;
type Kind = (typeof KINDS)[number];

/** Deeper nesting is refused here; Filebeat's stack allows more. */
const MAX_DEPTH = 50;

/** Dotted names of fields → values; list items have their index as name (`Fields.Unpack` of conditions/fields.go). */
type Flat = Map<string, Plain>;

/** Result of reading a condition: a complaint, or the check of its creation. Neither if it counts as absent. */
type Unpacked = { ok: true; check?: () => Complaint } | { ok: false; complaint: Complaint };

/** Filebeat's complaint about a condition. */
export function checkCondition(value: Value, scope: Scope): Complaint {
  const unpacked = unpackCondition(value, scope, 0);
  return unpacked.ok ? unpacked.check?.() : unpacked.complaint;
}

function unpackCondition(value: Value, scope: Scope, depth: number): Unpacked {
  const read = toTree(value, scope);
  if (!read.ok) return unreadable(read, value);
  if (depth > MAX_DEPTH) return { ok: false, complaint: failure('bad-condition', value.at) };
  let chosen: (() => Complaint) | undefined;
  for (const kind of KINDS) {
    const found = get(read.value, kind, scope);
    if (!found.ok) return { ok: false, complaint: found.unresolved ? undefined : found };
    const unpacked = found.value && unpack(kind, found.value, scope, depth);
    if (unpacked?.ok === false) return unpacked;
    chosen ??= unpacked?.check;
  }
  return { ok: true, check: chosen ?? (() => failure('bad-condition', read.value.at)) };
}

function unpack(kind: Kind, value: Value, scope: Scope, depth: number): Unpacked {
  if (kind === 'not') return unpackCondition(value, scope, depth + 1);
  if (kind === 'and' || kind === 'or') return conditionList(value, scope, depth);
  return kind === 'has_fields' ? fieldNames(value, scope) : fields(kind, value, scope);
}

/** For a value that has the wrong type or cannot be read. A value unknown to this program is no complaint. */
function unreadable({ fault, unresolved }: Failure, { at }: Value, subject?: string): Unpacked {
  if (unresolved) return { ok: false, complaint: undefined };
  const code = fault.code === 'wrong-type' ? 'bad-condition' : fault.code;
  return { ok: false, complaint: failure(code, at, fault.subject ?? subject) };
}

/** A list of conditions; a map counts as an empty list. */
function conditionList(value: Value, scope: Scope, depth: number): Unpacked {
  const list = toList(value, scope);
  if (!list.ok) return unreadable(list, value);
  if (list.value.length === 0) return { ok: true };
  const checks: (() => Complaint)[] = [];
  for (const item of list.value) {
    const unpacked = unpackCondition(item, scope, depth + 1);
    if (!unpacked.ok) return unpacked;
    if (unpacked.check) checks.push(unpacked.check);
  }
  return { ok: true, check: () => first(...checks) };
}

function fieldNames(value: Value, scope: Scope): Unpacked {
  const list = toList(value, scope);
  if (!list.ok) return unreadable(list, value);
  for (const item of list.value) {
    const name = toText(item, scope);
    if (!name.ok && !name.unresolved) return unreadable(name, item, 'has_fields');
  }
  return { ok: true, check: () => undefined };
}

function fields(kind: 'equals' | 'contains' | 'regexp' | 'range' | 'network', value: Value, scope: Scope): Unpacked {
  const tree = toTree(value, scope);
  if (!tree.ok) return unreadable(tree, value, kind);
  const refused: Unpacked = { ok: false, complaint: failure('bad-condition', value.at, kind) };
  // Lists are no maps of fields; nor are empty maps, except for `network`.
  if (kind !== 'network' && tree.value.names.size === 0) return refused;
  const plain = toPlain(kind === 'network' ? { ...tree.value, items: undefined } : tree.value, scope);
  if (!plain.ok) return { ok: false, complaint: plain.unresolved ? undefined : plain };
  if (kind === 'network') {
    if (tree.value.names.size === 0) return { ok: true };
    const flat = flatten(plain.value, false);
    return { ok: true, check: () => judge(kind, flat, value) };
  }
  return { ok: true, check: () => judge(kind, flatten(plain.value, true), value) };
}

function judge(kind: keyof typeof ACCEPTED, flat: Flat, value: Value): Complaint {
  for (const [name, expected] of flat)
    if (!ACCEPTED[kind](expected, name)) return failure('bad-condition', positionIn(value, name) ?? value.at, kind);
  return undefined;
}

/** The position of a field, or of its deepest part that is no reference. */
function positionIn(value: Value, name: string): Value['at'] | undefined {
  let node: Value | undefined = value;
  for (const part of name.split('.')) {
    if (node?.kind !== 'tree') break;
    node = (node as Tree).names.get(part) ?? node.items?.[Number(part)];
  }
  return node?.at;
}

const isText = (value: Plain): value is string => typeof value === 'string';
const isWhole = (value: Plain): boolean => typeof value === 'number' || typeof value === 'bigint';

const ACCEPTED = {
  equals: (value: Plain) => isText(value) || isWhole(value) || typeof value === 'boolean',
  contains: isText,
  regexp: (value: Plain) => isText(value) && validGoRegexp(value),
  range: (value: Plain, name: string) =>
    ['gte', 'gt', 'lte', 'lt'].includes(name.slice(name.lastIndexOf('.') + 1)) && isNumber(value),
  network: (value: Plain) => (Array.isArray(value) ? value : [value]).every((item) => isText(item) && isNetwork(item)),
} as const;

function isNumber(value: Plain): boolean {
  if (isText(value)) return parseGoFloat(value) !== undefined;
  return isWhole(value) || isGoFloat(value);
}

const NETWORKS = new Set(
  (
    'loopback global_unicast unicast link_local_unicast interface_local_multicast link_local_multicast multicast ' +
    'unspecified private public'
  ).split(' '),
);

/** One of Filebeat's names of networks, or an address with a prefix length. */
function isNetwork(text: string): boolean {
  if (NETWORKS.has(text)) return true;
  const [, host = '', prefix = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(host);
  if (!address || address.zone !== undefined) return false;
  return Number(prefix) <= (address.family === 4 && !host.includes(':') ? 32 : 128);
}

function flatten(value: Plain, throughLists: boolean): Flat {
  const flat: Flat = new Map();
  const visit = (inner: Plain, name: string): void => {
    const isList = Array.isArray(inner);
    if (typeof inner !== 'object' || inner === null || isGoFloat(inner) || (isList && !throughLists)) {
      flat.set(name, inner);
      return;
    }
    const entries = isList ? inner.map((item, index) => [String(index), item] as const) : Object.entries(inner);
    for (const [key, child] of entries) visit(child, name === '' ? key : `${name}.${key}`);
  };
  visit(value ?? plainMap(), '');
  return flat;
}
