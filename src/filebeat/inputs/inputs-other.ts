/**
 * Inputs that open no UDP or TCP socket. They matter because a refused input ends the process, and the other inputs
 * with it. Settings of types that are not listed here count as correct.
 */
import { applies } from '../releases/releases.js';
import { type Complaint, first, oneOf, text, texts } from '../tree/checks.js';
import { get, toBool, toList } from '../tree/read.js';
import { failure, type Tree } from '../tree/tree.js';
import type { InputContext, TypeResult } from './input-context.js';
import { logSettings } from './inputs-files.js';
import { filestreamSettings } from './inputs-filestream.js';
import { unixSettings, unixSocketFault } from './inputs-unix.js';

export function otherInput(type: string, tree: Tree, context: InputContext): TypeResult {
  const complaint = check(type, tree, context);
  if (complaint) return { listeners: [], failure: { phase: 'check', fault: complaint.fault } };
  const unusable = type === 'unix' ? unixSocketFault(tree, context) : undefined;
  return unusable ? { listeners: [], failure: { phase: 'run', fault: unusable.fault } } : { listeners: [] };
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
        () => filestreamSettings(tree, context),
      );
    case 'unix':
      return unixSettings(tree, context);
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

/** A list of at least one string. */
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

/**
 * From 9.0 a deprecated input needs `allow_deprecated_use`, unless it belongs to a module or a feature flag runs it as
 * filestream.
 */
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
