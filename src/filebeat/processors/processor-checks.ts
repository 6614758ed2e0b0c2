/** Settings of single processors that take more than a type, as the `Unpack` and `Validate` of Filebeat's sources have them. */
import { type Complaint, integer, singleChoice, text, texts } from '../tree/checks.js';
import { parseGoFloat, parseGoInt } from '../tree/go-number.js';
import { validGoRegexp } from '../tree/go-regexp.js';
import { get, readAs, toInt, toList, toPlain, toText, toTree } from '../tree/read.js';
import {
  anything,
  checkSettings,
  map,
  required,
  type Setting,
  type Settings,
  section,
  sections,
  textThat,
  under,
} from '../tree/setting-tables.js';
import type { Tree } from '../tree/tree.js';
import { isGoFloat, type Plain } from '../tree/value.js';
import { failure, type Scope } from '../tree/variables.js';
import { readableTime } from './time-layout.js';

export type Check = (tree: Tree, scope: Scope) => Complaint;

/** Null counts as absent. */
function has(tree: Tree, name: string): boolean {
  const value = tree.names.get(name);
  return value !== undefined && value.kind !== 'nil';
}

function textsOf(tree: Tree, key: string, scope: Scope): string[] {
  const found = get(tree, key, scope);
  const list = found.ok && found.value ? toList(found.value, scope) : undefined;
  if (!list?.ok) return [];
  return list.value.flatMap((item) => {
    const read = toText(item, scope);
    return read.ok ? [read.value] : [];
  });
}

function placeOf(tree: Tree, name: string) {
  return (tree.names.get(name) ?? tree).at;
}

/** A number with or without a fraction. */
export const decimal: Setting = (tree, key, scope) => {
  const bad = text(tree, key, scope);
  if (bad) return bad;
  const written = readAs(tree, key, scope, toText);
  const right = written === undefined || parseGoFloat(written) !== undefined || parseGoInt(written, true) !== undefined;
  return right ? undefined : failure('wrong-type', placeOf(tree, key), key);
};

/** A whole number from 0 to `most`. */
export const upTo =
  (most: number): Setting =>
  (tree, key, scope) => {
    const bad = integer(tree, key, scope, 0);
    if (bad) return bad;
    const found = get(tree, key, scope);
    const read = found.ok && found.value ? toInt(found.value, scope) : undefined;
    return read?.ok && read.value > most ? failure('bad-value', placeOf(tree, key), key) : undefined;
  };

/** A text that has to be written, even if it is empty. */
export const written: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (found.ok && !found.value) return failure('missing-setting', tree.at, key);
  return text(tree, key, scope);
};

/** A text with a default: it may be absent, not empty. */
export const notEmpty: Setting = (tree, key, scope) =>
  text(tree, key, scope) ??
  (readAs(tree, key, scope, toText) === '' ? failure('missing-setting', placeOf(tree, key), key) : undefined);

/** A list of sections with at least one in it. */
export const sectionsRequired = (table: Settings, also?: Check): Setting => {
  const each = sections(table, also);
  return (tree, key, scope) => {
    const missing = required(anything)(tree, key, scope);
    if (missing) return missing;
    const found = get(tree, key, scope);
    const list = found.ok && found.value ? toList(found.value, scope) : undefined;
    if (list?.ok && list.value.length === 0) return failure('missing-setting', placeOf(tree, key), key);
    return each(tree, key, scope);
  };
};

/** libbeat/processors/util/geo.go: `latitude, longitude`. */
export const location: Check = (geo, scope) => {
  const stated = readAs(geo, 'location', scope, toText);
  const right = !stated || /^\s*-?\d+(?:\.\d+)?\s*,\s*-?\d+(?:\.\d+)?\s*$/.test(stated);
  return right ? undefined : failure('bad-value', placeOf(geo, 'location'), 'location');
};

const CLOUDS = new Set(
  (
    'alibaba ecs azure digitalocean aws ec2 gcp openstack nova openstack-ssl nova-ssl qcloud tencent huawei ' +
    'hetzner'
  ).split(' '),
);

export const cloudProviders: Setting = (tree, key, scope) => texts(tree, key, scope, (name) => CLOUDS.has(name));

