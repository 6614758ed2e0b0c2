/**
 * SysV init scripts that start a Filebeat (packages up to 8.10 had one around `filebeat-god`): the script /etc/init.d/NAME,
 * and links such as /etc/rc3.d/S50NAME for runlevels in which it should run. Nothing is executed.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import type { Gap } from '../../model/model.js';
import { containDefect } from '../../runtime/defect.js';
import { defectGap } from '../defect-gap.js';
import { follow } from '../launch/follow.js';
import { newLaunchContext } from '../launch/new-launch-context.js';
import { systemPath } from '../launch/programs.js';
import { rootUser } from '../launch/users.js';
import { readText } from './unit-files/unit-settings.js';
import type { FilebeatUnit } from './unit-read.js';
import type { UnitOptions } from './units.js';

const scriptDirectories = ['/etc/init.d', '/etc/rc.d/init.d'];
const linkDirectories = ['/etc', '/etc/rc.d'];
const scriptLimit = limits.initScriptBytes;

/**
 * All init scripts that start a Filebeat, by name. `native`: the services of systemd, which ignores a script of the same
 * name (systemd-sysv-generator(8)).
 */
export function findInitScripts(
  files: FileView,
  options: UnitOptions,
  native: readonly string[] = [],
): { units: FilebeatUnit[]; gaps: Gap[] } {
  const gaps: Gap[] = [];
  const units: FilebeatUnit[] = [];
  const links = startLinks(files, gaps);
  const seen = new Set<string>();
  for (const directory of scriptDirectories) {
    const real = files.resolve(directory);
    if (!real.ok || seen.has(real.value)) continue;
    seen.add(real.value);
    for (const name of list(files, directory, gaps)) {
      if (native.includes(`${name}.service`) || seen.has(`script ${name}`)) continue;
      seen.add(`script ${name}`);
      const path = `${directory}/${name}`;
      const script = { path, name, wantedBy: links.get(name) ?? [] };
      units.push(
        ...containDefect(
          () => readScript(files, script, options, gaps),
          (position): FilebeatUnit[] => {
            gaps.push(defectGap(path, position));
            return [];
          },
        ),
      );
    }
  }
  return { units: units.sort((a, b) => (a.name < b.name ? -1 : 1)), gaps };
}

/** `wantedBy`: the default runlevels that start it. Adds a gap where it is unclear how the script starts a Filebeat. */
function readScript(
  files: FileView,
  { path, name, wantedBy }: { path: string; name: string; wantedBy: string[] },
  options: UnitOptions,
  gaps: Gap[],
): FilebeatUnit[] {
  const stat = files.stat(path);
  if (!stat.ok || stat.value.kind !== 'file' || stat.value.size > scriptLimit) return [];
  const script = readText(files, path);
  // Most init scripts do not name a Filebeat and need not be parsed.
  if ('gap' in script || ![...options.processNames, 'filebeat'].some((one) => script.text.includes(one))) return [];
  const world = newLaunchContext(files, options.processNames);
  follow(
    {
      argv: [path, 'start'],
      program: path,
      cwd: '/',
      env: { PATH: systemPath },
      envIncomplete: false,
      user: { ...rootUser },
      root: '/',
      network: 'host',
      uncertain: [],
      depth: 0,
      byShell: true,
    },
    world,
  );
  const shouldRun = wantedBy.length > 0;
  const clear = world.starts.filter(({ uncertain }) => uncertain.length === 0);
  if (shouldRun || clear.length === 0) {
    const whys = [...world.unclear.map(({ why }) => why), ...world.starts.flatMap(({ uncertain }) => uncertain)];
    const detail = `how ${name}.service starts a Filebeat is not clear: ${[...new Set(whys)].join('; ')}`;
    if (whys.length > 0) gaps.push({ reason: 'unclear', subject: path, detail });
  }
  const written = [...world.written].map((file) => ({ path: file, why: `${name} writes it when it starts` }));
  return clear.map(
    (start, index): FilebeatUnit => ({
      ...start,
      index,
      name,
      manager: 'sysv',
      aliases: [],
      ownNetwork: start.network === 'own',
      shouldRun,
      why: shouldRun ? 'enabled' : 'disabled',
      wantedBy,
      fragment: path,
      dropIns: [],
      hidden: written,
      failures: world.failures,
      gaps: [],
    }),
  );
}

/** Script name → the default runlevels that start it (`rc3`), from `rc?.d/S50NAME`. */
function startLinks(files: FileView, gaps: Gap[]): Map<string, string[]> {
  const links = new Map<string, Set<string>>();
  for (const level of defaultRunlevels(files)) {
    for (const directory of linkDirectories) {
      for (const link of list(files, `${directory}/rc${level}.d`, gaps)) {
        const name = /^S\d\d(.+)$/.exec(link)?.[1];
        if (name === undefined) continue;
        // The link may have another name than its script.
        const target = files.resolve(`${directory}/rc${level}.d/${link}`);
        const script = target.ok ? target.value.slice(target.value.lastIndexOf('/') + 1) : name;
        if (!links.has(script)) links.set(script, new Set());
        links.get(script)!.add(`rc${level}`);
      }
    }
  }
  return new Map([...links].map(([name, levels]) => [name, [...levels].sort()]));
}

/** `id:3:initdefault:` of /etc/inittab, or the multi-user levels. */
function defaultRunlevels(files: FileView): string[] {
  const inittab = readText(files, '/etc/inittab');
  const level = 'gap' in inittab ? undefined : /^[^#\n:]*:([2-5]):initdefault:/m.exec(inittab.text)?.[1];
  return level === undefined ? ['2', '3', '4', '5'] : [level];
}

function list(files: FileView, path: string, gaps: Gap[]): string[] {
  const names = files.list(path, 10_000);
  if (names.ok) return names.value;
  if (names.gap.reason !== 'missing') gaps.push(names.gap);
  return [];
}
