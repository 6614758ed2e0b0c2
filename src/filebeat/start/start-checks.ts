/** Checks of a start that a table cannot say: files that have to be there, and settings that depend on one another. */
import { posix } from 'node:path';
import { validUrl } from '../net/go-url.js';
import { applies } from '../releases/releases.js';
import { type Complaint, isEnabled, toDuration } from '../tree/checks.js';
import { get, listedTexts, positionOf, readAs, readText, toBool, toText, toTree } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { failure } from '../tree/variables.js';
import { badValue } from './kinds.js';
import type { Chosen } from './output.js';
import { blocked, type StartContext } from './start-context.js';

type Check = (main: Tree, context: StartContext) => Complaint;

/** The data folder is made before anything else, the registry below it (from 7.0) before the inputs start. */
export const checkFolders: Check = (main, context) => {
  const { scope, files, paths, release } = context;
  const data = () =>
    blocked(context, paths.data) ? failure('folder-blocked', positionOf(main, 'path.data'), 'path.data') : undefined;
  const key = 'filebeat.registry.path';
  const stated = readText(main, key, scope);
  if (stated === undefined || !applies('registry-settings-removed', release)) return data();
  const path = posix.resolve(paths.data, stated || 'registry');
  const inside = path.startsWith(`${paths.data}/`);
  const taken = blocked(context, path);
  // One look at what lies inside tells of both.
  const complaint = taken || !inside ? data() : undefined;
  if (complaint || !taken) return complaint;
  // A file in its place is taken for the registry of release 6, a JSON list, and read.
  const head = files.head(path, 1);
  const old = head.ok && (head.value.length === 0 || Buffer.from(head.value).toString() === '[');
  return old ? undefined : failure('folder-blocked', positionOf(main, key), key);
};

const KEYSTORE_VERSION = 'v1';

/** A keystore that is there has to begin with its version; nothing else of it is read. */
export const checkKeystore: Check = (main, { scope, files, paths }) => {
  const found = get(main, 'keystore.path', scope);
  const stated = found.ok && found.value ? toText(found.value, scope) : undefined;
  if (!found.ok || stated?.ok === false) {
    const failed = found.ok ? stated : found;
    return failed?.ok === false && !failed.unresolved ? failed : undefined;
  }
  if (!scope.keystore) return undefined;
  const path = posix.resolve(paths.data, stated?.value || 'filebeat.keystore');
  const head = files.head(path, KEYSTORE_VERSION.length);
  if (!head.ok || head.value.length < KEYSTORE_VERSION.length) return undefined;
  return Buffer.from(head.value).toString('latin1') === KEYSTORE_VERSION
    ? undefined
    : failure('no-keystore', positionOf(main, 'keystore.path'), 'keystore.path');
};

/** Without an agent on the other end a managed process ends at once. */
export const checkManagement: Check = (main, { scope, release }) => {
  const section = readAs(main, 'management', scope, toTree);
  if (!section) return undefined;
  const on = applies('management-wants-agent', release)
    ? isEnabled(section, scope)
    : readAs(section, 'enabled', scope, toBool) === true;
  return on ? failure('managed-without-agent', positionOf(main, 'management'), 'management') : undefined;
};

/** Where traces go: a list of URLs, whether tracing is on or not. */
export const checkTraceHosts: Check = (main, { scope }) => {
  const key = 'instrumentation.hosts';
  const hosts = readAs(main, key, scope, (value, inner) => toTree(value, inner));
  const found = get(main, key, scope);
  if (!found.ok || !found.value) return undefined;
  if (!hosts?.items) return badValue(main, key, scope, 'a list of URLs');
  const bad = listedTexts(main, key, scope).find(({ text }) => !validUrl(text));
  return bad && failure('bad-address', bad.value.at, key);
};

/** Until 8.12 the policy for indices is read at the start, whatever the output is. */
export const checkPolicyFile: Check = (main, { scope, release, files, cwd }) => {
  if (applies('lifecycle-sections', release)) return undefined;
  const section = readAs(main, 'setup.ilm', scope, toTree);
  if (!section || /^(?:0|f|false)$/i.test(readText(section, 'enabled', scope) || 'true')) return undefined;
  const alias = get(section, 'rollover_alias', scope);
  if (
    !applies('template-type-removed', release) &&
    alias.ok &&
    alias.value &&
    readText(section, 'rollover_alias', scope) === ''
  )
    return failure('missing-setting', alias.value.at, 'setup.ilm.rollover_alias');
  const path = readText(section, 'policy_file', scope);
  if (!path) return undefined;
  const head = files.head(posix.resolve(cwd, path), 1);
  const missing = !head.ok && head.gap.reason === 'missing';
  return missing
    ? failure('named-file-missing', positionOf(section, 'policy_file'), 'setup.ilm.policy_file')
    : undefined;
};

/** An index of its own name needs a template of its own name. */
export function checkTemplateName(main: Tree, output: Chosen | undefined, { scope }: StartContext): Complaint {
  if (output?.name !== 'elasticsearch' || !readText(output.tree, 'index', scope)) return undefined;
  const template = readAs(main, 'setup.template', scope, toTree);
  if (template && !isEnabled(template, scope)) return undefined;
  const missing = ['name', 'pattern'].find((key) => !template || readText(template, key, scope) === '');
  return missing
    ? failure('missing-setting', positionOf(output.tree, 'index'), `setup.template.${missing}`)
    : undefined;
}

/** Filebeat's own numbers in its log: a clock without a period ends the process. */
export const checkMetricsPeriod: Check = (main, { scope, release }) => {
  const section = readAs(main, 'logging.metrics', scope, toTree);
  if (!section || !isEnabled(section, scope)) return undefined;
  const period = readAs(section, 'period', scope, toDuration);
  const least = applies('metrics-period-zero', release) ? 0 : 1;
  return period !== undefined && period < least
    ? badValue(main, 'logging.metrics.period', scope, 'a duration above zero')
    : undefined;
};
