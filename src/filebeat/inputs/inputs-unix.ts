/** The unix input and `protocol.unix` of syslog (filebeat/inputsource/unix): settings and the path of the socket. */
import { posix } from 'node:path';
import { limits } from '../../model/limits.js';
import type { FileView } from '../files/file-view.js';
import { unclearAt } from '../files/unread.js';
import { applies } from '../releases/releases.js';
import { type Complaint, duration, first, integer, oneOf, size, text } from '../tree/checks.js';
import { positionOf, readAs, readText, toText } from '../tree/read.js';
import { failure, type Tree } from '../tree/tree.js';
import type { InputContext } from './input-context.js';
import { nonEmpty, notBlank } from './listeners.js';

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
      const isDatagram = applies('unix-datagram', release) && readText(tree, 'socket_type', scope) === 'datagram';
      return isDatagram ? undefined : notBlank(tree, 'line_delimiter', scope);
    },
  );
}

/** sockaddr_un has 108 bytes, the last of which is 0 (unix(7)). */
const longestSocketPath = 107;

/** Faults that end only a unix input once it runs: path, group and mode of its socket (7.17 to 9.6). */
export function unixSocketFault(tree: Tree, { scope, files, cwd, unclear }: InputContext): Complaint {
  const path = readAs(tree, 'path', scope, toText);
  if (path === undefined) return undefined;
  const fault = (code: string, key: string) => failure(code, positionOf(tree, key), key);
  if (Buffer.byteLength(path) > longestSocketPath) return fault('bad-value', 'path');
  const absolute = posix.resolve(cwd, path);
  const existing = files.stat(absolute);
  // Filebeat removes a socket that an earlier run left, but nothing else.
  if (existing.ok && existing.value.kind !== 'other') return fault('path-in-the-way', 'path');
  const folder = files.stat(posix.dirname(absolute));
  if (!folder.ok && folder.gap.reason === 'missing') return fault('folder-missing', 'path');
  const group = readText(tree, 'group', scope);
  const isKnown = !group || isKnownGroup(group, files);
  if (isKnown === false) return fault('bad-value', 'group');
  if (isKnown === undefined) unclear?.(unclearAt(positionOf(tree, 'group'), 'whether this group exists is unknown'));
  const mode = readText(tree, 'mode', scope);
  return mode && !/^[0-7]+$/.test(mode) ? fault('bad-value', 'mode') : undefined;
}

/** Undefined where /etc/group cannot be read, or nsswitch.conf names other sources of groups. */
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
