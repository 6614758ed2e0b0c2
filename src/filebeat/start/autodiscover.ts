/**
 * `filebeat.autodiscover`: Filebeat sets its providers up at the start, and ends if one cannot reach its daemon or
 * cluster (libbeat/autodiscover/providers). It ignores `enabled`, both of the section and of a provider.
 */
import { posix } from 'node:path';
import type { Fault, Position } from '../../model/model.js';
import { type Complaint, duration, first, text, truth } from '../tree/checks.js';
import { get, getAs, positionOf, readAs, readText, toList, toTree } from '../tree/read.js';
import { anything, checkSettings, exactly, lasting, notNegative, type Settings } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import { checkConditionOf } from './kinds.js';
import type { StartContext } from './start-context.js';

/** An autodiscover section. `dynamic`: it may start inputs. `fault`: it ends the start. */
export interface Discovery {
  dynamic: boolean;
  at: Position;
  fault?: Fault;
}

interface Provider {
  reads: Settings;
  /** Set if the provider requires templates; true if hints will do instead. */
  hints?: boolean;
  check?: (provider: Tree, context: StartContext) => Complaint;
}

const providers: Readonly<Record<string, Provider>> = {
  docker: {
    reads: { host: text, prefix: text, 'labels.dedot': truth, cleanup_timeout: notNegative, ssl: anything },
    hints: true,
    check: checkDocker,
  },
  kubernetes: {
    reads: {
      kube_config: text,
      use_kubeadm: truth,
      namespace: text,
      sync_period: duration,
      cleanup_timeout: notNegative,
      node: text,
      scope: exactly('', 'node', 'cluster'),
      resource: text,
      unique: truth,
      leader_lease: text,
      prefix: text,
    },
    hints: true,
    check: checkKubernetes,
  },
  nomad: {
    reads: {
      address: text,
      region: text,
      namespace: text,
      secret_id: text,
      node: text,
      scope: exactly('node', 'cluster'),
      cleanup_timeout: notNegative,
      prefix: text,
    },
    check: checkNomad,
  },
  jolokia: { reads: {}, hints: false },
  aws_ec2: { reads: { period: lasting } },
  aws_elb: { reads: { period: lasting } },
};

/** Undefined without a section. An empty section still counts as something enabled. */
export function autodiscover(filebeat: Tree, context: StartContext): Discovery | undefined {
  const { scope } = context;
  const found = get(filebeat, 'autodiscover', scope);
  if (!found.ok || !found.value) return undefined;
  const { at } = found.value;
  const section = toTree(found.value, scope);
  if (!section.ok) return { dynamic: false, at };
  const list = getAs(section.value, 'providers', scope, toList);
  if (!list.ok) return { dynamic: false, at, ...(list.unresolved ? {} : { fault: list.fault }) };
  const entries = list.value ?? [];
  for (const entry of entries) {
    const provider = toTree(entry, scope);
    if (!provider.ok && provider.unresolved) continue;
    const complaint = provider.ok ? checkProvider(provider.value, context) : provider;
    if (complaint) return { dynamic: false, at, fault: complaint.fault };
  }
  return { dynamic: entries.length > 0, at };
}

function checkProvider(provider: Tree, context: StartContext): Complaint {
  const { scope } = context;
  const complaint = text(provider, 'type', scope);
  if (complaint) return complaint;
  const type = readText(provider, 'type', scope);
  if (type === undefined) return undefined;
  const known = Object.hasOwn(providers, type) ? providers[type] : undefined;
  if (!known) return failure('unknown-provider', provider.at, 'filebeat.autodiscover');
  return first(
    () => checkSettings(provider, known.reads, scope),
    () => checkTemplates(provider, known, context),
    () => known.check?.(provider, context),
  );
}

