/**
 * systemd without systemd: unit files below a root → the Filebeats that services start, how each starts them, and whether
 * they ought to run. "Ought to" means that a boot reaches the unit and its conditions hold; an `[Install]` section alone
 * enables nothing.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { FilebeatStart, Gap } from '../../model/model.js';
import { attempt } from '../../runtime/defect.js';
import type { ServiceUser } from '../instances/readable.js';
import type { Environment } from '../launch/launch-world.js';
import { otherStarters } from '../launch/other-starters.js';
import { type Boot, followBoot, type UnitReader } from './unit-boot.js';
import { judgeConditions } from './unit-conditions.js';
import { lastSetting } from './unit-file.js';
import { hostFacts, managerEnvironment } from './unit-host.js';
import { findDropIns, findFragment, indexUnits, serviceNames, type UnitIndex } from './unit-search.js';
import { readService } from './unit-service.js';
import { readAssignments, type SourcedAssignment, settingsOf } from './unit-settings.js';
import { legibleUnit, parseServiceName, type SpecifierFacts, templateName } from './unit-specifiers.js';
import { startsOf } from './unit-starts.js';
import type { HiddenPlace } from './unit-view.js';
import { type Writer, writersOf } from './unit-writers.js';

export interface FilebeatUnit extends Omit<FilebeatStart, 'unit'> {
  /** `filebeat@core.service`; of an init script its name, `filebeat`. */
  name: string;
  manager: 'systemd' | 'sysv';
  /** `core`, unescaped. */
  instance?: string;
  /** Other names that lead to it (`Alias=` links), sorted. */
  aliases: string[];
  shouldRun: boolean;
  /** `unclear`: whether it starts at all cannot be told; a gap says why. */
  why: 'enabled' | 'disabled' | 'static' | 'masked' | 'condition' | 'unclear';
  /** Of `condition`: the setting that does not hold, `ConditionHost=`. */
  condition?: string;
  /** Units that pull it in, sorted. */
  wantedBy: string[];
  fragment: string;
  dropIns: string[];
  /** `RootDirectory=` */
  rootDirectory?: string;
  ownNetwork: boolean;
  /** Where it sees other files than the host has. */
  hidden: HiddenPlace[];
  /** Whom modes and owners of its files have to let in; absent: cannot be told. */
  runsAs?: ServiceUser;
  /** Why it could not start as its files are: clauses. */
  failures: string[];
  gaps: Gap[];
}

export interface UnitOptions {
  processNames: readonly string[];
  /** Names of units that processes are seen in: instances of templates among them are told though nothing links them. */
  running?: readonly string[];
}

const maxAliases = 8;

/**
 * All Filebeats of a root's services, by name and index. Never throws; what can't be read is a gap of the unit it costs, or of
 * the whole. Sources: systemd.unit(5), systemd.service(5), systemd.exec(5), checked against systemd 252.
 */
export function findUnits(root: FileView, options: UnitOptions): { units: FilebeatUnit[]; gaps: Gap[]; boot: Boot } {
  const files = onceEach(root);
  const index = indexUnits(files);
  const aliases = aliasNames(files, index);
  const known = new Map<string, ReturnType<UnitReader>>();
  const read: UnitReader = (name) => {
    if (!known.has(name)) known.set(name, readAny(name, { files, index, aliases }));
    return known.get(name);
  };
  const boot = followBoot(files, index, read);
  const search: Search = {
    files,
    index,
    aliases,
    boot,
    processNames: options.processNames,
    facts: hostFacts(files),
    managerEnv: managerEnvironment(files),
    writers: writersOf(
      [...boot.started.keys()].flatMap((name) => read(name) ?? []),
      files,
    ),
    asked: new Map(),
    gaps: [],
  };
  const names = new Set<string>();
  for (const name of [
    ...serviceNames(index),
    ...boot.started.keys(),
    ...boot.triggered.keys(),
    ...(options.running ?? []),
  ]) {
    const parsed = parseServiceName(name);
    if (!parsed || aliases.has(name)) continue;
    if (parsed.instance === '') {
      const instance = defaultInstance(files, index, name);
      if (instance !== undefined) names.add(`${parsed.prefix}@${instance}.service`);
    } else {
      names.add(name);
    }
  }
  const units = [...names].sort().flatMap((name) =>
    attempt(
      () => readUnit(name, search),
      (place): FilebeatUnit[] => {
        search.gaps.push({ reason: 'malformed', subject: name, detail: `the exporter failed over it (${place})` });
        return [];
      },
    ),
  );
  for (const { name, why, index: at } of units) {
    const by = search.asked.get(name);
    if (by === undefined || at > 0 || (why !== 'static' && why !== 'disabled')) continue;
    search.gaps.push({ reason: 'unclear', subject: name, detail: `${by} may start it: its commands ask systemd to` });
  }
  return { units, gaps: [...index.gaps, ...search.gaps, ...otherStarters(files, options.processNames)], boot };
}

