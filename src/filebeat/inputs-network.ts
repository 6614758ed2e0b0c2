/**
 * Inputs that open sockets: udp, netflow, syslog, tcp, http_endpoint, lumberjack. Defaults and validation as in
 * Filebeat's own input sources; addresses are worked out by `address.ts`.
 */
import type { BindRetry, Listener, Protocol, UnresolvedWhy } from '../model.js';
import { resolveHost } from './address.js';
import {
  type Complaint,
  duration,
  first,
  isEnabled,
  oneOf,
  parseSize,
  singleChoice,
  size,
  text,
  texts,
  truth,
  whole,
} from './checks.js';
import type { InputContext, TypeResult } from './inputs.js';
import { get, toText } from './read.js';
import { applies } from './releases.js';
import { checkServerTls } from './tls.js';
import type { Tree, Value } from './tree.js';
import { type Failure, failure, type Scope } from './variables.js';

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
    () => (applies('number-of-workers', release) ? whole(tree, 'number_of_workers', scope, 1) : undefined),
  );
  if (complaint) return refused(complaint);
  const retry: BindRetry = applies('udp-busy-retry', release) ? 'busy' : 'never';
  return { listeners: [listener(tree, 'host', 'localhost:8080', 'udp', 'udp', retry, context)] };
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
  const { release, scope, files } = context;
  const complaint = first(
    () => udpSettings(tree, context),
    () => texts(tree, 'internal_networks', scope),
    () => texts(tree, 'protocols', scope),
    () => duration(tree, 'expiration_timeout', scope),
    () => whole(tree, 'queue_size', scope),
    () => truth(tree, 'detect_sequence_reset', scope),
    () =>
      texts(tree, 'custom_definitions', scope, (path) => {
        const stat = files.stat(path);
        return stat.ok || stat.gap.reason !== 'missing';
      }),
  );
  if (complaint) return refused(complaint);
  const alone = applies('netflow-ends-alone', release);
  const known = new Set(['v1', 'v5', 'v6', 'v7', 'v8', 'v9', 'ipfix']);
  const protocols = texts(tree, 'protocols', scope, (word) => known.has(word.toLowerCase()));
  if (protocols) return { listeners: [], failure: { phase: alone ? 'run' : 'check', fault: protocols.fault } };
  return { listeners: [listener(tree, 'host', ':2055', 'udp', 'netflow', alone ? 'never' : 'deaf', context)] };
}

function syslog(tree: Tree, context: InputContext): TypeResult {
  const { release, scope } = context;
  const complaint = first(
    () =>
      applies('syslog-format', release) ? oneOf(tree, 'format', scope, ['rfc3164', 'rfc5424', 'auto']) : undefined,
    () => (applies('syslog-format', release) ? checkTimezone(tree, scope) : undefined),
  );
  if (complaint) return refused(complaint);
  const chosen = singleChoice(tree, 'protocol', scope);
  if (!chosen.ok) {
    if (chosen.unresolved) return { listeners: [unresolved(tree, 'udp', 'syslog', chosen.unresolved)] };
    return refused(chosen);
  }
  const section = chosen.value;
  const place = tree.names.get('protocol')?.at ?? tree.at;
  if (section?.name === 'udp') {
    const bad = udpSettings(section.tree, context);
    if (bad) return refused(bad);
    return { listeners: [listener(section.tree, 'host', '', 'udp', 'syslog', 'every-10s', context)] };
  }
  if (section?.name === 'tcp') {
    const bad = tcpSettings(section.tree, context, 'line_delimiter');
    if (bad) return refused(bad);
    const result: TypeResult = {
      listeners: [listener(section.tree, 'host', '', 'tcp', 'syslog', 'every-10s', context)],
    };
    return checkServerTls(section.tree, context) === 'missing-file' ? fileMissing(section.tree, 'check') : result;
  }
  if (section?.name === 'unix' && applies('syslog-unix', release)) {
    const path = text(section.tree, 'path', scope) ?? nonEmpty(section.tree, 'path', scope);
    return path ? refused(path) : { listeners: [] };
  }
  return refused(failure('no-protocol', place, 'protocol'));
}

/** `Local`, an offset such as `+05:00`, or a name of the time zone database, of which the shape is all we look at. */
function checkTimezone(tree: Tree, scope: Scope): Complaint {
  const found = get(tree, 'timezone', scope);
  if (!found.ok || !found.value) return undefined;
  const read = toText(found.value, scope);
  if (!read.ok) return read.unresolved ? undefined : read;
  const zone = read.value;
  if (zone === '' || zone === 'Local' || zone === 'UTC' || /^[+-]\d{2}:?\d{2}$/.test(zone)) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return undefined;
  } catch {
    return failure('bad-value', found.value.at, 'timezone');
  }
}

