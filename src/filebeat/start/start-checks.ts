/** Checks of a start that need more than a table: files that must exist, and settings that depend on each other. */
import { posix } from 'node:path';
import { validUrl } from '../net/go-url.js';
import { applies } from '../releases/releases.js';
import { type Complaint, isEnabled, toDuration } from '../tree/checks.js';
import { get, getAs, listedTexts, positionOf, readAs, readText, toBool, toText, toTree } from '../tree/read.js';
import { failure, type Tree } from '../tree/tree.js';
import { badValue } from './kinds.js';
import type { Chosen } from './output.js';
import { blocked, type StartContext } from './start-context.js';

type Check = (main: Tree, context: StartContext) => Complaint;

/** Filebeat creates the data folder before anything else, and the registry in it (from 7.0) before the inputs start. */
export const checkFolders: Check = (main, context) => {
  const { scope, files, paths, release } = context;
  const data = () =>
    blocked(context, paths.data) ? failure('folder-blocked', positionOf(main, 'path.data'), 'path.data') : undefined;
  const key = 'filebeat.registry.path';
  const stated = readText(main, key, scope);
  if (stated === undefined || !applies('registry-settings-removed', release)) return data();
  const path = posix.resolve(paths.data, stated || 'registry');
  const isInData = path.startsWith(`${paths.data}/`);
  const isBlocked = blocked(context, path);
  // A registry inside the data folder that is not blocked shows that the data folder is not, either.
  const complaint = isBlocked || !isInData ? data() : undefined;
  if (complaint || !isBlocked) return complaint;
  // Filebeat reads a file at this path as the registry of release 6, a JSON list.
  const head = files.head(path, 1);
  const isOldRegistry = head.ok && (head.value.length === 0 || Buffer.from(head.value).toString() === '[');
  return isOldRegistry ? undefined : failure('folder-blocked', positionOf(main, key), key);
};

const KEYSTORE_VERSION = 'v1';

/** An existing keystore must begin with its version. This reads nothing else of it. */
export const checkKeystore: Check = (main, { scope, files, paths }) => {
  const stated = getAs(main, 'keystore.path', scope, toText);
  if (!stated.ok) return stated.unresolved ? undefined : stated;
  if (!scope.keystore) return undefined;
  const path = posix.resolve(paths.data, stated.value || 'filebeat.keystore');
  const head = files.head(path, KEYSTORE_VERSION.length);
  if (!head.ok || head.value.length < KEYSTORE_VERSION.length) return undefined;
  return Buffer.from(head.value).toString('latin1') === KEYSTORE_VERSION
    ? undefined
    : failure('no-keystore', positionOf(main, 'keystore.path'), 'keystore.path');
};

/** A managed process without an agent ends at once. */
export const checkManagement: Check = (main, { scope, release }) => {
  const section = readAs(main, 'management', scope, toTree);
  if (!section) return undefined;
  const on = applies('management-wants-agent', release)
    ? isEnabled(section, scope)
    : readAs(section, 'enabled', scope, toBool) === true;
  return on ? failure('managed-without-agent', positionOf(main, 'management'), 'management') : undefined;
};

/** The URLs of trace servers, checked even if tracing is disabled. */
export const checkTraceHosts: Check = (main, { scope }) => {
  const key = 'instrumentation.hosts';
  const hosts = readAs(main, key, scope, toTree);
  const found = get(main, key, scope);
  if (!found.ok || !found.value) return undefined;
  if (!hosts?.items) return badValue(main, key, scope, 'a list of URLs');
  const bad = listedTexts(main, key, scope).find(({ text }) => !validUrl(text));
  return bad && failure('bad-address', bad.value.at, key);
};

/** Until 8.12 Filebeat reads the lifecycle policy at the start, for every output. */
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

/** A custom index name requires a custom template name and pattern. */
export function checkTemplateName(main: Tree, output: Chosen | undefined, { scope }: StartContext): Complaint {
  if (output?.name !== 'elasticsearch' || !readText(output.tree, 'index', scope)) return undefined;
  const template = readAs(main, 'setup.template', scope, toTree);
  if (template && !isEnabled(template, scope)) return undefined;
  const missing = ['name', 'pattern'].find((key) => !template || readText(template, key, scope) === '');
  return missing
    ? failure('missing-setting', positionOf(output.tree, 'index'), `setup.template.${missing}`)
    : undefined;
}

/** Metrics in Filebeat's log: a period that is not positive ends the process. */
export const checkMetricsPeriod: Check = (main, { scope, release }) => {
  const section = readAs(main, 'logging.metrics', scope, toTree);
  if (!section || !isEnabled(section, scope)) return undefined;
  const period = readAs(section, 'period', scope, toDuration);
  const least = applies('metrics-period-zero', release) ? 0 : 1;
  return period !== undefined && period < least
    ? badValue(main, 'logging.metrics.period', scope, 'a duration above zero')
    : undefined;
};
