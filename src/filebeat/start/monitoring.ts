/**
 * `monitoring` (and `xpack.monitoring` before 8.0): where Filebeat sends its own metrics. If enabled, it needs an
 * Elasticsearch of its own or that of the output (libbeat/monitoring, libbeat/monitoring/report/elasticsearch).
 */
import { applies, type RuleId } from '../releases/releases.js';
import { type Complaint, chooseOne, duration, first, integer, isEnabled, text, texts } from '../tree/checks.js';
import { get, positionOf, readAs, readText, toList, toTree } from '../tree/read.js';
import { atLeast, checkSettings, type Settings, under } from '../tree/setting-tables.js';
import { failure, newTree, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { checkClientTls } from './client-tls.js';
import { readCloud } from './cloud.js';
import type { Chosen } from './output.js';
import { checkLogin, checkServers } from './output-checks.js';
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

/** `until`: later releases ignore the section. */
const sections: readonly { key: string; until?: RuleId }[] = [
  { key: 'monitoring' },
  { key: 'xpack.monitoring', until: 'xpack-monitoring-ignored' },
];

export function checkMonitoring(main: Tree, output: Chosen | undefined, context: StartContext): Complaint {
  const { scope, release } = context;
  const monitoring = readAs(main, 'monitoring', scope, toTree);
  const complaint = monitoring && under('monitoring', text(monitoring, 'cluster_uuid', scope));
  if (complaint) return complaint;
  const enabled: Section[] = sections
    .filter(({ until }) => until === undefined || !applies(until, release))
    .flatMap(({ key }) => {
      const tree = readAs(main, key, scope, toTree);
      return tree && isOn(tree, scope) ? [{ key, tree }] : [];
    });
  const [section, second] = enabled;
  if (!section) return undefined;
  if (second) return failure('settings-exclude', positionOf(main, second.key), second.key);
  const { complaint: cloudComplaint, id } = readCloud(main, `${section.key}.`, scope);
  return cloudComplaint ?? checkReporter(main, section, output, id, context);
}

interface Section {
  key: string;
  tree: Tree;
}

/** `cluster_uuid` alone does not enable monitoring. */
function isOn(tree: Tree, scope: Scope): boolean {
  return !(tree.names.size === 1 && tree.names.has('cluster_uuid')) && isEnabled(tree, scope);
}

/** `hasCloud`: the addresses come from `cloud.id`. */
function checkReporter(
  main: Tree,
  { key, tree }: Section,
  output: Chosen | undefined,
  hasCloud: boolean,
  context: StartContext,
): Complaint {
  const { scope } = context;
  const chosen = chooseReporter(tree, key, scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  const elasticsearch = output?.name === 'elasticsearch' ? output.tree : undefined;
  if (!chosen.value) {
    if (hasCloud || (output === undefined && readCloud(main, '', scope).id)) return undefined;
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
      () => (hasCloud ? undefined : needHosts(hosts, positionOf(main, full), scope)),
      () => checkSettings(settings, reporter, scope),
      // `username` has a default.
      () => checkLogin(settings, ['password'], scope),
      () => checkServers(settings, readText(settings, 'protocol', scope) ?? '', context),
      () => checkClientTls(settings, context),
    ),
  );
}

/** The one enabled reporter: a child that is a section (or null), other than `cloud` and `http`. */
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
    const list = found.value && toList(found.value, scope);
    if (list && (!list.ok || list.value.length > 0)) return undefined;
  }
  return failure('missing-setting', at, 'hosts');
}
