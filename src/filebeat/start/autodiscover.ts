/**
 * `filebeat.autodiscover`: providers are set up at the start, and one whose daemon or cluster cannot be there ends it
 * (libbeat/autodiscover/providers). Nobody looks at an `enabled` here, neither of the section nor of a provider.
 */
import { posix } from 'node:path';
import type { Fault, Position } from '../../model/model.js';
import { type Complaint, duration, first, text, truth } from '../tree/checks.js';
import { get, positionOf, readAs, readText, toList, toTree } from '../tree/read.js';
import { anything, checkSettings, exactly, lasting, notNegative, type Settings } from '../tree/setting-tables.js';
import type { Tree } from '../tree/tree.js';
import { failure } from '../tree/variables.js';
import { checkConditionOf } from './kinds.js';
import type { StartContext } from './start-context.js';

/** That a section is there, whether inputs will come of it, and why it ends the start. */
export interface Discovery {
  dynamic: boolean;
  at: Position;
  fault?: Fault;
}

interface Provider {
  reads: Settings;
  /** Hints will do where there are no templates; without either the provider refuses. */
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

/** An autodiscover section counts as something to do, even an empty one. */
export function autodiscover(filebeat: Tree, context: StartContext): Discovery | undefined {
  const { scope } = context;
  const found = get(filebeat, 'autodiscover', scope);
  if (!found.ok || !found.value) return undefined;
  const { at } = found.value;
  const section = toTree(found.value, scope);
  if (!section.ok) return { dynamic: false, at };
  const listed = get(section.value, 'providers', scope);
  if (!listed.ok) return { dynamic: false, at, ...(listed.unresolved ? {} : { fault: listed.fault }) };
  const list = listed.value ? toList(listed.value, scope) : undefined;
  if (list?.ok === false) return { dynamic: false, at, ...(list.unresolved ? {} : { fault: list.fault }) };
  const entries = list?.value ?? [];
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

/** Conditions of templates are read now; what they hold is filled in when something is discovered. */
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
  const given = hints ? readAs(provider, 'hints', scope, toTree) : undefined;
  const builders = readAs(provider, 'builders', scope, toList) ?? [];
  if (builders.length > 0 || (given && hinted(given, context))) return undefined;
  return failure('missing-setting', provider.at, hints ? 'hints.enabled' : 'templates');
}

/** A section of hints is on unless it says no. */
function hinted(hints: Tree, { scope }: StartContext): boolean {
  return readText(hints, 'enabled', scope) !== 'false';
}

const DOCKER_SOCKET = 'unix:///var/run/docker.sock';
/** What a Docker (or what stands in for it) leaves on a host. */
const DOCKER_TRACES = ['/var/run/docker.sock', '/run/docker.pid', '/var/lib/docker', '/run/podman'];

/** The socket has to be there; an address on this machine needs at least a Docker on it. */
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
  return isOwnMachine(address) && !DOCKER_TRACES.some((path) => mayBe(path, context))
    ? failure('no-daemon', at, 'docker')
    : undefined;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** A configuration of its own, that of the environment, or the cluster that it runs in. */
function checkKubernetes(provider: Tree, context: StartContext): Complaint {
  const { scope, files, cwd } = context;
  const own = readText(provider, 'kube_config', scope);
  if (own === undefined || scope.env === undefined) return undefined;
  const config = own || scope.env['KUBECONFIG'];
  const at = own ? positionOf(provider, 'kube_config') : provider.at;
  if (config) {
    const head = files.head(posix.resolve(cwd, config), 1);
    if (head.ok || head.gap.reason !== 'missing') return undefined;
    if (own) return failure('named-file-missing', at, 'kube_config');
  }
  const inside = scope.env['KUBERNETES_SERVICE_HOST'] && scope.env['KUBERNETES_SERVICE_PORT'] && mayBe(TOKEN, context);
  return inside ? undefined : failure('no-cluster', at, 'kubernetes');
}

const NOMAD_TRACES = ['/etc/nomad.d', '/opt/nomad', '/var/lib/nomad', '/usr/bin/nomad', '/usr/local/bin/nomad'];

/** Its agent is asked for the name of the node, unless that is given. */
function checkNomad(provider: Tree, context: StartContext): Complaint {
  const { scope } = context;
  const read = (key: string) => readText(provider, key, scope);
  const [address, node, reach] = [read('address'), read('node'), read('scope')];
  if (address === undefined || node === undefined || node !== '' || reach === 'cluster') return undefined;
  if (scope.env === undefined || scope.env['NOMAD_ALLOC_ID'] !== undefined) return undefined;
  if (address !== '' && !isOwnMachine(address)) return undefined;
  return NOMAD_TRACES.some((path) => mayBe(path, context)) ? undefined : failure('no-daemon', provider.at, 'nomad');
}

function isOwnMachine(address: string): boolean {
  return /^[a-z]+:\/\/(?:localhost|127\.[\d.]+|\[::1\])(?:[:/]|$)/i.test(address);
}

function mayBe(path: string, { files }: StartContext): boolean {
  const stat = files.stat(path);
  return stat.ok || stat.gap.reason !== 'missing';
}
