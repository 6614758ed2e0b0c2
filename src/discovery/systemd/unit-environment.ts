/** The environment of a service (systemd.exec(5) "ENVIRONMENT"). */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import { type Environment, unknown } from '../launch/launch-context.js';
import type { Account } from '../launch/users.js';
import { parseEnvironmentFile } from './unit-files/environment-file.js';
import { readText, type UnitSettings } from './unit-files/unit-settings.js';
import { assignmentOf, splitWords } from './unit-files/unit-words.js';

export interface ServiceEnvironment {
  env: Environment;
  /** Other variables may be set too, to unknown values. */
  incomplete: boolean;
  /** Environment files that were read. */
  read: string[];
  /** Missing files without which systemd does not start it. */
  missing: string[];
}

/** Later sources win: manager, user, directories, `PassEnvironment=`, `Environment=`, files; `UnsetEnvironment=` comes last. */
export function readEnvironment(
  files: FileView,
  settings: UnitSettings,
  managerEnv: Environment,
  login: Account | undefined,
  unit: string,
): ServiceEnvironment {
  const env: Environment = { ...managerEnv };
  if (login !== undefined) {
    Object.assign(env, { LOGNAME: login.name, USER: login.name });
    if (login.home !== '/') env['HOME'] = login.home;
    if (!/\/nologin$/.test(login.shell)) env['SHELL'] = login.shell;
  }
  Object.assign(env, directories(settings));
  if (
    ['LoadCredential', 'SetCredential', 'LoadCredentialEncrypted', 'SetCredentialEncrypted'].some(
      (key) => settings.list(key).length > 0,
    )
  ) {
    env['CREDENTIALS_DIRECTORY'] = `/run/credentials/${unit}`;
  }
  for (const assignment of settings.list('PassEnvironment')) {
    for (const name of splitWords(assignment.value).words) env[name] = unknown;
  }
  plainAssignments(settings, env);
  const fromFiles = environmentFiles(files, settings, env);
  for (const unset of settings.list('UnsetEnvironment')) {
    for (const word of splitWords(settings.expand(unset.value, unset) ?? '').words) {
      const [name, value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(word)!.slice(1) as [string, string | undefined];
      if (value === undefined || env[name] === value) delete env[name];
    }
  }
  return { env, ...fromFiles };
}

function plainAssignments(settings: UnitSettings, env: Environment): void {
  for (const assignment of settings.list('Environment')) {
    const subject = settings.at(assignment);
    const { words, broken } = splitWords(assignment.value);
    if (broken) settings.gaps.push({ reason: 'malformed', subject, detail: 'unbalanced quote' });
    for (const word of words) {
      const text = settings.expand(word, assignment);
      const pair = text === undefined ? undefined : assignmentOf(text);
      if (pair) env[pair[0]] = pair[1];
      else settings.gaps.push({ reason: 'malformed', subject, detail: 'a word that is no NAME=value' });
    }
  }
}

function environmentFiles(files: FileView, settings: UnitSettings, env: Environment): Omit<ServiceEnvironment, 'env'> {
  let open = false;
  const read: string[] = [];
  const missing: string[] = [];
  for (const assignment of settings.list('EnvironmentFile')) {
    const optional = assignment.value.startsWith('-');
    const pattern = settings.expand(optional ? assignment.value.slice(1) : assignment.value, assignment);
    // systemd ignores a relative path.
    if (pattern === undefined || !pattern.startsWith('/')) continue;
    const paths = matching(files, pattern);
    if (paths.length === 0 && !optional) missing.push(pattern);
    for (const path of paths) {
      const content = readText(files, path);
      if ('gap' in content) {
        const isMissing = content.gap.reason === 'missing';
        const isVolatile = /^\/(?:run|tmp)\//.test(path);
        if (isMissing && optional && !isVolatile) continue;
        settings.gaps.push(content.gap);
        if (!isMissing || isVolatile) open = true;
        else missing.push(path);
        continue;
      }
      read.push(path);
      const parsed = parseEnvironmentFile(content.text);
      Object.assign(env, parsed.env);
      for (const line of parsed.badLines) {
        settings.gaps.push({ reason: 'malformed', subject: `${path}:${line}`, detail: 'a line that is no NAME=value' });
      }
    }
  }
  return { incomplete: open, read, missing };
}

/** The files of an `EnvironmentFile=`; only the last part of its path may be a pattern. */
function matching(files: FileView, pattern: string): string[] {
  const slash = pattern.lastIndexOf('/');
  const last = pattern.slice(slash + 1);
  if (!/[*?[]/.test(last)) return [pattern];
  const source = last
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  let match: RegExp;
  try {
    match = new RegExp(`^${source}$`, 's');
  } catch {
    return [pattern]; // glob(7) takes an unclosed bracket literally.
  }
  const names = files.list(pattern.slice(0, slash) || '/', limits.configEntries);
  return names.ok
    ? names.value.filter((name) => match.test(name)).map((name) => `${pattern.slice(0, slash)}/${name}`)
    : [];
}

/** `StateDirectory=filebeat/core` → `STATE_DIRECTORY=/var/lib/filebeat/core`, and its four siblings. */
export function directories(settings: UnitSettings): Environment {
  const env: Environment = {};
  const kinds = { State: '/var/lib', Cache: '/var/cache', Logs: '/var/log', Configuration: '/etc', Runtime: '/run' };
  for (const [kind, base] of Object.entries(kinds)) {
    const words = settings
      .list(`${kind}Directory`)
      .flatMap((one) => splitWords(settings.expand(one.value, one) ?? '').words);
    const paths = words.filter((word) => !word.startsWith('/')).map((word) => `${base}/${word.split(':')[0]!}`);
    if (paths.length > 0) env[`${kind.toUpperCase()}_DIRECTORY`] = paths.join(':');
  }
  return env;
}
