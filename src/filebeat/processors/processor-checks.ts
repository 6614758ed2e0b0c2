/** Rules of single processors that need more than a type, as in the `Unpack` and `Validate` of Filebeat's sources. */

import { integer, singleChoice, text, texts } from '../tree/checks.js';
import { parseGoFloat } from '../tree/go-number.js';
import { validGoRegexp } from '../tree/go-regexp.js';
import { readAs, toInt, toList, toText, toTree } from '../tree/read.js';
import {
  anything,
  checkSettings,
  required,
  type Setting,
  type Settings,
  section,
  under,
} from '../tree/setting-tables.js';
import { failure } from '../tree/tree.js';
import { type Check, decimal, has, positionOfName, textsOf, upTo } from './processor-settings.js';
import { readableTime } from './time-layout.js';

/** libbeat/processors/util/geo.go: `latitude, longitude`. */
export const location: Check = (geo, scope) => {
  const stated = readAs(geo, 'location', scope, toText);
  const isValid = !stated || /^\s*-?\d+(?:\.\d+)?\s*,\s*-?\d+(?:\.\d+)?\s*$/.test(stated);
  return isValid ? undefined : failure('bad-value', positionOfName(geo, 'location'), 'location');
};

const CLOUDS = new Set(
  (
    'alibaba ecs azure digitalocean aws ec2 gcp openstack nova openstack-ssl nova-ssl qcloud tencent huawei ' +
    'hetzner'
  ).split(' '),
);

export const cloudProviders: Setting = (tree, key, scope) => texts(tree, key, scope, (name) => CLOUDS.has(name));

/** A `logs_path` matcher with a `resource_type` must name a matching folder. */
export const kubernetesMatchers: Setting = (tree, key, scope) => {
  const bad = anything(tree, key, scope);
  if (bad) return bad;
  for (const item of readAs(tree, key, scope, toList) ?? []) {
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
    const isValid = folders[readAs(inner.value, 'resource_type', scope, toText) ?? '']?.includes(folder ?? '');
    if (!isValid) return failure('bad-value', inner.value.at, `${key}.logs_path`);
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

/** libbeat/processors/add_process_metadata/config.go. `process.env` needs `restricted_fields`. */
export const processFields: Setting = (tree, key, scope) => {
  const restricted = readAs(tree, 'restricted_fields', scope, toText) === 'true';
  return texts(tree, key, scope, (name) => PROCESS_FIELDS.has(name) || (restricted && name === 'process.env'));
};

/** cache: exactly one of two kinds of backend. */
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

/** convert: a field needs a new name or a new type. */
export const toOrType: Check = (field, scope) => {
  if (readAs(field, 'to', scope, toText)) return undefined;
  const type = readAs(field, 'type', scope, toText);
  return type === undefined || type.toLowerCase() === '[unset]'
    ? failure('missing-setting', field.at, 'type')
    : undefined;
};

/** dns: the initial size of a cache must not exceed its maximum. The defaults are 1000 and 10,000. */
export const cacheCapacities: Check = (tree, scope) => {
  for (const name of ['success_cache', 'failure_cache']) {
    const [initial = 1000, maximum = 10_000] = ['initial', 'max'].map((limit) =>
      readAs(tree, `${name}.capacity.${limit}`, scope, toInt),
    );
    if (maximum < initial) return failure('bad-value', positionOfName(tree, name), `${name}.capacity.max`);
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
/** Fields of versions 6 to 8 of the format, supported from 9.2 on. */
const LATER_FLOW_LOG_FIELD = /^(?:resource_type|reject_reason|tgw_[a-z_]+|packets_lost_[a-z_]+|ecs_[a-z_]+)$/;

/** One or more formats with different numbers of fields. */
const formats =
  (known: (field: string) => boolean): Setting =>
  (tree, key, scope) => {
    const bad = required(texts)(tree, key, scope);
    if (bad) return bad;
    const lengths = new Set<number>();
    for (const format of textsOf(tree, key, scope)) {
      const fields = format.split(/\s+/).filter((field) => field !== '');
      if (fields.length === 0 || !fields.every((field) => known(field.replaceAll('-', '_'))))
        return failure('bad-value', positionOfName(tree, key), key);
      if (lengths.has(fields.length)) return failure('bad-value', positionOfName(tree, key), key);
      lengths.add(fields.length);
    }
    return undefined;
  };

export const flowLogFormats = formats((field) => FLOW_LOG_FIELDS.has(field));
export const laterFlowLogFormats = formats((field) => FLOW_LOG_FIELDS.has(field) || LATER_FLOW_LOG_FIELD.test(field));

/** `10/s`: a number per second, minute or hour. */
export function isRate(written: string): boolean {
  const parts = written.split('/');
  const [value = '', unit = ''] = parts.map((part) => part.trim());
  return parts.length === 2 && parseGoFloat(value) !== undefined && ['s', 'm', 'h'].includes(unit);
}

/** rate_limit has only one algorithm. */
export const rateAlgorithm: Setting = (tree, key, scope) => {
  const chosen = singleChoice(tree, key, scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  if (!chosen.value) return undefined;
  const { name, tree: settings } = chosen.value;
  if (name !== 'token_bucket') return failure('bad-value', positionOfName(tree, key), `${key}.${name}`);
  return under(
    `${key}.${name}`,
    checkSettings(
      settings,
      { burst_multiplier: decimal, gc: section({ num_calls: upTo(Number.MAX_SAFE_INTEGER) }) },
      scope,
    ),
  );
};

/** timestamp: one of the layouts must parse each value of `test`. */
export const timestampTests: Check = (tree, scope) => {
  const layouts = textsOf(tree, 'layouts', scope);
  const unreadable = textsOf(tree, 'test', scope).find(
    (value) => !layouts.some((layout) => readableTime(layout, value)),
  );
  return unreadable === undefined ? undefined : failure('bad-value', positionOfName(tree, 'test'), 'test');
};
