/** Inputs that open TCP sockets: tcp, http_endpoint, lumberjack. Defaults and validation as in Filebeat. */
import type { Listener } from '../../model/model.js';
import { applies } from '../releases/releases.js';
import {
  type Complaint,
  duration,
  first,
  integer,
  isEnabled,
  object,
  oneOf,
  size,
  text,
  texts,
  truth,
} from '../tree/checks.js';
import { readAs, readText, toTree } from '../tree/read.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import type { InputContext, TypeResult } from './input-context.js';
import { fileMissing, listener, nonEmpty, notBlank, read, refused, resolved, unresolved } from './listeners.js';
import { checkServerTls } from './server-tls.js';

export function tcp(tree: Tree, context: InputContext): TypeResult {
  const { release, scope } = context;
  const complaint = first(
    () => tcpSettings(tree, context, 'line_delimiter'),
    () => (applies('number-of-workers', release) ? integer(tree, 'number_of_workers', scope, 1) : undefined),
  );
  const listeners = [
    listener(tree, { key: 'host', fallback: '', protocol: 'tcp', input: 'tcp', retry: 'never' }, context),
  ];
  if (complaint) return refused(complaint, listeners);
  const tls = checkServerTls(tree, context);
  if (tls === 'bad-file') return fileMissing(tree, applies('udp-ends-alone', release) ? 'run' : 'check', listeners);
  return { listeners };
}

export function tcpSettings(tree: Tree, context: InputContext, delimiter: string): Complaint {
  const { release, scope } = context;
  return first(
    () => text(tree, 'host', scope) ?? nonEmpty(tree, 'host', scope),
    () => duration(tree, 'timeout', scope, { nonzero: true, positive: true }),
    () => size(tree, 'max_message_size', scope),
    () => integer(tree, 'max_connections', scope),
    () => (applies('network-option', release) ? oneOf(tree, 'network', scope, ['', 'tcp', 'tcp4', 'tcp6']) : undefined),
    () => text(tree, delimiter, scope) ?? notBlank(tree, delimiter, scope),
    () => (applies('tcp-framing', release) ? oneOf(tree, 'framing', scope, ['delimiter', 'rfc6587'], true) : undefined),
    () => {
      const tls = checkServerTls(tree, context);
      return typeof tls === 'object' ? tls : undefined;
    },
  );
}

export function httpEndpoint(tree: Tree, context: InputContext): TypeResult {
  const { scope, release } = context;
  const complaint = first(
    () =>
      applies('http-endpoint-method', release) ? oneOf(tree, 'method', scope, ['POST', 'PUT', 'PATCH']) : undefined,
    () => (applies('http-endpoint-crc', release) ? checkCrc(tree, scope) : undefined),
    () => truth(tree, 'basic_auth', scope),
    () => text(tree, 'username', scope),
    () => text(tree, 'password', scope),
    () => integer(tree, 'response_code', scope, 0),
    () => jsonText(tree, 'response_body', scope),
    () => text(tree, 'listen_address', scope),
    () => text(tree, 'listen_port', scope),
    () => text(tree, 'url', scope) ?? notBlank(tree, 'url', scope),
    () => text(tree, 'prefix', scope),
    () => pair(tree, 'secret.header', 'secret.value', scope),
    () => text(tree, 'content_type', scope),
    () => endpointExtras(tree, context),
    () => credentials(tree, scope),
    () => {
      const tls = checkServerTls(tree, context);
      return typeof tls === 'object' ? tls : undefined;
    },
  );
  const listeners = [endpointListener(tree, context)];
  if (complaint) return refused(complaint, listeners);
  const isResolved = listeners.every(({ target }) => target.kind !== 'unresolved');
  if (isResolved && checkServerTls(tree, context) === 'bad-file') return fileMissing(tree, 'run', listeners);
  const url = read(tree, 'url', scope, '/');
  if (!isResolved || !url.ok) return { listeners };
  return wrongPath(tree, url.value, context, listeners) ?? { listeners, url: url.value };
}

/** Settings that later releases added. */
function endpointExtras(tree: Tree, { scope, release }: InputContext): Complaint {
  const checks: (() => Complaint)[] = [];
  if (applies('http-endpoint-hmac', release))
    checks.push(
      () => pair(tree, 'hmac.header', 'hmac.key', scope),
      () => oneOf(tree, 'hmac.type', scope, ['', 'sha1', 'sha256']),
      () => text(tree, 'hmac.prefix', scope),
      () => texts(tree, 'include_headers', scope),
      () => truth(tree, 'preserve_original_event', scope),
    );
  if (applies('http-endpoint-method', release))
    checks.push(
      () => text(tree, 'program', scope),
      () => checkTracer(tree, applies('http-endpoint-tracer-switch', release), scope),
    );
  if (applies('http-endpoint-options', release))
    checks.push(
      () => object(tree, 'options_headers', scope),
      () => integer(tree, 'options_response_code', scope),
      () => integer(tree, 'max_body_bytes', scope, 0),
      () => integer(tree, 'max_in_flight_bytes', scope, 0),
      () => integer(tree, 'retry_after', scope),
    );
  return first(...checks);
}

