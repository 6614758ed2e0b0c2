/**
 * systemd without systemd: unit files below a root → the services that run a Filebeat, how each starts it, and whether
 * it ought to run. "Ought to" means linked from the `.wants`, `.requires` or `.upholds` of something that is started at
 * boot; an `[Install]` section alone enables nothing.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Gap } from '../../model/model.js';
import { findFilebeat, type LaunchContext } from '../launch/launchers.js';
import { lastSetting, listSetting, parseUnitFile } from './unit-file.js';
import { findDropIns, findFragment, indexUnits, serviceNames, type UnitIndex } from './unit-search.js';
import { readAssignments, readService, readText, type Service } from './unit-service.js';
import { legibleUnit, parseServiceName, type SpecifierFacts, templateName, type UnitName } from './unit-specifiers.js';
import { standsAtBoot, wantedNames } from './unit-wants.js';
import { assignmentOf, type Environment, parseEnvironmentFile, splitWords } from './unit-words.js';

export interface FilebeatUnit extends Omit<Service, 'commands'> {
  /** `filebeat@core.service`; of an init script its name, `filebeat`. */
  name: string;
  manager: 'systemd' | 'sysv';
  /** `core`, unescaped. */
  instance?: string;
  /** Other names that lead to it (`Alias=` links), sorted. */
  aliases: string[];
  /** The Filebeat itself: wrappers, launchers and shells before it are taken off. */
  argv: string[];
  shouldRun: boolean;
  why: 'enabled' | 'disabled' | 'static' | 'masked';
  /** Units whose `.wants` and the like link it, or that name it in `Wants=`; sorted. */
  wantedBy: string[];
  fragment: string;
  dropIns: string[];
}

export interface UnitOptions {
  processNames: readonly string[];
  /** Names of units that processes are seen in: instances of templates among them are told though nothing links them. */
  running?: readonly string[];
}

const maxAliases = 8;

/**
 * All Filebeat services of a root, by name. Never throws; what can't be read is a gap of the unit it costs, or of the whole.
 * Sources: systemd.unit(5), systemd.service(5), systemd.exec(5), checked against systemd 252.
 */
export function findUnits(root: FileView, options: UnitOptions): { units: FilebeatUnit[]; gaps: Gap[] } {
  const files = onceEach(root);
  const index = indexUnits(files);
  const wants = wantedNames(files, index);
  const aliases = aliasNames(files, index);
  const context: Search = {
    files,
    index,
    wants,
    aliases,
    launch: { files, processNames: options.processNames },
    facts: hostFacts(files),
    managerEnv: managerEnvironment(files),
    unclear: [],
  };
  const names = new Set<string>();
  for (const name of [...serviceNames(index), ...wants.keys(), ...(options.running ?? [])]) {
    const parsed = parseServiceName(name);
    if (!parsed || aliases.has(name)) continue;
    if (parsed.instance === '') {
      const instance = defaultInstance(files, index, name);
      if (instance !== undefined) names.add(`${parsed.prefix}@${instance}.service`);
    } else {
      names.add(name);
    }
  }
  const units = [...names].sort().flatMap((name) => readUnit(name, context) ?? []);
  return { units, gaps: [...index.gaps, ...context.unclear] };
}

/** Asks the same thing only once in a search: a hundred units share their directories, users and programs. */
function onceEach(files: FileView): FileView {
  const once = <T>(ask: (path: string) => T) => {
    const answers = new Map<string, T>();
    return (path: string): T => {
      if (!answers.has(path)) answers.set(path, ask(path));
      return answers.get(path)!;
    };
  };
  const contents = new Map<number, FileView['read']>();
  const listings = new Map<number, FileView['list']>();
  return {
    stat: once((path) => files.stat(path)),
    resolve: once((path) => files.resolve(path)),
    read(path, limit) {
      if (!contents.has(limit))
        contents.set(
          limit,
          once((one) => files.read(one, limit)),
        );
      return contents.get(limit)!(path, limit);
    },
    list(path, limit) {
      if (!listings.has(limit))
        listings.set(
          limit,
          once((one) => files.list(one, limit)),
        );
      return listings.get(limit)!(path, limit);
    },
  };
}

interface Search {
  files: FileView;
  index: UnitIndex;
  wants: ReadonlyMap<string, string[]>;
  /** Alias → the name it leads to. */
  aliases: ReadonlyMap<string, string>;
  launch: LaunchContext;
  facts: SpecifierFacts;
  managerEnv: Environment;
  /** Units that start a Filebeat, nobody can tell how. */
  unclear: Gap[];
}

