/** One service → the Filebeats that it starts, and whether it should run. */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { FilebeatStart, Gap } from '../../model/model.js';
import type { ServiceUser } from '../instances/readable.js';
import { harmlessPrograms } from '../launch/known-programs.js';
import { baseName, type Environment, type LaunchContext } from '../launch/launch-context.js';
import type { Boot } from './unit-boot.js';
import { judgeConditions } from './unit-conditions.js';
import { lastSetting } from './unit-files/unit-file.js';
import { locate, type UnitFiles } from './unit-files/unit-locate.js';
import { findDropIns } from './unit-files/unit-search.js';
import { readAssignments, settingsOf, type UnitSettings } from './unit-files/unit-settings.js';
import { legibleUnit, parseServiceName, type SpecifierFacts } from './unit-files/unit-specifiers.js';
import { readService, type Service } from './unit-service.js';
import { startsOf } from './unit-starts.js';
import type { HiddenPath } from './unit-view.js';
import type { Writer } from './unit-writers.js';

/** A Filebeat that a service or an init script starts. */
export interface FilebeatUnit extends Omit<FilebeatStart, 'unit'> {
  /** `filebeat@core.service`; for an init script its name, `filebeat`. */
  name: string;
  manager: 'systemd' | 'sysv';
  /** `core`, unescaped. */
  instance?: string;
  /** Its other names (`Alias=` links), sorted. */
  aliases: string[];
  shouldRun: boolean;
  /** `unclear`: files do not tell whether it starts; a gap says why. */
  why: 'enabled' | 'disabled' | 'static' | 'masked' | 'condition' | 'unclear';
  /** With `condition`: the setting that does not hold, `ConditionHost=`. */
  condition?: string;
  /** Units that pull it in, sorted. */
  wantedBy: string[];
  fragment: string;
  dropIns: string[];
  /** `RootDirectory=` */
  rootDirectory?: string;
  ownNetwork: boolean;
  /** Paths at which it sees other files than the host. */
  hidden: HiddenPath[];
  /** The user who must be allowed to read its files; absent: unknown. */
  runsAs?: ServiceUser;
  /** Why it could not start with its present files: clauses for people. */
  failures: string[];
  gaps: Gap[];
}

/** What reading one unit needs of the whole search, and what it adds to it. */
export interface Search extends UnitFiles {
  boot: Boot;
  processNames: readonly string[];
  /** See `LaunchContext`. */
  parsed: LaunchContext['parsed'];
  facts: SpecifierFacts;
  managerEnv: Environment;
  /** Units that write files during the boot. */
  writers: Writer[];
  /** Unit → the unit whose commands ask systemd to start it. */
  requested: Map<string, string>;
  /** Units that start a Filebeat in an unclear way. */
  gaps: Gap[];
}