/** Asks the same thing only once in a search: a hundred units share their directories, users and programs. */
export function onceEach(files: FileView): FileView {
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
    head: (path, count) => files.head(path, count),
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
  /** Alias → the name it leads to. */
  aliases: ReadonlyMap<string, string>;
  boot: Boot;
  processNames: readonly string[];
  facts: SpecifierFacts;
  managerEnv: Environment;
  /** Units that write files while the host boots. */
  writers: Writer[];
  /** Unit → the one whose commands ask systemd to start it. */
  asked: Map<string, string>;
  /** Units that start a Filebeat, nobody can tell how or whether. */
  gaps: Gap[];
}

function readUnit(full: string, search: Search): FilebeatUnit[] {
  const { files, index, boot } = search;
  const name = parseServiceName(full)!;
  const found = locate(full, search);
  if (found === undefined) return [];
  const aliases = [...search.aliases].filter(([, of]) => of === full).map(([alias]) => alias);
  const dropIns = findDropIns(files, index, [name, ...aliases.flatMap((alias) => parseServiceName(alias) ?? [])]);
  const read = readAssignments(files, [found.fragment, ...dropIns.paths]);
  if (read.assignments.length === 0 && read.gaps.length === 0) return [];
  // What systemd-sysv-generator makes of an init script is `sysv.ts`'s to read.
  if (lastSetting(read.assignments, 'Unit', 'SourcePath')?.value.includes('/init.d/')) return [];
  const facts = { ...search.facts, name, fragment: found.fragment };
  const settings = settingsOf(read.assignments, [...dropIns.gaps, ...read.gaps], facts);
  const service = readService(files, settings, { unit: full, managerEnv: search.managerEnv });
  const ends = startsOf(full, service, files, search);
  if (boot.started.has(full)) for (const one of ends.asked) search.asked.set(one, full);
  if (ends.starts.length === 0 && ends.unclear.length === 0) return [];

  const linked = wantedBy([full, ...aliases], search);
  const installable = read.assignments.some((a) => a.section === 'Install');
  const enabled = !found.masked && boot.started.has(full);
  const unclear = (detail: string, subject = full) =>
    search.gaps.push({ reason: 'unclear', subject, detail: subject === full ? detail : `${full}: ${detail}` });
  const triggers = enabled || found.masked ? [] : (boot.triggered.get(full) ?? []);
  for (const { how } of triggers.slice(0, 1)) unclear(how);
  let why: FilebeatUnit['why'] = found.masked ? 'masked' : enabled ? 'enabled' : installable ? 'disabled' : 'static';
  const failures = [...service.failures, ...ends.failures];
  let unmet: string | undefined;
  if (enabled) {
    const condition = judgeConditions('Condition', settings, files, facts);
    const assertion = judgeConditions('Assert', settings, files, facts);
    const undecided = [condition, assertion].find(({ holds }) => holds === undefined)?.key;
    if (condition.holds === false) {
      why = 'condition';
      unmet = condition.key;
    } else if (undecided !== undefined)
      unclear(`whether it starts is decided as it runs: ${undecided} cannot be told from files`);
    else if (service.hasConditionCommand)
      unclear('whether it starts is decided as it runs: its ExecCondition= is a command');
    if (why === 'enabled' && (undecided !== undefined || service.hasConditionCommand)) why = 'unclear';
    if (assertion.holds === false) failures.push(`its ${assertion.key} does not hold, an assert that fails the start`);
  }
  if (enabled && why !== 'condition') {
    for (const one of ends.unclear) unclear(one.why, one.subject);
    for (const { uncertain } of ends.starts)
      if (uncertain.length > 0) unclear(`how it starts a Filebeat is not clear: ${uncertain.join('; ')}`);
  }
  return ends.starts
    .filter(({ uncertain }) => uncertain.length === 0)
    .map(
      (start, at): FilebeatUnit => ({
        name: full,
        manager: 'systemd',
        ...(name.instance === undefined ? {} : { instance: legibleUnit(name.instance) }),
        aliases: aliases.sort(),
        ...start,
        index: at,
        ...(service.rootDirectory === undefined ? {} : { rootDirectory: service.rootDirectory }),
        ownNetwork: start.network === 'own',
        shouldRun: why === 'enabled',
        why,
        ...(unmet === undefined ? {} : { condition: unmet }),
        wantedBy: linked,
        fragment: found.fragment,
        dropIns: dropIns.paths,
        hidden: [...service.hidden, ...ends.written],
        // A launcher on the way may change whom it runs as.
        ...(service.runsAs?.uid === start.user.uid && service.runsAs ? { runsAs: service.runsAs } : {}),
        failures,
        gaps: settings.gaps,
      }),
    );
}