/** Filebeat reads the conditions of templates at the start, their contents only when it discovers something. */
function checkTemplates(provider: Tree, { hints }: Provider, context: StartContext): Complaint {
  const { scope } = context;
  const templates = get(provider, 'templates', scope);
  const list = templates.ok && templates.value ? toList(templates.value, scope) : undefined;
  if (list?.ok === false) return list.unresolved ? undefined : list;
  for (const item of list?.value ?? []) {
    const template = toTree(item, scope);
    if (!template.ok) {
      if (template.unresolved) continue;
      return template;
    }
    const complaint = checkConditionOf(template.value, 'condition', scope);
    if (complaint) return complaint;
  }
  if (hints === undefined || (list && list.value.length > 0)) return undefined;
  const hintSection = hints ? readAs(provider, 'hints', scope, toTree) : undefined;
  const builders = readAs(provider, 'builders', scope, toList) ?? [];
  // Hints are on unless `enabled` is false.
  const usesHints = hintSection !== undefined && readText(hintSection, 'enabled', scope) !== 'false';
  if (builders.length > 0 || usesHints) return undefined;
  return failure('missing-setting', provider.at, hints ? 'hints.enabled' : 'templates');
}

const DOCKER_SOCKET = 'unix:///var/run/docker.sock';
/** Files that Docker or Podman leaves on a host. */
const DOCKER_TRACES = ['/var/run/docker.sock', '/run/docker.pid', '/var/lib/docker', '/run/podman'];

/** The socket must exist. An address of this host needs traces of Docker on it. */
function checkDocker(provider: Tree, context: StartContext): Complaint {
  const { scope, files } = context;
  const host = readText(provider, 'host', scope);
  if (host === undefined) return undefined;
  const address = host || DOCKER_SOCKET;
  const at = host ? positionOf(provider, 'host') : provider.at;
  const socket = /^unix:\/\/(.+)$/.exec(address)?.[1];
  if (socket) {
    const stat = files.stat(socket);
    const absent = stat.ok ? stat.value.kind !== 'other' : stat.gap.reason === 'missing';
    return absent ? failure('no-daemon', at, 'docker') : undefined;
  }
  return isThisHost(address) && !DOCKER_TRACES.some((path) => mayExist(path, context))
    ? failure('no-daemon', at, 'docker')
    : undefined;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** The provider needs its own `kube_config`, $KUBECONFIG, or the cluster in which it runs. */
function checkKubernetes(provider: Tree, context: StartContext): Complaint {
  const { scope, files, cwd } = context;
  const stated = readText(provider, 'kube_config', scope);
  if (stated === undefined || scope.env === undefined) return undefined;
  const config = stated || scope.env['KUBECONFIG'];
  const at = stated ? positionOf(provider, 'kube_config') : provider.at;
  if (config) {
    const head = files.head(posix.resolve(cwd, config), 1);
    if (head.ok || head.gap.reason !== 'missing') return undefined;
    if (stated) return failure('named-file-missing', at, 'kube_config');
  }
  const inside =
    scope.env['KUBERNETES_SERVICE_HOST'] && scope.env['KUBERNETES_SERVICE_PORT'] && mayExist(TOKEN, context);
  return inside ? undefined : failure('no-cluster', at, 'kubernetes');
}

const NOMAD_TRACES = ['/etc/nomad.d', '/opt/nomad', '/var/lib/nomad', '/usr/bin/nomad', '/usr/local/bin/nomad'];

/** Filebeat asks the Nomad agent for the name of the node, unless it is configured. */
function checkNomad(provider: Tree, context: StartContext): Complaint {
  const { scope } = context;
  const read = (key: string) => readText(provider, key, scope);
  const [address, node, reach] = [read('address'), read('node'), read('scope')];
  if (address === undefined || node === undefined || node !== '' || reach === 'cluster') return undefined;
  if (scope.env === undefined || scope.env['NOMAD_ALLOC_ID'] !== undefined) return undefined;
  if (address !== '' && !isThisHost(address)) return undefined;
  return NOMAD_TRACES.some((path) => mayExist(path, context)) ? undefined : failure('no-daemon', provider.at, 'nomad');
}

function isThisHost(address: string): boolean {
  return /^[a-z]+:\/\/(?:localhost|127\.[\d.]+|\[::1\])(?:[:/]|$)/i.test(address);
}

function mayExist(path: string, { files }: StartContext): boolean {
  const stat = files.stat(path);
  return stat.ok || stat.gap.reason !== 'missing';
}
