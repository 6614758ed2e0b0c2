/** Facts of the host for specifiers, the environment that every service gets, and which units are started. */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Environment } from '../launch/launch-context.js';
import { systemPath } from '../launch/programs.js';
import { lookUpUser } from '../launch/users.js';
import { parseEnvironmentFile } from './unit-files/environment-file.js';
import { listSetting, parseUnitFile } from './unit-files/unit-file.js';
import { readText } from './unit-files/unit-settings.js';
import type { SpecifierFacts } from './unit-files/unit-specifiers.js';
import { assignmentOf, splitWords } from './unit-files/unit-words.js';

export function hostFacts(files: FileView): SpecifierFacts {
  const text = (path: string) => {
    const read = readText(files, path);
    return 'gap' in read ? undefined : read.text;
  };
  const hostname = text('/etc/hostname')?.split('\n')[0]?.trim();
  const machineId = text('/etc/machine-id')?.trim();
  const release = text('/etc/os-release') ?? text('/usr/lib/os-release');
  const root = lookUpUser(files, 'root');
  return {
    ...(hostname ? { hostname } : {}),
    ...(machineId ? { machineId } : {}),
    ...(release === undefined ? {} : { osRelease: parseEnvironmentFile(release).env }),
    ...(typeof root === 'string' ? {} : { rootShell: root.shell }),
  };
}

/** The environment of every service: the built-in PATH, the locale, `DefaultEnvironment=` of the manager. */
export function managerEnvironment(files: FileView): Environment {
  const env: Environment = { PATH: systemPath };
  const locale = readText(files, '/etc/locale.conf');
  if (!('gap' in locale)) Object.assign(env, parseEnvironmentFile(locale.text).env);
  const settings = readText(files, '/etc/systemd/system.conf');
  if ('gap' in settings) return env;
  for (const assignment of listSetting(parseUnitFile(settings.text).assignments, 'Manager', 'DefaultEnvironment')) {
    for (const word of splitWords(assignment.value).words) {
      const pair = assignmentOf(word);
      if (pair) env[pair[0]] = pair[1];
    }
  }
  return env;
}

const mostUnits = 100_000;

/**
 * The units that systemd counts as started; undefined where unknown. It keeps a link
 * `/run/systemd/units/invocation:UNIT` as long as the unit is starting, running or stopping, and removes it when the unit
 * has stopped or failed, also while it waits for the next attempt of `Restart=` (systemd 240 and later; seen with 252).
 */
export function startedUnits(files: FileView): ReadonlySet<string> | undefined {
  const names = files.list('/run/systemd/units', mostUnits);
  const links = names.ok ? names.value.filter((name) => name.startsWith('invocation:')) : [];
  // On a running host something is started: without any link this is not the directory of a running systemd.
  return links.length === 0 ? undefined : new Set(links.map((name) => name.slice('invocation:'.length)));
}
