/** `http`: the stats endpoint, the one socket that Filebeat opens for itself (elastic-agent-libs, api). */
import { posix } from 'node:path';
import type { Fault, Listener } from '../../model/model.js';
import { resolveHost } from '../net/address.js';
import { applies } from '../releases/releases.js';
import { type Complaint, duration, first, integer, isEnabled, text, texts, truth } from '../tree/checks.js';
import { originNotes } from '../tree/notes.js';
import { get, positionOf, readAs, readText, toInt, toText, toTree } from '../tree/read.js';
import { checkSettings, type Settings, under } from '../tree/setting-tables.js';
import type { Tree } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';
import type { StartContext } from './start-context.js';

const endpoint: Settings = {
  enabled: truth,
  host: text,
  port: integer,
  'named_pipe.user': text,
  'named_pipe.security_descriptor': text,
};
const buffer: Settings = { period: duration, size: integer, namespaces: texts };

/** Named pipes are something of Windows. */
function notOnLinux(section: Tree, scope: Scope): Complaint {
  const set = ['named_pipe.user', 'named_pipe.security_descriptor'].find((key) => readText(section, key, scope));
  if (set) return failure('not-on-linux', positionOf(section, set), `http.${set}`);
  return readText(section, 'host', scope)?.startsWith('npipe:')
    ? failure('not-on-linux', positionOf(section, 'host'), 'http.host')
    : undefined;
}

function checkBuffer(section: Tree, scope: Scope): Complaint {
  const own = readAs(section, 'buffer', scope, toTree);
  return own && isEnabled(own, scope) ? under('http.buffer', checkSettings(own, buffer, scope)) : undefined;
}

/** A unix socket needs its folder; it opens no port. */
function unixSocket(section: Tree, { scope, files }: StartContext): { fault?: Fault; socket?: string } {
  const path = /^unix:\/\/(\/.*)$/.exec(readText(section, 'host', scope) ?? '')?.[1];
  if (path === undefined) return {};
  const folder = files.stat(posix.dirname(path));
  return !folder.ok && folder.gap.reason === 'missing'
    ? { fault: failure('folder-missing', positionOf(section, 'host'), 'http.host').fault }
    : { socket: posix.normalize(path) };
}

/**
 * The stats endpoint: at most one TCP listener, or the path of a unix socket. Any `http.*` setting switches it on unless `http.enabled` says no.
 * A host that cannot be one stops the start from 7.0 on.
 */
export function statsEndpoint(
  main: Tree,
  context: StartContext,
): { listener?: Listener; fault?: Fault; socket?: string } {
  const { scope, release, names } = context;
  const found = get(main, 'http', scope);
  const section = found.ok && found.value ? toTree(found.value, scope) : undefined;
  if (!section?.ok || !isEnabled(section.value, scope)) return {};
  const complaint = first(
    () => under('http', checkSettings(section.value, endpoint, scope)),
    () => notOnLinux(section.value, scope),
    () => (applies('http-buffer', release) ? checkBuffer(section.value, scope) : undefined),
  );
  if (complaint) return { fault: complaint.fault };
  const at = (section.value.names.get('port') ?? section.value.names.get('host') ?? section.value).at;
  const notes = originNotes(section.value, scope);
  const origins = notes.length > 0 ? { notes } : {};
  const base = { protocol: 'tcp', input: 'http', declaredIn: at, retry: 'never', ...origins } as const;
  const host = endpointHost(section.value, scope);
  if (host === undefined)
    return { listener: { ...base, address: '', target: { kind: 'unresolved', why: 'variable' } } };
  const strict = applies('http-must-bind', release);
  if (host === 'unix') return unixSocket(section.value, context);
  const made = host === 'refused' ? undefined : resolveHost(host.address, 'tcp', 'any', names);
  if (!made || made.target.kind === 'invalid')
    return strict
      ? {
          fault: {
            code: 'bad-value',
            subject: 'http.host',
            at,
            takes: 'a name or an IPv4 address; the port is http.port',
          },
        }
      : {};
  const { address, port, target } = made;
  return { listener: { ...base, address, ...(port === undefined ? {} : { port }), target } };
}

/** Filebeat takes `http.host` for a URL: without a scheme it may hold neither a port nor an IPv6 address. */
function endpointHost(section: Tree, scope: Scope): { address: string } | 'unix' | 'refused' | undefined {
  const stated = get(section, 'host', scope);
  const host = stated.ok && stated.value ? toText(stated.value, scope) : stated;
  const portValue = get(section, 'port', scope);
  const port = portValue.ok && portValue.value ? toInt(portValue.value, scope) : portValue;
  if (!host.ok || !port.ok) return undefined;
  const name = typeof host.value === 'string' ? host.value : 'localhost';
  if (name.startsWith('unix:')) return 'unix';
  const url = /^http:\/\/([^/?#]*)/.exec(name);
  if (url) return { address: url[1]! };
  if (/[:?#%\s\x00-\x1f]/.test(name)) return 'refused';
  return { address: `${name}:${typeof port.value === 'number' ? port.value : 5066}` };
}