/** A `logs_path` matcher that names its `resource_type` has to name a folder that goes with it. */
export const kubernetesMatchers: Setting = (tree, key, scope) => {
  const bad = anything(tree, key, scope);
  if (bad) return bad;
  const found = get(tree, key, scope);
  const list = found.ok && found.value ? toList(found.value, scope) : undefined;
  for (const item of list?.ok ? list.value : []) {
    const entry = toTree(item, scope);
    if (!entry.ok) return entry.unresolved ? undefined : failure('wrong-type', item.at, key);
    const matcher = entry.value.names.get('logs_path');
    const inner = matcher ? toTree(matcher, scope) : undefined;
    if (!inner?.ok || !inner.value.names.has('resource_type')) continue;
    const folder = readAs(inner.value, 'logs_path', scope, toText);
    const folders: Record<string, readonly string[]> = {
      pod: ['/var/lib/kubelet/pods/', '/var/log/pods/'],
      container: ['/var/log/containers/'],
    };
    const right = folders[readAs(inner.value, 'resource_type', scope, toText) ?? '']?.includes(folder ?? '');
    if (!right) return failure('bad-value', inner.value.at, `${key}.logs_path`);
  }
  return undefined;
};

const PROCESS_FIELDS = new Set(
  (
    'process process.name process.title process.executable process.args process.pid process.parent ' +
    'process.parent.pid process.entity_id process.start_time process.owner process.owner.name process.owner.id ' +
    'process.group process.group.name process.group.id process.thread process.thread.capabilities ' +
    'process.thread.capabilities.effective process.thread.capabilities.permitted process.ppid container container.id'
  ).split(' '),
);

/** libbeat/processors/add_process_metadata/config.go; the environment only with `restricted_fields`. */
export const processFields: Setting = (tree, key, scope) => {
  const restricted = readAs(tree, 'restricted_fields', scope, toText) === 'true';
  return texts(tree, key, scope, (name) => PROCESS_FIELDS.has(name) || (restricted && name === 'process.env'));
};

/** Exactly one of two kinds of store. */
export const cacheBackend: Setting = (tree, key, scope) => {
  if (!has(tree, key)) return failure('missing-setting', tree.at, key);
  const id: Settings = { id: required(text) };
  const table: Settings = { memory: section(id), file: section(id), capacity: integer, eviction_effort: integer };
  return section(table, (store) => {
    const kinds = ['memory', 'file'].filter((name) => has(store, name));
    if (kinds.length === 1) return undefined;
    return failure(kinds.length > 1 ? 'more-than-one-choice' : 'missing-setting', store.at, 'memory');
  })(tree, key, scope);
};

export const oneCacheOperation: Check = (tree) => {
  const chosen = ['get', 'put', 'delete'].filter((name) => has(tree, name));
  if (chosen.length === 1) return undefined;
  return chosen.length > 1
    ? failure('more-than-one-choice', tree.at, 'cache')
    : failure('missing-setting', tree.at, 'get, put or delete');
};

/** convert: a field has to get another name or another type. */
export const toOrType: Check = (field, scope) => {
  if (readAs(field, 'to', scope, toText)) return undefined;
  const type = readAs(field, 'type', scope, toText);
  return type === undefined || type.toLowerCase() === '[unset]'
    ? failure('missing-setting', field.at, 'type')
    : undefined;
};

/** All leaves of a map with their names joined by dots; lists are leaves. */
function* leaves(value: Plain): Generator<Plain> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isGoFloat(value)) {
    for (const inner of Object.values(value)) yield* leaves(inner);
  } else yield value;
}

function leavesOf(tree: Tree, key: string, scope: Scope): Plain[] | undefined {
  const found = get(tree, key, scope);
  const inner = found.ok && found.value ? toTree(found.value, scope) : undefined;
  if (!inner?.ok || inner.value.names.size === 0) return [];
  const plain = toPlain({ ...inner.value, items: undefined }, scope);
  if (!plain.ok) return undefined;
  // Null at the top of the map counts as absent.
  return Object.values(plain.value ?? {}).flatMap((value: Plain) => (value === null ? [] : [...leaves(value)]));
}

/** A list of texts none of which is empty. */
export const filledTexts: Setting = (tree, key, scope) =>
  texts(tree, key, scope) ??
  (textsOf(tree, key, scope).includes('') ? failure('missing-setting', placeOf(tree, key), key) : undefined);

/** A regular expression in a struct of its own: a list or a map in its place counts as an empty one. */
export const pattern: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (found.ok && found.value && toTree(found.value, scope).ok) return undefined;
  return regexp(tree, key, scope);
};

const regexp = textThat(validGoRegexp);

/** The same, not to be left out. */
export const patternRequired: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (found.ok && found.value && toTree(found.value, scope).ok) return undefined;
  return required(pattern)(tree, key, scope);
};