function tcp(tree: Tree, context: InputContext): TypeResult {
  const { release, scope } = context;
  const complaint = first(
    () => tcpSettings(tree, context, 'line_delimiter'),
    () => (applies('number-of-workers', release) ? whole(tree, 'number_of_workers', scope, 1) : undefined),
  );
  if (complaint) return refused(complaint);
  const tls = checkServerTls(tree, context);
  if (tls === 'missing-file') return fileMissing(tree, applies('udp-ends-alone', release) ? 'run' : 'check');
  return { listeners: [listener(tree, 'host', '', 'tcp', 'tcp', 'never', context)] };
}

function tcpSettings(tree: Tree, context: InputContext, delimiter: string): Complaint {
  const { release, scope } = context;
  return first(
    () => text(tree, 'host', scope) ?? nonEmpty(tree, 'host', scope),
    () => duration(tree, 'timeout', scope, { nonzero: true, positive: true }),
    () => size(tree, 'max_message_size', scope),
    () => whole(tree, 'max_connections', scope),
    () => (applies('network-option', release) ? oneOf(tree, 'network', scope, ['', 'tcp', 'tcp4', 'tcp6']) : undefined),
    () => text(tree, delimiter, scope) ?? notBlank(tree, delimiter, scope),
    () => (applies('tcp-framing', release) ? oneOf(tree, 'framing', scope, ['delimiter', 'rfc6587'], true) : undefined),
    () => {
      const tls = checkServerTls(tree, context);
      return typeof tls === 'object' ? tls : undefined;
    },
  );
}

function httpEndpoint(tree: Tree, context: InputContext): TypeResult {
  const { scope } = context;
  const complaint = first(
    () => oneOf(tree, 'method', scope, ['POST', 'PUT', 'PATCH']),
    () => truth(tree, 'basic_auth', scope),
    () => text(tree, 'username', scope),
    () => text(tree, 'password', scope),
    () => whole(tree, 'response_code', scope, 0),
    () => jsonText(tree, 'response_body', scope),
    () => text(tree, 'listen_address', scope),
    () => text(tree, 'listen_port', scope),
    () => text(tree, 'url', scope) ?? notBlank(tree, 'url', scope),
    () => text(tree, 'prefix', scope),
    () => pair(tree, 'secret.header', 'secret.value', scope),
    () => pair(tree, 'hmac.header', 'hmac.key', scope),
    () => oneOf(tree, 'hmac.type', scope, ['', 'sha1', 'sha256']),
    () => credentials(tree, scope),
    () => {
      const tls = checkServerTls(tree, context);
      return typeof tls === 'object' ? tls : undefined;
    },
  );
  if (complaint) return refused(complaint);
  const address = read(tree, 'listen_address', scope, '127.0.0.1');
  const port = read(tree, 'listen_port', scope, '8000');
  const url = read(tree, 'url', scope, '/');
  if (!address.ok || !port.ok) {
    const why = (!address.ok && address.unresolved) || (!port.ok && port.unresolved) || 'variable';
    return { listeners: [unresolved(tree, 'tcp', 'http_endpoint', why)] };
  }
  if (checkServerTls(tree, context) === 'missing-file') return fileMissing(tree, 'run');
  const at = (tree.names.get('listen_port') ?? tree.names.get('listen_address') ?? tree).at;
  // Go's net.JoinHostPort-less form: an IPv6 address has to bring its own brackets.
  const host = `${address.value}:${port.value}`;
  const made = resolved(host, 'tcp', 'any', 'http_endpoint', 'never', at, context);
  return { listeners: [made], ...(url.ok ? { url: url.value } : {}) };
}

function lumberjack(tree: Tree, context: InputContext): TypeResult {
  const { scope } = context;
  const complaint = first(
    () => text(tree, 'listen_address', scope) ?? notBlank(tree, 'listen_address', scope),
    () => texts(tree, 'versions', scope, (word) => /^v[12]$/i.test(word)),
    () => duration(tree, 'keepalive', scope, { positive: true }),
    () => duration(tree, 'timeout', scope, { positive: true }),
    () => whole(tree, 'max_connections', scope, 0),
    () => {
      const tls = checkServerTls(tree, context);
      return typeof tls === 'object' ? tls : undefined;
    },
  );
  if (complaint) return refused(complaint);
  if (checkServerTls(tree, context) === 'missing-file') return fileMissing(tree, 'run');
  return {
    listeners: [listener(tree, 'listen_address', 'localhost:5044', 'tcp', 'lumberjack', 'never', context)],
  };
}