/** Units that pull it in, and those that link it though nothing starts them. */
function wantedBy(names: readonly string[], { boot, index }: Search): string[] {
  const owners = names.flatMap((name) => boot.started.get(name) ?? []).filter((owner) => owner !== 'boot');
  for (const [owner, links] of index.links) if (names.some((name) => links.has(name))) owners.push(owner);
  return [...new Set(owners)].sort();
}

type Places = Pick<Search, 'files' | 'index' | 'aliases'>;

/** Any kind of unit, by one of its names: what a boot follows. */
function readAny(wanted: string, search: Places): { name: string; assignments: SourcedAssignment[] } | undefined {
  const { files, index } = search;
  const name = search.aliases.get(wanted) ?? wanted;
  const service = parseServiceName(name);
  if (service?.instance === '') {
    const instance = defaultInstance(files, index, name);
    return instance === undefined ? undefined : readAny(`${service.prefix}@${instance}.service`, search);
  }
  const found = service === undefined ? locateOther(name, search) : locate(name, search);
  if (found === undefined || found.masked) return undefined;
  const dropIns =
    service === undefined ? otherDropIns(found.name ?? name, search) : findDropIns(files, index, [service]).paths;
  const { assignments } = readAssignments(files, [found.fragment, ...dropIns]);
  return { name: service === undefined ? (found.name ?? name) : name, assignments };
}

interface Located {
  fragment: string;
  masked: boolean;
  /** Of a target and its like that is reached by an alias. */
  name?: string;
}

/** Targets, timers, slices …: a file of that name, or of their template. */
function locateOther(name: string, { files, index }: Places): Located | undefined {
  const template = name.replace(/@[^.]*(?=\.\w+$)/, '@');
  for (const one of [name, template]) {
    for (const { path, names } of index.directories) {
      if (!names.has(one)) continue;
      const real = files.resolve(`${path}/${one}`);
      const stat = files.stat(`${path}/${one}`);
      if (!real.ok || !stat.ok) continue;
      const target = real.value.slice(real.value.lastIndexOf('/') + 1);
      const isAlias = target !== one && /\.\w+$/.test(target);
      const isMasked = stat.value.kind !== 'file' || (stat.value.size === 0 && !/\.target$/.test(one));
      return { fragment: `${path}/${one}`, masked: isMasked, ...(isAlias ? { name: target } : {}) };
    }
  }
  return undefined;
}

function otherDropIns(name: string, { files, index }: Places): string[] {
  return index.directories
    .filter(({ names }) => names.has(`${name}.d`))
    .flatMap(({ path }) => {
      const list = files.list(`${path}/${name}.d`, 1000);
      const found = list.ok ? list.value.filter((file) => file.endsWith('.conf')) : [];
      return found.map((file) => `${path}/${name}.d/${file}`);
    });
}

/** The file of a unit, by its own name or its template's; of a masked one the file that the mask hides. */
function locate(full: string, search: Places): Located | undefined {
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
