/** Rules about several settings of an output, beyond the tables of `outputs.ts`. */
import { validServer, validUrl } from '../net/go-url.js';
import { applies } from '../releases/releases.js';
import { type Complaint, first, singleChoice, text } from '../tree/checks.js';
import {
  get,
  getAs,
  listedTexts,
  positionOf,
  readAs,
  readText,
  toBool,
  toInt,
  toList,
  toText,
  toTree,
} from '../tree/read.js';
import { anything, checkSettings, under } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { validFormat } from './event-format.js';
import { defaultKafkaVersion, knownKafkaVersion, olderKafka } from './kafka-versions.js';
import { checkKafkaKerberos, checkKerberosFiles } from './kerberos.js';
import { badValue, checkConditionOf, textMap } from './kinds.js';
import { codecs, partitions } from './outputs.js';
import type { StartContext } from './start-context.js';

type Check = (tree: Tree, context: StartContext) => Complaint;

/** By output. */
export const outputChecks: Readonly<Record<string, Check>> = {
  elasticsearch: checkElasticsearch,
  logstash: checkSocksProxy,
  kafka: checkKafka,
  redis: (tree, context) =>
    first(
      () => checkSocksProxy(tree, context),
      () => checkSelectors(tree, 'key', 'keys', context),
      () => checkRedisHosts(tree, context),
    ),
};

function checkElasticsearch(tree: Tree, context: StartContext): Complaint {
  const { scope, release } = context;
  return first(
    () => formatComplaint(tree, 'index', context),
    () => checkSelectors(tree, 'index', 'indices', context),
    () => checkSelectors(tree, 'pipeline', 'pipelines', context),
    () => (applies('output-presets', release) ? checkPreset(tree, context) : undefined),
    () => checkLogin(tree, ['username', 'password'], scope),
    () => checkPolicy(tree, context),
    () => checkServers(tree, readText(tree, 'protocol', scope) ?? '', context),
    () => checkKerberosFiles(tree, context),
  );
}

/** `api_key` excludes name and password. */
export function checkLogin(tree: Tree, excluded: readonly string[], scope: Scope): Complaint {
  const isSet = (key: string) => Boolean(readText(tree, key, scope));
  return isSet('api_key') && excluded.some(isSet)
    ? failure('settings-exclude', positionOf(tree, 'api_key'), 'api_key')
    : undefined;
}

const PRESETS = ['custom', 'balanced', 'throughput', 'scale', 'latency'];

/** With a preset Filebeat evaluates the whole output, unknown settings included. */
function checkPreset(tree: Tree, { scope }: StartContext): Complaint {
  const preset = readText(tree, 'preset', scope);
  if (!preset) return undefined;
  if (!PRESETS.includes(preset)) return badValue(tree, 'preset', scope, `one of ${PRESETS.join(', ')}`);
  for (const name of tree.names.keys()) {
    const complaint = anything(tree, name, scope);
    if (complaint) return complaint;
  }
  return undefined;
}