/** A tracer needs the name of the file that it writes. `hasSwitch`: the release reads `tracer.enabled`. */
function checkTracer(tree: Tree, hasSwitch: boolean, scope: Scope): Complaint {
  const wrong = object(tree, 'tracer', scope);
  if (wrong) return wrong;
  const tracer = readAs(tree, 'tracer', scope, toTree);
  if (!tracer) return undefined;
  if (hasSwitch) {
    const bad = truth(tracer, 'enabled', scope);
    if (bad) return bad;
    if (!isEnabled(tracer, scope)) return undefined;
  }
  return readText(tracer, 'filename', scope) === ''
    ? failure('missing-setting', tracer.at, 'tracer.filename')
    : undefined;
}

function endpointListener(tree: Tree, context: InputContext): Listener {
  const { scope } = context;
  const address = read(tree, 'listen_address', scope, '127.0.0.1');
  const port = read(tree, 'listen_port', scope, '8000');
  if (!address.ok || !port.ok) {
    const why = (!address.ok && address.unresolved) || (!port.ok && port.unresolved) || 'variable';
    return unresolved(tree, 'tcp', 'http_endpoint', why);
  }
  const declaredIn = (tree.names.get('listen_port') ?? tree.names.get('listen_address') ?? tree).at;
  const base = { protocol: 'tcp', input: 'http_endpoint', declaredIn, retry: 'never' } as const;
  // Filebeat joins them without net.JoinHostPort: an IPv6 address must have brackets of its own.
  return resolved(`${address.value}:${port.value}`, 'any', base, context);
}

/** Some releases pass the path to a Go library that takes it for a host name if it has no leading slash, and panics. */
function wrongPath(tree: Tree, url: string, { release }: InputContext, listeners: Listener[]): TypeResult | undefined {
  const crashes = applies('http-endpoint-url-crashes', release);
  if (url.startsWith('/') || (!crashes && !applies('http-endpoint-url-refused', release))) return undefined;
  const { fault } = failure('bad-value', (tree.names.get('url') ?? tree).at, 'url');
  return { listeners, failure: { phase: crashes ? 'check' : 'run', fault } };
}

/** A CRC provider and its secret require each other. */
function checkCrc(tree: Tree, scope: Scope): Complaint {
  return pair(tree, 'crc.provider', 'crc.secret', scope) ?? oneOf(tree, 'crc.provider', scope, ['', 'zoom'], true);
}

export function lumberjack(tree: Tree, context: InputContext): TypeResult {
  const { scope } = context;
  const complaint = first(
    () => text(tree, 'listen_address', scope) ?? notBlank(tree, 'listen_address', scope),
    () => texts(tree, 'versions', scope, (word) => /^v[12]$/i.test(word)),
    () => duration(tree, 'keepalive', scope, { positive: true }),
    () => duration(tree, 'timeout', scope, { positive: true }),
    () => integer(tree, 'max_connections', scope, 0),
    () => {
      const tls = checkServerTls(tree, context);
      return typeof tls === 'object' ? tls : undefined;
    },
  );
  const base = { protocol: 'tcp', input: 'lumberjack', retry: 'never' } as const;
  const listeners = [listener(tree, { key: 'listen_address', fallback: 'localhost:5044', ...base }, context)];
  if (complaint) return refused(complaint, listeners);
  return checkServerTls(tree, context) === 'bad-file' ? fileMissing(tree, 'run', listeners) : { listeners };
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

/** Two settings that require each other. */
function pair(tree: Tree, one: string, other: string, scope: Scope): Complaint {
  const bad = text(tree, one, scope) ?? text(tree, other, scope);
  if (bad) return bad;
  const [a, b] = [read(tree, one, scope, ''), read(tree, other, scope, '')];
  if (!a.ok || !b.ok || (a.value === '') === (b.value === '')) return undefined;
  return failure('missing-setting', tree.at, a.value === '' ? one : other);
}

function credentials(tree: Tree, scope: Scope): Complaint {
  const basicAuth = read(tree, 'basic_auth', scope, 'false');
  if (!basicAuth.ok || !/^(?:1|t|true)$/i.test(basicAuth.value)) return undefined;
  return nonEmpty(tree, 'username', scope) ?? nonEmpty(tree, 'password', scope);
}
