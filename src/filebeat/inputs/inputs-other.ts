/**
 * Inputs that open no UDP or TCP socket: only whether Filebeat accepts them matters, because one that it refuses takes
 * the others down with it. Of types not listed here every setting is taken to be right.
 */

import { posix } from 'node:path';
import { limits } from '../../model/limits.js';
import type { FileView } from '../files/file-view.js';
import { applies } from '../releases/releases.js';
import { type Complaint, duration, first, oneOf, size, text, texts } from '../tree/checks.js';
import { get, toBool, toList, toText } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { failure } from '../tree/variables.js';
import type { InputContext, TypeResult } from './input-context.js';
import { filestreamSettings, logSettings } from './inputs-files.js';

export function otherInput(type: string, tree: Tree, context: InputContext): TypeResult {
  const complaint = check(type, tree, context);
  if (complaint) return { listeners: [], failure: { phase: 'check', fault: complaint.fault } };
  const lost = type === 'unix' ? unixSocketFault(tree, context) : undefined;
  return lost ? { listeners: [], failure: { phase: 'run', fault: lost.fault } } : { listeners: [] };
}

function check(type: string, tree: Tree, context: InputContext): Complaint {
  const { scope } = context;
  switch (type) {
    case 'log':
      return first(
        () => checkDeprecated(type, tree, context),
        () => pathsGiven(tree, 'paths', context),
        () => logSettings(tree, scope),
      );
    case 'container':
      return first(
        () => checkDeprecated(type, tree, context),
        () => pathsGiven(tree, 'paths', context),
        () => logSettings(tree, scope),
        () => oneOf(tree, 'stream', scope, ['', 'all', 'stdout', 'stderr']),
        () => oneOf(tree, 'format', scope, ['', 'auto', 'docker', 'cri']),
      );
    case 'docker':
      return pathsGiven(tree, 'containers.ids', context);
    case 'filestream':
      return first(
        () => pathsGiven(tree, 'paths', context),
        () => filestreamSettings(tree, scope),
      );
    case 'unix':
      return first(
        () => text(tree, 'path', scope),
        () => pathsGiven(tree, 'path', context),
        () => duration(tree, 'timeout', scope, { nonzero: true, positive: true }),
        () => size(tree, 'max_message_size', scope),
        () => oneOf(tree, 'socket_type', scope, ['stream', 'datagram']),
      );
    case 'kafka':
      return first(
        () => pathsGiven(tree, 'hosts', context),
        () => pathsGiven(tree, 'topics', context),
        () => text(tree, 'group_id', scope) ?? pathsGiven(tree, 'group_id', context),
      );
    case 'mqtt':
      return first(
        () => pathsGiven(tree, 'hosts', context),
        () => pathsGiven(tree, 'topics', context),
      );
    default:
      return undefined;
  }
}

/** sockaddr_un has 108 bytes, the last of which is 0 (unix(7)). */
const longestSocketPath = 107;

/** What a unix input fails over once it runs, and it alone: the place of its socket, the socket's group and mode (7.17 to 9.6). */
function unixSocketFault(tree: Tree, { scope, files, cwd }: InputContext): Complaint {
  const read = (key: string) => {
    const found = get(tree, key, scope);
    const value = found.ok && found.value ? toText(found.value, scope) : undefined;
    return value?.ok && found.ok && found.value ? { value: value.value, at: found.value.at } : undefined;
  };
  const path = read('path');
  if (path === undefined) return undefined;
  const place = posix.resolve(cwd, path.value);
  if (Buffer.byteLength(path.value) > longestSocketPath) return failure('bad-value', path.at, 'path');
  const there = files.stat(place);
  // A socket that an earlier run left is removed, anything else is not.
  if (there.ok && there.value.kind !== 'other') return failure('path-in-the-way', path.at, 'path');
  const folder = files.stat(posix.dirname(place));
  if (!folder.ok && folder.gap.reason === 'missing') return failure('folder-missing', path.at, 'path');
  const group = read('group');
  if (group !== undefined && group.value !== '' && !isKnownGroup(group.value, files))
    return failure('bad-value', group.at, 'group');
  const mode = read('mode');
  return mode !== undefined && mode.value !== '' && !/^[0-7]+$/.test(mode.value)
    ? failure('bad-value', mode.at, 'mode')
    : undefined;
}

/** Where /etc/group cannot be read, or names come from elsewhere too, every name is taken to be known. */
function isKnownGroup(name: string, files: FileView): boolean {
  const lines = (path: string) => {
    const file = files.read(path, limits.configBytes);
    return file.ok ? new TextDecoder().decode(file.value.bytes).split('\n') : undefined;
  };
  const groups = lines('/etc/group');
  const sources = lines('/etc/nsswitch.conf')?.find((line) => line.startsWith('group:'));
  if (groups === undefined || /^group:.*\b(?!files\b|compat\b|systemd\b)[a-z]+\b/.test(sources ?? '')) return true;
  return groups.some((line) => line.startsWith(`${name}:`));
}

/** A list with at least one text in it. */
function pathsGiven(tree: Tree, key: string, { scope }: InputContext): Complaint {
  const complaint = texts(tree, key, scope);
  if (complaint) return complaint;
  const found = get(tree, key, scope);
  if (!found.ok) return undefined;
  const list = found.value ? toList(found.value, scope) : undefined;
  if (list && !list.ok) return undefined;
  return list && list.value.length > 0
    ? undefined
    : failure(key === 'paths' ? 'no-paths' : 'missing-setting', (found.value ?? tree).at, key);
}

/** From 9.0 such an input has to say that it knows, be part of a module, or be run as filestream by a feature flag. */
function checkDeprecated(type: string, tree: Tree, context: InputContext): Complaint {
  const { release, scope } = context;
  if (!applies('deprecated-inputs-refused', release) || tree.names.has('_module_name')) return undefined;
  const asFilestream =
    type === 'log' ? applies('log-as-filestream', release) : applies('container-as-filestream', release);
  if (context.logAsFilestream && asFilestream) {
    const id = get(tree, 'id', scope);
    return id.ok && !id.value ? failure('missing-setting', tree.at, 'id') : undefined;
  }
  const found = get(tree, 'allow_deprecated_use', scope);
  const allowed = found.ok && found.value ? toBool(found.value, scope) : undefined;
  if (found.ok ? allowed && (allowed.ok ? allowed.value : allowed.unresolved) : found.unresolved) return undefined;
  return failure('deprecated-input', (tree.names.get('type') ?? tree).at, type);
}