/** `non_indexable_policy`: what to do with events that Elasticsearch refuses. */
function checkPolicy(tree: Tree, { scope }: StartContext): Complaint {
  const key = 'non_indexable_policy';
  const chosen = singleChoice(tree, key, scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  if (!chosen.value || chosen.value.name === 'drop') return undefined;
  const { name, tree: policy } = chosen.value;
  if (name !== 'dead_letter_index') return failure('removed-or-unknown', positionOf(tree, key), `${key}.${name}`);
  return under(
    `${key}.${name}`,
    first(
      () => text(policy, 'index', scope),
      () =>
        readText(policy, 'index', scope) === ''
          ? failure('missing-setting', positionOf(tree, key), 'index')
          : undefined,
    ),
  );
}

/** Addresses as `MakeURL` reads them. */
export function checkServers(tree: Tree, protocol: string, { scope }: StartContext): Complaint {
  const bad = listedTexts(tree, 'hosts', scope).find(({ text: host }) => !validServer(host, protocol));
  return bad && failure('bad-address', bad.value.at, 'hosts');
}

function checkSocksProxy(tree: Tree, { scope }: StartContext): Complaint {
  const complaint = text(tree, 'proxy_url', scope);
  if (complaint) return complaint;
  const proxy = readText(tree, 'proxy_url', scope);
  return proxy && !(validUrl(proxy) && /^socks5h?:/i.test(proxy))
    ? badValue(tree, 'proxy_url', scope, 'a URL such as socks5://proxy:1080')
    : undefined;
}

function checkRedisHosts(tree: Tree, { scope }: StartContext): Complaint {
  const bad = listedTexts(tree, 'hosts', scope).find(({ text: host }) => {
    const whole = host.includes('://') ? host : `redis://${host}`;
    return !validUrl(whole) || !/^rediss?:\/\/(?:[^/@]*@)?[^/?#]/i.test(whole);
  });
  return bad && failure('bad-address', bad.value.at, 'hosts');
}

function formatComplaint(tree: Tree, key: string, { scope }: StartContext): Complaint {
  const read = readText(tree, key, scope);
  return read !== undefined && !validFormat(read)
    ? badValue(tree, key, scope, 'a text in which every %{[field]} and %{+date} is closed')
    : undefined;
}

/** A list of rules, each with the setting itself and optional condition, default and map (libbeat/outputs/outil). */
function checkSelectors(tree: Tree, key: string, many: string, context: StartContext): Complaint {
  const { scope } = context;
  const found = get(tree, many, scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return undefined;
  const branch = toTree(found.value, scope);
  if (!branch.ok) return branch.unresolved ? undefined : failure('wrong-type', found.value.at, many);
  const rules = toList(branch.value, scope);
  for (const item of rules.ok ? rules.value : []) {
    const rule = toTree(item, scope);
    if (!rule.ok) {
      if (rule.unresolved) continue;
      return failure('wrong-type', item.at, many);
    }
    const complaint = under(many, checkRule(rule.value, key, context));
    if (complaint) return complaint;
  }
  return undefined;
}

function checkRule(rule: Tree, key: string, context: StartContext): Complaint {
  const { scope } = context;
  const stated = get(rule, key, scope);
  if (stated.ok && !stated.value) return failure('missing-setting', rule.at, key);
  return first(
    () => text(rule, key, scope),
    () => formatComplaint(rule, key, context),
    () => text(rule, 'default', scope),
    () => textMap(rule, 'mappings', scope),
    () => checkConditionOf(rule, 'when', scope),
  );
}

/** `codec`: at most one. */
export function checkCodec(tree: Tree, { scope }: StartContext): Complaint {
  const chosen = singleChoice(tree, 'codec', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  if (!chosen.value) return undefined;
  const { name, tree: codec } = chosen.value;
  const table = codecs[name];
  if (!table) return failure('removed-or-unknown', positionOf(tree, `codec.${name}`), `codec.${name}`);
  return under(`codec.${name}`, checkSettings(codec, table, scope));
}

const COMPRESSIONS = ['none', 'no', 'off', 'gzip', 'lz4', 'snappy'];

function checkKafka(tree: Tree, context: StartContext): Complaint {
  const { scope, release } = context;
  const read = (key: string) => readText(tree, key, scope);
  const version = read('version');
  return first(
    () =>
      version && !knownKafkaVersion(version, release)
        ? badValue(tree, 'version', scope, 'a version of Kafka that this release knows, such as 2.1.0')
        : undefined,
    () => checkForBroker(tree, version || defaultKafkaVersion(release), context),
    () => (read('username') && read('password') === '' ? failure('missing-setting', tree.at, 'password') : undefined),
    () =>
      readAs(tree, 'max_retries', scope, toInt) === 0
        ? badValue(tree, 'max_retries', scope, 'a whole number, -1 for ever, but not 0')
        : undefined,
    () => checkKafkaKerberos(tree, context),
    () => checkTopic(tree, context),
    () => checkSelectors(tree, 'topic', 'topics', context),
    () => checkPartition(tree, context),
    () => checkIdempotence(tree, context),
  );
}

/** Settings that the configured or default version of the broker does not allow (sarama config.go, Validate). */
function checkForBroker(tree: Tree, version: string, context: StartContext): Complaint {
  const { scope, release } = context;
  return first(
    () => checkCompression(tree, version, context),
    () => {
      // Filebeat compares these versions as strings.
      const headers = applies('kafka-headers', release) ? readAs(tree, 'headers', scope, toList) : undefined;
      return headers?.length && version < '0.11'
        ? badValue(tree, 'headers', scope, 'headers only with version: 0.11 or later')
        : undefined;
    },
    () => {
      const client = readText(tree, 'client_id', scope);
      const isChecked = !applies('kafka-3', release) || olderKafka(version, '1.0.0');
      const isGood = client === undefined || !tree.names.has('client_id') || /^[A-Za-z0-9._-]+$/.test(client);
      return isChecked && !isGood
        ? badValue(tree, 'client_id', scope, 'letters, digits, dots, dashes and underscores')
        : undefined;
    },
    () =>
      applies('kafka-idempotent', release) &&
      readAs(tree, 'idempotent', scope, toBool) === true &&
      olderKafka(version, '0.11.0.0')
        ? badValue(tree, 'idempotent', scope, 'true only with version: 0.11 or later')
        : undefined,
  );
}

/** zstd needs version 2.1 or later, lz4 0.10; the default version may be older. */
function checkCompression(tree: Tree, version: string, { scope, release }: StartContext): Complaint {
  const stated = getAs(tree, 'compression', scope, toText);
  if (!stated.ok) return undefined;
  const compression = (stated.value ?? 'gzip').toLowerCase();
  const words = [...COMPRESSIONS, ...(applies('kafka-zstd', release) ? ['zstd'] : [])];
  if (!words.includes(compression)) return badValue(tree, 'compression', scope, `one of ${words.join(', ')}`);
  if (compression === 'zstd' && olderKafka(version, '2.1.0'))
    return badValue(tree, 'compression', scope, 'zstd only with version: 2.1.0 or later');
  if (compression === 'lz4' && olderKafka(version, '0.10.0'))
    return badValue(tree, 'compression', scope, 'lz4 only with version: 0.10 or later');
  const level = readAs(tree, 'compression_level', scope, toInt);
  const isBadLevel = level !== undefined && level !== -1000 && (level < 0 || level > 9);
  return isBadLevel && compression === 'gzip'
    ? badValue(tree, 'compression_level', scope, 'a whole number from 0 to 9')
    : undefined;
}

function checkTopic(tree: Tree, { scope }: StartContext): Complaint {
  const topics = get(tree, 'topics', scope);
  const topic = get(tree, 'topic', scope);
  if (!topics.ok || !topic.ok || topics.value || topic.value) return undefined;
  return failure('missing-setting', tree.at, 'topic');
}

function checkPartition(tree: Tree, { scope }: StartContext): Complaint {
  const found = get(tree, 'partition', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  const branch = found.value ? toTree(found.value, scope) : undefined;
  if (!branch) return undefined;
  if (!branch.ok) return branch.unresolved ? undefined : failure('wrong-type', found.value!.at, 'partition');
  const [name, second] = branch.value.names.keys();
  if (name === undefined) return undefined;
  const at = positionOf(tree, 'partition');
  if (second !== undefined) return failure('more-than-one-choice', at, 'partition');
  const table = partitions[name];
  if (!table) return failure('removed-or-unknown', at, `partition.${name}`);
  const value = branch.value.names.get(name)!;
  const settings = toTree(value, scope);
  if (!settings.ok) return settings.unresolved ? undefined : failure('wrong-type', value.at, `partition.${name}`);
  return under(`partition.${name}`, checkSettings(settings.value, table, scope));
}

function checkIdempotence(tree: Tree, { scope, release }: StartContext): Complaint {
  if (!applies('kafka-idempotent', release) || readAs(tree, 'idempotent', scope, toBool) !== true) return undefined;
  return readAs(tree, 'required_acks', scope, toInt) === -1
    ? undefined
    : badValue(tree, 'idempotent', scope, 'true only with required_acks: -1');
}
