/**
 * One service unit's merged settings → its commands, environment, directory and user, and why it could not start
 * (systemd.service(5), systemd.exec(5)), as the system manager would start it.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { StartUser } from '../../model/model.js';
import type { ServiceUser } from '../instances/readable.js';
import { type Environment, isKnown, unknown } from '../launch/launch-context.js';
import { systemPath } from '../launch/programs.js';
import { type Account, groupsOf, lookUpGroup, lookUpUser, rootUser } from '../launch/users.js';
import { readCommands, type ServiceCommand } from './unit-commands.js';
import { directories, readEnvironment } from './unit-environment.js';
import type { UnitSettings } from './unit-files/unit-settings.js';
import { splitWords } from './unit-files/unit-words.js';
import { type HiddenPath, hiddenPaths } from './unit-view.js';

export interface Service {
  commands: ServiceCommand[];
  /** `ExecStartPre=`; they may write files. */
  preparing: ServiceCommand[];
  /** It has an `ExecCondition=`, whose result is unknown. */
  hasConditionCommand: boolean;
  /** Its commands run one after the other, and each must end. */
  oneshot: boolean;
  /** Directories in which programs without a path are searched for. */
  searchPath: string;
  cwd: string;
  env: Environment;
  /** Other variables may be set too, to unknown values. */
  envIncomplete: boolean;
  user: StartUser;
  /** That user with its groups, where these alone decide which files it may read. */
  runsAs?: ServiceUser;
  /** `RootDirectory=`: paths of the command are below it. */
  rootDirectory?: string;
  /** `PrivateNetwork=`, `NetworkNamespacePath=`: it does not use the host's network namespace. */
  ownNetwork: boolean;
  /** Paths at which it sees other files than the host. */
  hidden: HiddenPath[];
  /** Why systemd could not start it with its present files: clauses with the status it would report. */
  failures: string[];
  /** Environment files. */
  read: string[];
}

/** Reads environment files and the user database through `files`. */
export function readService(
  files: FileView,
  settings: UnitSettings,
  { unit, managerEnv }: { unit: string; managerEnv: Environment },
): Service {
  const failures: string[] = [];
  const { user, login } = userOf(files, settings, failures);
  const environment = readEnvironment(files, settings, managerEnv, login, unit);
  for (const path of environment.missing) failures.push(`its EnvironmentFile ${path} does not exist (resources)`);
  const rootDirectory = settings.text('RootDirectory')?.replace(/\/+$/, '');
  const started = readCommands('ExecStart', settings, environment.env);
  const oneshot = settings.text('Type') === 'oneshot';
  const commands = [...started.commands];
  const preparing = readCommands('ExecStartPre', settings, environment.env).commands;
  // A command before the start may change the owner or mode of the files.
  const runsAs = preparing.length === 0 ? serviceUserOf(files, settings, login, user) : undefined;
  for (const { at, why } of started.refused) settings.gaps.push({ reason: 'malformed', subject: at, detail: why });
  if (commands.length === 0) {
    const refused = started.refused.at(-1);
    if (refused !== undefined) failures.push(`bad setting: in its ExecStart ${refused.why}`);
    if (refused?.command !== undefined) commands.push(refused.command);
  }
  if (commands.length > 1 && !oneshot) failures.push('bad setting: more than one ExecStart without Type=oneshot');
  const cwd = directoryOf(files, settings, login, rootDirectory, failures);
  missingSources(files, settings, failures);
  return {
    commands: oneshot ? commands : commands.slice(0, 1),
    preparing,
    hasConditionCommand: settings.list('ExecCondition').length > 0,
    oneshot,
    searchPath: searchPathOf(settings),
    cwd,
    env: environment.env,
    envIncomplete: environment.incomplete,
    user,
    ...(runsAs === undefined ? {} : { runsAs }),
    ...(rootDirectory === undefined || rootDirectory === '' ? {} : { rootDirectory }),
    ownNetwork: settings.flag('PrivateNetwork') || settings.text('NetworkNamespacePath') !== undefined,
    hidden: hiddenPaths(settings, unit),
    failures,
    read: environment.read,
  };
}

function searchPathOf(settings: UnitSettings): string {
  const own = settings.list('ExecSearchPath').map((one) => settings.expand(one.value, one) ?? '');
  return own.length === 0 ? systemPath : own.join(':');
}

