/** `http`: the stats endpoint, Filebeat's own listener (elastic-agent-libs, api). */
import { posix } from 'node:path';
import type { Fault, Listener } from '../../model/model.js';
import { resolveHost } from '../net/address.js';
import { applies } from '../releases/releases.js';
import { type Complaint, duration, first, integer, isEnabled, text, texts, truth } from '../tree/checks.js';
import { originNotes } from '../tree/notes.js';
import { getAs, positionOf, readAs, readText, toInt, toText, toTree } from '../tree/read.js';
import { checkSettings, type Settings, under } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import type { StartContext } from './start-context.js';

const endpoint: Settings = {
  enabled: truth,
  host: text,
  port: integer,
  'named_pipe.user': text,
  'named_pipe.security_descriptor': text,
};
const buffer: Settings = { period: duration, size: integer, namespaces: texts };

/** Named pipes exist on Windows only. */
function notOnLinux(section: Tree, scope: Scope): Complaint {
  const set = ['named_pipe.user', 'named_pipe.security_descriptor'].find((key) => readText(section, key, scope));
  if (set) return failure('not-on-linux', positionOf(section, set), `http.${set}`);
  return readText(section, 'host', scope)?.startsWith('npipe:')
    ? failure('not-on-linux', positionOf(section, 'host'), 'http.host')
    : undefined;
}

function checkBuffer(section: Tree, scope: Scope): Complaint {
  const inner = readAs(section, 'buffer', scope, toTree);
  return inner && isEnabled(inner, scope) ? under('http.buffer', checkSettings(inner, buffer, scope)) : undefined;
}

/** A unix socket needs its folder and opens no port. */
function unixSocket(section: Tree, { scope, files }: StartContext): { fault?: Fault; socket?: string } {
  const path = /^unix:\/\/(\/.*)$/.exec(readText(section, 'host', scope) ?? '')?.[1];
  if (path === undefined) return {};
  const folder = files.stat(posix.dirname(path));
  return !folder.ok && folder.gap.reason === 'missing'
    ? { fault: failure('folder-missing', positionOf(section, 'host'), 'http.host').fault }
    : { socket: posix.normalize(path) };
}

/**
 * The stats endpoint: at most one TCP listener, or the path of a unix socket. Any `http.*` setting enables it, unless
 * `http.enabled` is false. From 7.0 on an invalid host stops the start.
 */
export function statsEndpoint(
  main: Tree,
  context: StartContext,
): { listener?: Listener; fault?: Fault; socket?: string } {
  const { scope, release, names } = context;
  const section = readAs(main, 'http', scope, toTree);
  if (!section || !isEnabled(section, scope)) return {};
  const complaint = first(
    () => under('http', checkSettings(section, endpoint, scope)),
    () => notOnLinux(section, scope),
    () => (applies('http-buffer', release) ? checkBuffer(section, scope) : undefined),
  );
  if (complaint) return { fault: complaint.fault };
  const at = (section.names.get('port') ?? section.names.get('host') ?? section).at;
  const notes = originNotes(section, scope);
  const origins = notes.length > 0 ? { notes } : {};
  const base = { protocol: 'tcp', input: 'http', declaredIn: at, retry: 'never', ...origins } as const;
  const host = endpointHost(section, scope);
  if (host === undefined)
    return { listener: { ...base, address: '', target: { kind: 'unresolved', why: 'variable' } } };
  const strict = applies('http-must-bind', release);
  if (host === 'unix') return unixSocket(section, context);
  const resolved = host === 'refused' ? undefined : resolveHost(host.address, 'tcp', 'any', names);
  if (!resolved || resolved.target.kind === 'invalid') {
    const takes = 'a name or an IPv4 address; the port is http.port';
    return strict ? { fault: { code: 'bad-value', subject: 'http.host', at, takes } } : {};
  }
  const { address, port, target } = resolved;
  return { listener: { ...base, address, ...(port === undefined ? {} : { port }), target } };
}

/** Filebeat parses `http.host` as a URL: without a scheme it may contain neither a port nor an IPv6 address. */
function endpointHost(section: Tree, scope: Scope): { address: string } | 'unix' | 'refused' | undefined {
  const host = getAs(section, 'host', scope, toText);
  const port = getAs(section, 'port', scope, toInt);
  if (!host.ok || !port.ok) return undefined;
  const name = host.value ?? 'localhost';
  if (name.startsWith('unix:')) return 'unix';
  const url = /^http:\/\/([^/?#]*)/.exec(name);
  if (url) return { address: url[1]! };
  if (/[:?#%\s\x00-\x1f]/.test(name)) return 'refused';
  return { address: `${name}:${port.value ?? 5066}` };
}