/** Returns nothing where the unit does not exist or starts no Filebeat. */
export function readUnit(full: string, search: Search): FilebeatUnit[] {
  const { files, index, boot } = search;
  const name = parseServiceName(full)!;
  const found = locate(full, search);
  if (found === undefined) return [];
  const aliases = [...search.aliases].filter(([, of]) => of === full).map(([alias]) => alias);
  const dropIns = findDropIns(files, index, [name, ...aliases.flatMap((alias) => parseServiceName(alias) ?? [])]);
  const read = readAssignments(files, [found.fragment, ...dropIns.paths]);
  if (read.assignments.length === 0 && read.gaps.length === 0) return [];
  // systemd-sysv-generator writes units for init scripts, which `sysv.ts` reads.
  if (lastSetting(read.assignments, 'Unit', 'SourcePath')?.value.includes('/init.d/')) return [];
  const facts = { ...search.facts, name, fragment: found.fragment };
  const settings = settingsOf(read.assignments, [...dropIns.gaps, ...read.gaps], facts);
  const service = readService(files, settings, { unit: full, managerEnv: search.managerEnv });
  const followed = startsOf(full, service, files, search);
  const isStarted = boot.started.has(full);
  const isEnabled = !found.masked && isStarted;
  if (isStarted) for (const one of followed.requestedUnits) search.requested.set(one, full);
  const unclear = (detail: string, subject = full) =>
    search.gaps.push({ reason: 'unclear', subject, detail: subject === full ? detail : `${full}: ${detail}` });
  if (followed.starts.length === 0 && followed.unclear.length === 0) {
    const mayStart = () => judgeConditions('Condition', settings, files, facts).holds !== false;
    if (isEnabled && bearsTheName(name.prefix, service) && mayStart())
      unclear('it is named like a Filebeat, and starts a program that is not known as one');
    return [];
  }
  const trigger = isStarted || found.masked ? undefined : boot.triggered.get(full)?.[0];
  if (trigger !== undefined) unclear(trigger.how);
  const idle = read.assignments.some(({ section }) => section === 'Install') ? 'disabled' : 'static';
  const { why, failures, condition }: StartOnBoot = isEnabled
    ? startOnBoot(settings, service, files, facts, unclear)
    : { why: found.masked ? 'masked' : idle, failures: [] };
  if (isEnabled && why !== 'condition') {
    for (const one of followed.unclear) unclear(one.why, one.subject);
    for (const { uncertain } of followed.starts)
      if (uncertain.length > 0) unclear(`how it starts a Filebeat is not clear: ${uncertain.join('; ')}`);
  }
  const unit = {
    name: full,
    manager: 'systemd' as const,
    ...(name.instance === undefined ? {} : { instance: legibleUnit(name.instance) }),
    aliases: aliases.sort(),
    ...(service.rootDirectory === undefined ? {} : { rootDirectory: service.rootDirectory }),
    shouldRun: why === 'enabled',
    why,
    ...(condition === undefined ? {} : { condition }),
    wantedBy: wantedBy([full, ...aliases], search),
    fragment: found.fragment,
    dropIns: dropIns.paths,
    hidden: [...service.hidden, ...followed.written],
    failures: [...service.failures, ...followed.failures, ...failures],
    gaps: settings.gaps,
  };
  return followed.starts
    .filter(({ uncertain }) => uncertain.length === 0)
    .map((start, index): FilebeatUnit => {
      // A launcher may change the user.
      const runsAs = service.runsAs?.uid === start.user.uid ? service.runsAs : undefined;
      return { ...unit, ...start, index, ownNetwork: start.network === 'own', ...(runsAs && { runsAs }) };
    });
}

/** It is called `filebeat`, and some program that it runs may be one. */
function bearsTheName(prefix: string, { commands }: Service): boolean {
  return /^filebeat(?:-oss)?$/.test(prefix) && commands.some(({ program }) => !harmlessPrograms.has(baseName(program)));
}

interface StartOnBoot extends Pick<FilebeatUnit, 'why' | 'failures'> {
  /** The condition that does not hold. */
  condition?: string;
}

/** Whether a unit that the boot reaches starts, by its conditions and asserts. */
function startOnBoot(
  settings: UnitSettings,
  service: Service,
  files: FileView,
  facts: SpecifierFacts,
  unclear: (detail: string) => void,
): StartOnBoot {
  const condition = judgeConditions('Condition', settings, files, facts);
  const assertion = judgeConditions('Assert', settings, files, facts);
  const fails = `its ${assertion.key} does not hold, an assert that fails the start`;
  const failures = assertion.holds === false ? [fails] : [];
  if (condition.holds === false)
    return { why: 'condition', failures, ...(condition.key === undefined ? {} : { condition: condition.key }) };
  const undecided = [condition, assertion].find(({ holds }) => holds === undefined)?.key;
  if (undecided === undefined && !service.hasConditionCommand) return { why: 'enabled', failures };
  const reason =
    undecided === undefined ? 'its ExecCondition= is a command' : `files do not tell whether ${undecided} holds`;
  unclear(`whether it starts is known only at run time: ${reason}`);
  return { why: 'unclear', failures };
}

/** Units that pull it in, including those that nothing starts. */
function wantedBy(names: readonly string[], { boot, index }: Search): string[] {
  const owners = names.flatMap((name) => boot.started.get(name) ?? []).filter((owner) => owner !== 'boot');
  for (const [owner, links] of index.links) if (names.some((name) => links.has(name))) owners.push(owner);
  return [...new Set(owners)].sort();
}