/** The user it runs as. A number must be in /etc/passwd too. */
function userOf(
  files: FileView,
  settings: UnitSettings,
  failures: string[],
): { user: StartUser; login: Account | undefined } {
  const name = settings.text('User');
  const group = settings.text('Group');
  const isDynamic = settings.flag('DynamicUser');
  const found = name === undefined ? undefined : isKnown(name) ? lookUpUser(files, name) : 'unknown';
  const login = found === undefined || typeof found === 'string' ? undefined : found;
  let user: StartUser = { ...rootUser };
  if (isDynamic && login === undefined)
    user = { ...(name === undefined ? {} : { name }), why: 'its user is created when it starts' };
  else if (login !== undefined) user = { name: login.name, uid: login.uid, gid: login.gid };
  else if (name !== undefined) {
    const uid = /^\d+$/.test(name) ? { uid: Number(name) } : {};
    user = { name, ...uid, why: found === 'missing' ? 'there is no such user' : 'its user is not in /etc/passwd' };
    if (found === 'missing') failures.push(`the user ${name} is not in /etc/passwd (217/USER)`);
  }
  if (group !== undefined && !isDynamic) {
    const gid = lookUpGroup(files, group);
    if (typeof gid === 'number') user.gid = gid;
    else delete user.gid;
    if (gid === 'missing') failures.push(`the group ${group} is not in /etc/group (216/GROUP)`);
  }
  return { user, login };
}

/** Undefined where it is root, has capabilities, or one of its groups is unknown. */
function serviceUserOf(
  files: FileView,
  settings: UnitSettings,
  login: Account | undefined,
  { uid, gid }: StartUser,
): ServiceUser | undefined {
  if (login === undefined || uid === undefined || uid === 0 || gid === undefined) return undefined;
  if (settings.list('AmbientCapabilities').length > 0 || settings.flag('PermissionsStartOnly')) return undefined;
  const more = settings
    .list('SupplementaryGroups')
    .flatMap((one) => splitWords(settings.expand(one.value, one) ?? '').words)
    .map((group) => lookUpGroup(files, group));
  const known = more.filter((group) => typeof group === 'number');
  const own = groupsOf(files, login.name);
  return own === undefined || known.length < more.length
    ? undefined
    : { name: login.name, uid, groups: [gid, login.gid, ...own, ...known] };
}

/** `WorkingDirectory=`; with `-` a missing one is `/`. */
function directoryOf(
  files: FileView,
  settings: UnitSettings,
  login: Account | undefined,
  rootDirectory: string | undefined,
  failures: string[],
): string {
  // A relative path makes the unit invalid; an earlier setting does not apply again.
  const wanted = settings.text('WorkingDirectory');
  if (wanted === undefined) return '/';
  const optional = wanted.startsWith('-');
  const path = optional ? wanted.slice(1) : wanted;
  if (path === '~') return login?.home ?? '/root';
  if (!isKnown(path)) return unknown;
  if (!path.startsWith('/')) {
    failures.push('bad setting: its WorkingDirectory is a relative path');
    return '/';
  }
  const created = Object.values(directories(settings)).flatMap((paths) => paths.split(':'));
  if (/^\/(?:run|tmp)\//.test(path) || created.some((one) => path === one || one.startsWith(`${path}/`))) return path;
  const stat = files.stat(`${rootDirectory ?? ''}${path}`);
  if (stat.ok ? stat.value.kind === 'directory' : stat.gap.reason !== 'missing') return path;
  if (optional) return '/';
  failures.push(`its WorkingDirectory ${path} does not exist (200/CHDIR)`);
  return path;
}

/** Notes missing sources of mounts and credentials. */
function missingSources(files: FileView, settings: UnitSettings, failures: string[]): void {
  const isMissing = (path: string) => {
    const stat = files.stat(path);
    return isKnown(path) && !/^\/(?:run|tmp|dev|proc|sys)\//.test(path) && !stat.ok && stat.gap.reason === 'missing';
  };
  const root = settings.text('RootDirectory');
  if (root !== undefined && isMissing(root)) failures.push(`its RootDirectory ${root} does not exist (226/NAMESPACE)`);
  const image = settings.text('RootImage');
  if (image !== undefined && isMissing(image)) failures.push(`its RootImage ${image} does not exist (226/NAMESPACE)`);
  const below = root === undefined ? '' : root.replace(/\/+$/, '');
  for (const key of [
    'BindPaths',
    'BindReadOnlyPaths',
    'ReadWritePaths',
    'ReadOnlyPaths',
    'InaccessiblePaths',
    'ExecPaths',
    'NoExecPaths',
  ]) {
    for (const one of settings.list(key)) {
      for (const word of splitWords(settings.expand(one.value, one) ?? '').words) {
        const path = word.replace(/^[+]*/, '').split(':')[0]!;
        if (path.startsWith('-') || !path.startsWith('/')) continue;
        const isBind = key.startsWith('Bind');
        if (isMissing(isBind ? path : `${below}${path}`))
          failures.push(`${path} of its ${key} does not exist (226/NAMESPACE)`);
      }
    }
  }
  for (const one of settings.list('LoadCredential')) {
    const [, path] = (settings.expand(one.value, one) ?? '').split(':');
    if (path?.startsWith('/') && isMissing(path))
      failures.push(`${path} of its LoadCredential does not exist (243/CREDENTIALS)`);
  }
}