function readUnit(full: string, search: Search): FilebeatUnit | undefined {
  const { files, index } = search;
  const name = parseServiceName(full)!;
  const found = locate(full, search);
  if (found === undefined) return undefined;
  const aliases = [...search.aliases].filter(([, of]) => of === full).map(([alias]) => alias);
  const dropIns = findDropIns(files, index, [name, ...aliases.flatMap((alias) => parseServiceName(alias) ?? [])]);
  const read = readAssignments(files, [found.fragment, ...dropIns.paths]);
  if (read.assignments.length === 0 && read.gaps.length === 0) return undefined;
  const own = { ...search.facts, name, fragment: found.fragment };
  const service = readService(files, read.assignments, own, search.managerEnv);
  // What systemd-sysv-generator makes of an init script is `sysv.ts`'s to read.
  if (lastSetting(read.assignments, 'Unit', 'SourcePath')?.value.includes('/init.d/')) return undefined;

  const gaps: Gap[] = [...dropIns.gaps, ...read.gaps, ...service.gaps];
  for (const { program, argv } of service.commands) {
    const start = { argv, cwd: service.cwd, env: service.env };
    const command = findFilebeat(program, start, search.launch);
    if (command === undefined) continue;
    if (command === 'unclear') {
      const detail = `how ${full} starts Filebeat is decided by a script as it runs`;
      search.unclear.push({ reason: 'malformed', subject: program, detail });
      continue;
    }
    const linked = wantedBy(name, aliases, search);
    const installable = read.assignments.some((a) => a.section === 'Install');
    const why = found.masked
      ? 'masked'
      : linked.some((owner) => standsAtBoot(owner, files, search.wants))
        ? 'enabled'
        : installable
          ? 'disabled'
          : 'static';
    return {
      name: full,
      manager: 'systemd',
      ...(name.instance === undefined ? {} : { instance: legibleUnit(name.instance) }),
      aliases: aliases.sort(),
      ...command,
      envComplete: service.envComplete,
      ...(service.user === undefined ? {} : { user: service.user }),
      ...(service.rootDirectory === undefined ? {} : { rootDirectory: service.rootDirectory }),
      ownNetwork: service.ownNetwork || argv[0]?.endsWith('/ip') === true,
      shouldRun: why === 'enabled',
      why,
      wantedBy: linked,
      fragment: found.fragment,
      dropIns: dropIns.paths,
      conditions: service.conditions,
      gaps,
    };
  }
  return undefined;
}

/** The file of a unit, by its own name or its template's; of a masked one the file that the mask hides. */
function locate(full: string, search: Search): { fragment: string; masked: boolean } | undefined {
  const name = parseServiceName(full)!;
  const template = templateName(name);
  let wanted = full;
  for (let hop = 0; hop < maxAliases; hop += 1) {
    const found = findFragment(search.files, search.index, wanted);
    if (found.kind === 'file') return { fragment: found.path, masked: false };
    if (found.kind === 'alias') {
      wanted = found.of;
    } else if (found.kind === 'masked') {
      const weaker = found.hidden ?? (template && wanted !== template ? locate(template, search)?.fragment : undefined);
      return weaker === undefined ? undefined : { fragment: weaker, masked: true };
    } else if (template !== undefined && wanted !== template) {
      wanted = template;
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** Alias links between plain units; an instance or template behind one is found by `locate`. */
function aliasNames(files: FileView, index: UnitIndex): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const name of serviceNames(index)) {
    const found = findFragment(files, index, name);
    if (found.kind === 'alias' && parseServiceName(found.of)?.instance !== '') aliases.set(name, found.of);
  }
  return aliases;
}

function defaultInstance(files: FileView, index: UnitIndex, template: string): string | undefined {
  const found = findFragment(files, index, template);
  if (found.kind !== 'file') return undefined;
  const { assignments } = readAssignments(files, [found.path]);
  return lastSetting(assignments, 'Install', 'DefaultInstance')?.value;
}

function wantedBy(name: UnitName, aliases: readonly string[], search: Search): string[] {
  const names = [name.full, ...aliases];
  const template = templateName(name);
  // systemctl writes the instance into the link; a bare template linked by hand can only mean the default one.
  if (template && defaultInstance(search.files, search.index, template) === name.instance) names.push(template);
  return [...new Set(names.flatMap((one) => search.wants.get(one) ?? []))].sort();
}

function hostFacts(files: FileView): SpecifierFacts {
  const text = (path: string) => {
    const read = readText(files, path);
    return 'gap' in read ? undefined : read.text;
  };
  const hostname = text('/etc/hostname')?.split('\n')[0]?.trim();
  const machineId = text('/etc/machine-id')?.trim();
  const release = text('/etc/os-release') ?? text('/usr/lib/os-release');
  return {
    ...(hostname ? { hostname } : {}),
    ...(machineId ? { machineId } : {}),
    ...(release === undefined ? {} : { osRelease: parseEnvironmentFile(release).env }),
  };
}

/** What every service gets: the built-in PATH, the locale, `DefaultEnvironment=` of the manager. */
function managerEnvironment(files: FileView): Environment {
  const env: Environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin' };
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
