/** Inputs that open UDP sockets: udp, netflow, syslog. Defaults and validation as in Filebeat. */
import { posix } from 'node:path';
import { limits } from '../../model/limits.js';
import type { BindRetry } from '../../model/model.js';
import type { FileView } from '../files/file-view.js';
import { upTo } from '../processors/processor-settings.js';
import { knownTimezone } from '../processors/time-zone.js';
import { applies } from '../releases/releases.js';
import {
  type Complaint,
  duration,
  first,
  integer,
  oneOf,
  singleChoice,
  size,
  text,
  texts,
  truth,
} from '../tree/checks.js';
import { textThat } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { InputContext, TypeResult } from './input-context.js';
import { httpEndpoint, lumberjack, tcp, tcpSettings } from './inputs-tcp.js';
import { unixSettings } from './inputs-unix.js';
import { fileMissing, type ListenerSpec, listener, refused, unresolved } from './listeners.js';
import { validDefinitions } from './netflow-definitions.js';
import { checkServerTls } from './server-tls.js';

const timezone = textThat(knownTimezone);

/** Undefined for a type that opens no UDP or TCP socket. */
export function networkInput(type: string, tree: Tree, context: InputContext): TypeResult | undefined {
  switch (type) {
    case 'udp':
      return udp(tree, context);
    case 'netflow':
      return netflow(tree, context);
    case 'syslog':
      return syslog(tree, context);
    case 'tcp':
      return tcp(tree, context);
    case 'http_endpoint':
      return httpEndpoint(tree, context);
    case 'lumberjack':
      return lumberjack(tree, context);
    default:
      return undefined;
  }
}

function udp(tree: Tree, context: InputContext): TypeResult {
  const { release, scope } = context;
  const complaint = first(
    () => udpSettings(tree, context),
    () => (applies('number-of-workers', release) ? integer(tree, 'number_of_workers', scope, 1) : undefined),
  );
  const retry: BindRetry = applies('udp-busy-retry', release) ? 'busy' : 'never';
  const spec: ListenerSpec = { key: 'host', fallback: 'localhost:8080', protocol: 'udp', input: 'udp', retry };
  const listeners = [listener(tree, spec, context)];
  return complaint ? refused(complaint, listeners) : { listeners };
}

function udpSettings(tree: Tree, { release, scope }: InputContext): Complaint {
  return first(
    () => text(tree, 'host', scope),
    () => size(tree, 'max_message_size', scope),
    () => duration(tree, 'timeout', scope),
    () => (applies('read-buffer', release) ? size(tree, 'read_buffer', scope) : undefined),
    () => (applies('network-option', release) ? oneOf(tree, 'network', scope, ['', 'udp', 'udp4', 'udp6']) : undefined),
  );
}

function netflow(tree: Tree, context: InputContext): TypeResult {
  const { release, scope, files, cwd } = context;
  const complaint = first(
    () => udpSettings(tree, context),
    () => texts(tree, 'internal_networks', scope),
    () => texts(tree, 'protocols', scope),
    () => duration(tree, 'expiration_timeout', scope),
    () => integer(tree, 'queue_size', scope),
    () => truth(tree, 'detect_sequence_reset', scope),
    () => texts(tree, 'custom_definitions', scope, (path) => usableDefinitions(posix.resolve(cwd, path), files)),
    () => (applies('netflow-shared-templates', release) ? truth(tree, 'share_templates', scope) : undefined),
    () => (applies('netflow-workers', release) ? upTo(2 ** 32 - 1)(tree, 'workers', scope) : undefined),
  );
  const endsAlone = applies('netflow-ends-alone', release);
  const retry: BindRetry = endsAlone ? 'never' : 'deaf';
  const spec: ListenerSpec = { key: 'host', fallback: ':2055', protocol: 'udp', input: 'netflow', retry };
  const listeners = [listener(tree, spec, context)];
  if (complaint) return refused(complaint, listeners);
  const known = new Set(['v1', 'v5', 'v6', 'v7', 'v8', 'v9', 'ipfix']);
  const protocols = texts(tree, 'protocols', scope, (word) => known.has(word.toLowerCase()));
  if (protocols) return { listeners, failure: { phase: endsAlone ? 'run' : 'check', fault: protocols.fault } };
  return { listeners };
}

function syslog(tree: Tree, context: InputContext): TypeResult {
  const { release, scope } = context;
  const complaint = first(
    () =>
      applies('syslog-format', release) ? oneOf(tree, 'format', scope, ['rfc3164', 'rfc5424', 'auto']) : undefined,
    () => (applies('syslog-format', release) ? timezone(tree, 'timezone', scope) : undefined),
  );
  const chosen = singleChoice(tree, 'protocol', scope);
  const section = chosen.ok ? chosen.value : undefined;
  const protocol = section?.name === 'tcp' || section?.name === 'udp' ? section.name : undefined;
  const spec = { key: 'host', fallback: '', input: 'syslog', retry: 'every-10s' } as const;
  const listeners = section && protocol ? [listener(section.tree, { ...spec, protocol }, context)] : [];
  if (complaint) return refused(complaint, listeners);
  if (!chosen.ok) {
    if (chosen.unresolved) return { listeners: [unresolved(tree, 'udp', 'syslog', chosen.unresolved)] };
    return refused(chosen, [unresolved(tree, 'udp', 'syslog', 'ambiguous')]);
  }
  if (section?.name === 'udp') {
    const bad = udpSettings(section.tree, context);
    return bad ? refused(bad, listeners) : { listeners };
  }
  if (section?.name === 'tcp') {
    const bad = tcpSettings(section.tree, context, 'line_delimiter');
    if (bad) return refused(bad, listeners);
    const missing = checkServerTls(section.tree, context) === 'bad-file';
    return missing ? fileMissing(section.tree, 'check', listeners) : { listeners };
  }
  if (section?.name === 'unix' && applies('syslog-unix', release)) {
    const bad = unixSettings(section.tree, context);
    return bad ? refused(bad) : { listeners: [] };
  }
  const at = tree.names.get('protocol')?.at ?? tree.at;
  return refused(failure('no-protocol', at, 'protocol'), [unresolved(tree, 'udp', 'syslog', 'ambiguous')]);
}

/** A file that this program cannot read is no fault; the view of the files reports it as a gap. */
function usableDefinitions(path: string, files: FileView): boolean {
  const read = files.read(path, limits.configBytes);
  return read.ok ? validDefinitions(read.value.bytes) : read.gap.reason !== 'missing';
}