/** A regular expression that must take exactly one part out of a text. */
export const onePartPattern = textThat(
  (text) =>
    validGoRegexp(text) &&
    [...text.matchAll(/\\.|\((?!\?)|\(\?P?</gs)].filter(([part]) => part[0] === '(').length === 1,
);

/** Names of fields → names of fields. */
export const targets =
  (needsOne: boolean): Setting =>
  (tree, key, scope) => {
    const bad = map(tree, key, scope);
    if (bad) return bad;
    const found = leavesOf(tree, key, scope);
    if (!found) return undefined;
    if (needsOne && found.length === 0) return failure('missing-setting', placeOf(tree, key), key);
    return found.every((leaf) => typeof leaf === 'string') ? undefined : failure('wrong-type', placeOf(tree, key), key);
  };

/** extract_array: names of fields → places in a list, at least one. */
export const positions: Setting = (tree, key, scope) => {
  const bad = map(tree, key, scope);
  if (bad) return bad;
  const found = leavesOf(tree, key, scope);
  if (!found) return undefined;
  if (found.length === 0) return failure('missing-setting', placeOf(tree, key), key);
  const right = found.every((leaf) =>
    typeof leaf === 'string'
      ? /^\+?\d+$/.test(leaf)
      : (typeof leaf === 'number' || typeof leaf === 'bigint') && leaf >= 0,
  );
  return right ? undefined : failure('bad-value', placeOf(tree, key), key);
};

/** dns: a cache cannot begin larger than it may grow; 1000 and 10000 are the defaults. */
export const cacheCapacities: Check = (tree, scope) => {
  for (const name of ['success_cache', 'failure_cache']) {
    const [initial = 1000, most = 10_000] = ['initial', 'max'].map((end) => {
      const found = get(tree, `${name}.capacity.${end}`, scope);
      const read = found.ok && found.value ? toInt(found.value, scope) : undefined;
      return read?.ok ? read.value : undefined;
    });
    if (most < initial) return failure('bad-value', placeOf(tree, name), `${name}.capacity.max`);
  }
  return undefined;
};

/** drop_fields: a name between slashes is a regular expression. */
export const fieldPatterns: Setting = (tree, key, scope) =>
  texts(tree, key, scope, (name) => name.length < 3 || !/^\/.*\/$/s.test(name) || validGoRegexp(name.slice(1, -1)));

const FLOW_LOG_FIELDS = new Set(
  (
    'version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action ' +
    'log_status vpc_id subnet_id instance_id tcp_flags type pkt_srcaddr pkt_dstaddr region az_id sublocation_type ' +
    'sublocation_id pkt_src_aws_service pkt_dst_aws_service flow_direction traffic_path'
  ).split(' '),
);
/** Versions 6 to 8 of the format, known from 9.2 on. */
const LATER_FLOW_LOG_FIELD = /^(?:resource_type|reject_reason|tgw_[a-z_]+|packets_lost_[a-z_]+|ecs_[a-z_]+)$/;

/** One format or several, each with another number of fields. */
const formats =
  (known: (field: string) => boolean): Setting =>
  (tree, key, scope) => {
    const bad = required(texts)(tree, key, scope);
    if (bad) return bad;
    const lengths = new Set<number>();
    for (const format of textsOf(tree, key, scope)) {
      const fields = format.split(/\s+/).filter((field) => field !== '');
      if (fields.length === 0 || !fields.every((field) => known(field.replaceAll('-', '_'))))
        return failure('bad-value', placeOf(tree, key), key);
      if (lengths.has(fields.length)) return failure('bad-value', placeOf(tree, key), key);
      lengths.add(fields.length);
    }
    return undefined;
  };

export const flowLogFormats = formats((field) => FLOW_LOG_FIELDS.has(field));
export const laterFlowLogFormats = formats((field) => FLOW_LOG_FIELDS.has(field) || LATER_FLOW_LOG_FIELD.test(field));

/** `10/s`: a number for each second, minute or hour. */
export function isRate(written: string): boolean {
  const parts = written.split('/');
  const [value = '', unit = ''] = parts.map((part) => part.trim());
  return parts.length === 2 && parseGoFloat(value) !== undefined && ['s', 'm', 'h'].includes(unit);
}

/** rate_limit knows one algorithm. */
export const rateAlgorithm: Setting = (tree, key, scope) => {
  const chosen = singleChoice(tree, key, scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  if (!chosen.value) return undefined;
  const { name, tree: settings } = chosen.value;
  if (name !== 'token_bucket') return failure('bad-value', placeOf(tree, key), `${key}.${name}`);
  return under(
    `${key}.${name}`,
    checkSettings(
      settings,
      { burst_multiplier: decimal, gc: section({ num_calls: upTo(Number.MAX_SAFE_INTEGER) }) },
      scope,
    ),
  );
};

/** timestamp: each value of `test` has to be readable by one of the layouts. */
export const timestampTests: Check = (tree, scope) => {
  const layouts = textsOf(tree, 'layouts', scope);
  const unread = textsOf(tree, 'test', scope).find((value) => !layouts.some((layout) => readableTime(layout, value)));
  return unread === undefined ? undefined : failure('bad-value', placeOf(tree, 'test'), 'test');
};