// ---------------------------------------------------------------- small parts

function refused(complaint: Failure): TypeResult {
  return { listeners: [], failure: { phase: 'check', fault: complaint.fault } };
}

function fileMissing(tree: Tree, phase: 'check' | 'run'): TypeResult {
  const at = (tree.names.get('ssl') ?? tree).at;
  return { listeners: [], failure: { phase, fault: { code: 'file-missing', at, subject: 'ssl' } } };
}

type ReadText = { ok: true; value: string } | Failure;

function read(tree: Tree, key: string, scope: Scope, fallback: string): ReadText {
  const found = get(tree, key, scope);
  if (!found.ok) return found;
  return found.value ? toText(found.value, scope) : { ok: true, value: fallback };
}

/** There, and not empty. What cannot be known passes. */
function nonEmpty(tree: Tree, key: string, scope: Scope): Complaint {
  const value = read(tree, key, scope, '');
  if (!value.ok) return undefined;
  return value.value === '' ? failure('missing-setting', (tree.names.get(key) ?? tree).at, key) : undefined;
}

/** Not empty, if it is there at all. */
function notBlank(tree: Tree, key: string, scope: Scope): Complaint {
  const value = read(tree, key, scope, 'default');
  return value.ok && value.value === '' ? failure('bad-value', (tree.names.get(key) ?? tree).at, key) : undefined;
}

function jsonText(tree: Tree, key: string, scope: Scope): Complaint {
  const bad = text(tree, key, scope);
  if (bad) return bad;
  const value = read(tree, key, scope, '{}');
  if (!value.ok) return undefined;
  try {
    JSON.parse(value.value);
    return undefined;
  } catch {
    return failure('bad-value', (tree.names.get(key) ?? tree).at, key);
  }
}

/** Two settings of which neither may stand alone. */
function pair(tree: Tree, one: string, other: string, scope: Scope): Complaint {
  const bad = text(tree, one, scope) ?? text(tree, other, scope);
  if (bad) return bad;
  const [a, b] = [read(tree, one, scope, ''), read(tree, other, scope, '')];
  if (!a.ok || !b.ok || (a.value === '') === (b.value === '')) return undefined;
  return failure('missing-setting', tree.at, a.value === '' ? one : other);
}

function credentials(tree: Tree, scope: Scope): Complaint {
  const wanted = read(tree, 'basic_auth', scope, 'false');
  if (!wanted.ok || !/^(?:1|t|true)$/i.test(wanted.value)) return undefined;
  return nonEmpty(tree, 'username', scope) ?? nonEmpty(tree, 'password', scope);
}

function listener(
  tree: Tree,
  key: string,
  fallback: string,
  protocol: Protocol,
  input: string,
  retry: BindRetry,
  context: InputContext,
): Listener {
  const { scope, release } = context;
  const stated: Value | undefined = tree.names.get(key);
  const at = stated && stated.kind !== 'nil' ? stated.at : tree.at;
  const host = read(tree, key, scope, fallback);
  if (!host.ok) return { ...unresolved(tree, protocol, input, host.unresolved ?? 'variable'), declaredIn: at, retry };
  let network: 'any' | 'v4' | 'v6' = 'any';
  if (applies('network-option', release)) {
    const word = read(tree, 'network', scope, '');
    if (word.ok && word.value.endsWith('4')) network = 'v4';
    if (word.ok && word.value.endsWith('6')) network = 'v6';
  }
  const made = resolved(host.value, protocol, network, input, retry, at, context);
  const buffer =
    protocol === 'udp' && applies('read-buffer', release) ? read(tree, 'read_buffer', scope, '') : undefined;
  const bytes = buffer?.ok ? parseSize(buffer.value) : undefined;
  if (bytes) made.readBuffer = bytes;
  if (!stated || stated.kind === 'nil') made.notes = ['no address is configured: the default applies'];
  return made;
}

function resolved(
  host: string,
  protocol: Protocol,
  network: 'any' | 'v4' | 'v6',
  input: string,
  retry: BindRetry,
  declaredIn: Listener['declaredIn'],
  context: InputContext,
): Listener {
  const { target, address, port } = resolveHost(host, protocol, network, context.names);
  return { protocol, address, ...(port === undefined ? {} : { port }), target, input, declaredIn, retry };
}

function unresolved(tree: Tree, protocol: Protocol, input: string, why: UnresolvedWhy): Listener {
  return { protocol, address: '', target: { kind: 'unresolved', why }, input, declaredIn: tree.at, retry: 'never' };
}

/** Whether a section counts as on; re-exported for the stats endpoint. */
export { isEnabled, resolved };
