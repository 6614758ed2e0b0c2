/** The unix input and `protocol.unix` of syslog (filebeat/inputsource/unix): settings, and the place of the socket. */
import { posix } from 'node:path';
import { limits } from '../../model/limits.js';
import type { FileView } from '../files/file-view.js';
import { unclearAt } from '../files/unread.js';
import { applies } from '../releases/releases.js';
import { type Complaint, duration, first, integer, oneOf, size, text } from '../tree/checks.js';
import { get, toText } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { failure } from '../tree/variables.js';
import type { InputContext } from './input-context.js';
import { nonEmpty, notBlank, read } from './listeners.js';

export function unixSettings(tree: Tree, { scope, release }: InputContext): Complaint {
  return first(
    () => text(tree, 'path', scope) ?? nonEmpty(tree, 'path', scope),
    () => text(tree, 'group', scope),
    () => text(tree, 'mode', scope),
    () => duration(tree, 'timeout', scope, { nonzero: true, positive: true }),
    () => size(tree, 'max_message_size', scope),
    () => integer(tree, 'max_connections', scope),
    () => (applies('tcp-framing', release) ? oneOf(tree, 'framing', scope, ['delimiter', 'rfc6587'], true) : undefined),
    () => (applies('unix-datagram', release) ? oneOf(tree, 'socket_type', scope, ['stream', 'datagram']) : undefined),
    () => text(tree, 'line_delimiter', scope),
    () => {
      const type = applies('unix-datagram', release) ? read(tree, 'socket_type', scope, 'stream') : undefined;
      return type?.ok && type.value === 'datagram' ? undefined : notBlank(tree, 'line_delimiter', scope);
    },
  );
}

/** sockaddr_un has 108 bytes, the last of which is 0 (unix(7)). */
const longestSocketPath = 107;

/** What a unix input fails over once it runs, and it alone: the place of its socket, the socket's group and mode (7.17 to 9.6). */
export function unixSocketFault(tree: Tree, { scope, files, cwd, unclear }: InputContext): Complaint {
  const stated = (key: string) => {
    const found = get(tree, key, scope);
    const value = found.ok && found.value ? toText(found.value, scope) : undefined;
    return value?.ok && found.ok && found.value ? { value: value.value, at: found.value.at } : undefined;
  };
  const path = stated('path');
  if (path === undefined) return undefined;
  const place = posix.resolve(cwd, path.value);
  if (Buffer.byteLength(path.value) > longestSocketPath) return failure('bad-value', path.at, 'path');
  const there = files.stat(place);
  // A socket that an earlier run left is removed, anything else is not.
  if (there.ok && there.value.kind !== 'other') return failure('path-in-the-way', path.at, 'path');
  const folder = files.stat(posix.dirname(place));
  if (!folder.ok && folder.gap.reason === 'missing') return failure('folder-missing', path.at, 'path');
  const group = stated('group');
  const known = group === undefined || group.value === '' || isKnownGroup(group.value, files);
  if (known === false) return failure('bad-value', group!.at, 'group');
  if (known === undefined) unclear?.(unclearAt(group!.at, 'whether this group exists cannot be told'));
  const mode = stated('mode');
  return mode !== undefined && mode.value !== '' && !/^[0-7]+$/.test(mode.value)
    ? failure('bad-value', mode.at, 'mode')
    : undefined;
}

/** Undefined where /etc/group cannot be read, or names come from elsewhere too. */
function isKnownGroup(name: string, files: FileView): boolean | undefined {
  const lines = (path: string) => {
    const file = files.read(path, limits.configBytes);
    return file.ok ? new TextDecoder().decode(file.value.bytes).split('\n') : undefined;
  };
  const groups = lines('/etc/group');
  if (groups?.some((line) => line.startsWith(`${name}:`))) return true;
  const sources = lines('/etc/nsswitch.conf')?.find((line) => line.startsWith('group:'));
  if (groups === undefined || /^group:.*\b(?!files\b|compat\b|systemd\b)[a-z]+\b/.test(sources ?? '')) return undefined;
  return false;
}
