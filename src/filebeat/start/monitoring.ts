/**
 * `monitoring` (and `xpack.monitoring` before 8.0): where Filebeat sends its own numbers. Switched on, it needs
 * Elasticsearch, its own or the output's (libbeat/monitoring, libbeat/monitoring/report/elasticsearch).
 */
import { applies, type RuleId } from '../releases/releases.js';
import { type Complaint, chooseOne, duration, first, integer, isEnabled, text, texts } from '../tree/checks.js';
import { get, positionOf, readAs, readText, toList, toTree } from '../tree/read.js';
import { atLeast, checkSettings, type Settings, under } from '../tree/setting-tables.js';
import { newTree, type Tree } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';
import { checkClientTls } from './client-tls.js';
import { readCloud } from './cloud.js';
import type { Chosen } from './output.js';
import { checkServers } from './output-checks.js';
import { elasticsearchClient } from './outputs.js';
import type { StartContext } from './start-context.js';

const reporter: Settings = {
  hosts: texts,
  worker: integer,
  ...elasticsearchClient,
  'metrics.period': duration,
  'state.period': duration,
  bulk_max_size: atLeast(0),
  buffer_size: integer,
  tags: texts,
  cluster_uuid: text,
};

/** The name by which a release reads a section, unless it ignores it. */
const sections: readonly { key: string; until?: RuleId }[] = [
  { key: 'monitoring' },
  { key: 'xpack.monitoring', until: 'xpack-monitoring-ignored' },
];

export function checkMonitoring(main: Tree, output: Chosen | undefined, context: StartContext): Complaint {
  const { scope, release } = context;
  const own = sectionOf(main, 'monitoring', scope);
  const complaint = own && under('monitoring', text(own, 'cluster_uuid', scope));
  if (complaint) return complaint;
  const on = sections
    .filter(({ until }) => until === undefined || !applies(until, release))
    .flatMap(({ key }) => {
      const tree = sectionOf(main, key, scope);
      return tree && isOn(tree, scope) ? [{ key, tree }] : [];
    });
  const [one, other] = on;
  if (one && other) return failure('settings-exclude', positionOf(main, other.key), other.key);
  if (!one) return undefined;
  const { complaint: cloud, id } = readCloud(main, `${one.key}.`, scope);
  return cloud ?? checkReporter(main, one.key, one.tree, output, id, context);
}

/** A section; nothing when it is absent or null. */
function sectionOf(main: Tree, key: string, scope: Scope): Tree | undefined {
  return readAs(main, key, scope, toTree);
}

/** `cluster_uuid` alone switches nothing on. */
function isOn(tree: Tree, scope: Scope): boolean {
  return !(tree.names.size === 1 && tree.names.has('cluster_uuid')) && isEnabled(tree, scope);
}

function checkReporter(
  main: Tree,
  key: string,
  tree: Tree,
  output: Chosen | undefined,
  cloud: boolean,
  context: StartContext,
): Complaint {
  const { scope } = context;
  const chosen = chooseReporter(tree, key, scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  const elasticsearch = output?.name === 'elasticsearch' ? output.tree : undefined;
  if (!chosen.value) {
    if (cloud || (output === undefined && readCloud(main, '', scope).id)) return undefined;
    if (!elasticsearch) return failure('no-monitoring-reporter', positionOf(main, key), key);
    return under('output.elasticsearch', checkSettings(elasticsearch, reporter, scope));
  }
  const { name, tree: settings } = chosen.value;
  const full = `${key}.${name}`;
  if (name !== 'elasticsearch') return failure('removed-or-unknown', positionOf(main, full), full);
  const hosts = [settings, ...(elasticsearch ? [elasticsearch] : [])];
  return under(
    full,
    first(
      () => (cloud ? undefined : needHosts(hosts, positionOf(main, full), scope)),
      () => checkSettings(settings, reporter, scope),
      () => checkKeyAndPassword(settings, scope),
      () => checkServers(settings, readText(settings, 'protocol', scope) ?? '', context),
      () => checkClientTls(settings, context),
    ),
  );
}

/** Sections below it that are no settings of its own; null is an empty one. */
function chooseReporter(tree: Tree, key: string, scope: Scope) {
  const sections = newTree(tree.at);
  for (const [name, value] of tree.names) {
    if (name === 'cloud' || name === 'http' || !toTree(value, scope).ok) continue;
    sections.names.set(name, value);
  }
  return chooseOne(sections, key, scope);
}

function needHosts(trees: readonly Tree[], at: Tree['at'], scope: Scope): Complaint {
  for (const tree of trees) {
    const found = get(tree, 'hosts', scope);
    if (!found.ok) return found.unresolved ? undefined : found;
    const list = found.value ? toList(found.value, scope) : undefined;
    if (list?.ok === false || (list && list.value.length > 0)) return undefined;
  }
  return failure('missing-setting', at, 'hosts');
}

/** The name has a default, so an API key and a password are both too many. */
function checkKeyAndPassword(tree: Tree, scope: Scope): Complaint {
  const given = (key: string) => (readText(tree, key, scope) ?? '') !== '';
  return given('api_key') && given('password')
    ? failure('settings-exclude', positionOf(tree, 'api_key'), 'api_key')
    : undefined;
}
