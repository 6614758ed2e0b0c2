/**
 * Candidates of all origins → instances: candidates that describe the same Filebeat become one instance with one name. Its
 * identity is (root, network namespace, resolved main files, path.data, owner). Pure; independent of the candidates' order.
 */
import type { FilebeatProcess, Identity, InstanceOrigin } from '../../model/model.js';
import type { Candidate } from './candidate.js';
import {
  type Group,
  groupProcesses,
  joinDeclared,
  joinGlobs,
  joinIdleUnits,
  joinUnits,
  noteImitations,
  processOf,
} from './groups.js';
import { identityOf, isSystems, processIdentityOf } from './identity.js';
import { type NameSources, nameInstances } from './names.js';
import { attachRemembered, idBeside } from './recall.js';
import { isSame, runsIn, unitNames } from './sameness.js';

export interface Merged<C extends Candidate> {
  id: string;
  name: string;
  /** Strongest first; `systemd` only for a unit that should run it. */
  origins: InstanceOrigin[];
  /** All that were merged, strongest first: the first one says how it runs or should run. */
  candidates: [C, ...C[]];
  process?: FilebeatProcess;
  unit?: string;
  container?: string;
  /** Ids of the remembered instances that it continues; the history of the first is its own. */
  rememberedAs: string[];
  /** Root and path.data, which two instances must not share. */
  dataKey?: string;
  /** The directory on disk: `device:inode` and owner. */
  dataDirectory?: { id: string; owner: number };
  /** The number of a further live process of an instance (2, 3, …), which is reported and not remembered. */
  duplicate?: number;
  /** Why its process is this instance, or is not another one. */
  identity?: Identity;
  /** A process with its files that may be this instance or not. */
  undecided?: FilebeatProcess;
  /** Uid of the ordinary user who owns it; absent: the system. */
  account?: number;
  /** Uid that it runs as or should run as; absent: unknown. */
  owner?: number;
}

const strength: readonly InstanceOrigin[] = ['process', 'systemd', 'declared', 'config_glob', 'remembered'];

/**
 * The instances, sorted by name. A process belongs to the unit of its control group even where their flags differ: the unit
 * was edited and not restarted yet.
 */
export function mergeCandidates<C extends Candidate>(candidates: readonly C[]): Merged<C>[] {
  const sorted = inOrder(candidates);
  const of = (origin: InstanceOrigin) => sorted.filter((candidate) => candidate.origin === origin);
  const expected = sorted.filter((candidate) => candidate.origin !== 'process');
  const groups: Group<C>[] = groupProcesses(of('process'), expected);
  joinUnits(groups, of('systemd'));
  joinDeclared(groups, of('declared'));
  joinGlobs(groups, of('config_glob'));
  attachRemembered(of('remembered'), groups);
  joinIdleUnits(groups, of('systemd'));
  noteImitations(groups);
  return toInstances(groups);
}

/** A unique id for each group. A process with the identity of an expected instance that it is not also has its unit in its id. */
function idsOf<C extends Candidate>(groups: readonly Group<C>[]): string[] {
  const taken = new Set<string>();
  const ids = new Map<Group<C>, string>();
  const isUnexpected = ({ candidates }: Group<C>) => candidates.every(({ origin }) => origin === 'process');
  for (const group of [...groups].sort((a, b) => Number(isUnexpected(a)) - Number(isUnexpected(b)))) {
    const main = group.candidates[0]!;
    // An instance that is down keeps the id of its last run: a unit or a pattern knows neither its namespace nor all its data.
    const lastRun =
      main.process === undefined
        ? group.candidates.find((c) => c.remembered !== undefined && isSame(c, main))
        : undefined;
    let id = lastRun?.remembered?.id ?? identityOf(main);
    if (group.duplicate !== undefined) id = `${id}#${group.duplicate}`;
    while (taken.has(id)) id = idBeside(id, main);
    taken.add(id);
    ids.set(group, id);
  }
  return groups.map((group) => ids.get(group)!);
}

function toInstances<C extends Candidate>(groups: readonly Group<C>[]): Merged<C>[] {
  const ids = idsOf(groups);
  const claimed = new Set(groups.flatMap((group) => group.candidates.flatMap(unitNames)));
  const names = nameInstances(
    groups.map((group, at) => ({
      ...nameSources(ids[at]!, (group.of ?? group).candidates as [C, ...C[]], claimed),
      ...(group.duplicate === undefined ? {} : { duplicate: group.duplicate }),
    })),
  );
  const nameOf = (candidate: C) =>
    names.get(ids[groups.findIndex(({ candidates }) => candidates.includes(candidate))] ?? '');
  const merged = groups.map((group, at): Merged<C> => {
    const candidates = group.candidates as [C, ...C[]];
    const { duplicate } = group;
    const unit = unitOf(candidates);
    const container = candidates.find((c) => c.container !== undefined)?.container;
    const [{ root, process }] = candidates;
    const pathData = candidates.find((c) => c.pathData !== undefined)?.pathData;
    const dataDirectory = candidates.find((c) => c.dataDirectory !== undefined)?.dataDirectory;
    const account = accountOf(group);
    const owner = candidates.find((c) => c.owner !== undefined)?.owner;
    const undecided = process === undefined ? undecidedFor(group, groups) : undefined;
    return {
      id: ids[at]!,
      name: names.get(ids[at]!)!,
      origins: strength.filter((origin) => candidates.some((c) => c.origin === origin && c.shouldRun !== false)),
      candidates,
      rememberedAs: candidates.flatMap((c) => c.remembered?.id ?? []),
      ...(process === undefined ? {} : { process, identity: identityOfGroup(group, nameOf) }),
      ...(unit === undefined ? {} : { unit }),
      ...(container === undefined ? {} : { container }),
      ...(pathData === undefined ? {} : { dataKey: `${root}|${pathData}` }),
      ...(dataDirectory === undefined ? {} : { dataDirectory }),
      ...(duplicate === undefined ? {} : { duplicate }),
      ...(undecided === undefined ? {} : { undecided }),
      ...(account === 0 ? {} : { account }),
      ...(owner === undefined ? {} : { owner }),
    };
  });
  return merged.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function identityOfGroup<C extends Candidate>(group: Group<C>, nameOf: (candidate: C) => string | undefined): Identity {
  const { candidates, claim, imitates } = group;
  const process = processOf(group)!;
  const units = candidates.filter((c) => c.origin === 'systemd');
  const isOutside = units.some((unit) => unit.shouldRun !== false) && !units.some((unit) => runsIn(process, unit));
  const isConfigured = candidates.some((c) => c.origin !== 'process' && c.origin !== 'remembered');
  const name = imitates === undefined || isConfigured ? undefined : nameOf(imitates.expected);
  return {
    ...(claim === undefined ? {} : { claim }),
    ...(isOutside ? { outsideUnit: true as const } : {}),
    ...(name === undefined ? {} : { imitates: { name, differs: imitates!.differs } }),
  };
}

function undecidedFor<C extends Candidate>(group: Group<C>, groups: readonly Group<C>[]): FilebeatProcess | undefined {
  const other = groups.find(({ undecided }) => undecided !== undefined && group.candidates.includes(undecided));
  return other && processOf(other)?.process;
}

/** What the system expects belongs to the system, whoever runs it. A remembered row of release 0.1.0 has no owner and does not count. */
function accountOf<C extends Candidate>(group: Group<C>): number {
  const isOwned = ({ origin, owner }: C) => origin !== 'remembered' || owner !== undefined;
  const isSystemsOwn = (c: C) => c.process === undefined && isSystems(c) && c.shouldRun !== false && isOwned(c);
  if (group.candidates.some(isSystemsOwn)) return 0;
  const [main] = group.candidates;
  const process = processOf(group);
  return process === undefined ? (main!.account ?? 0) : processIdentityOf(process).account;
}

function nameSources(
  id: string,
  candidates: readonly [Candidate, ...Candidate[]],
  claimed: ReadonlySet<string>,
): NameSources {
  const [main] = candidates;
  const group: Group<Candidate> = { candidates: [...candidates] };
  const account = accountOf(group);
  const declared = candidates.find((c) => c.declaredName !== undefined)?.declaredName;
  const remembered = candidates.find((c) => c.remembered !== undefined)?.remembered?.name;
  const contained = account === 0 ? candidates.find((c) => c.container !== undefined) : undefined;
  let unit = candidates.find((c) => c.origin === 'systemd' && c.unit === unitOf(candidates))?.unit;
  // Without a unit file the unit of the control group gives the name, if it is named like a unit for Filebeat.
  if (unit === undefined && contained === undefined && /filebeat/i.test(main.unit ?? '') && !claimed.has(main.unit!)) {
    unit = main.unit;
  }
  const container = contained?.containerName?.replace(/^(?:docker|podman) /, '') ?? contained?.container;
  return {
    id,
    mainFiles: main.mainFiles,
    pathData: main.pathData ?? '',
    ...(declared === undefined ? {} : { declared }),
    ...(remembered === undefined ? {} : { remembered }),
    ...(unit === undefined ? {} : { unit }),
    ...(container === undefined ? {} : { container: container.startsWith('pod ') ? contained!.container! : container }),
    ...(main.host === undefined ? {} : { host: main.host }),
    ...(account === 0 ? {} : { account, since: main.process?.startTicks ?? 0 }),
  };
}

/** A unit with a file comes before the unit of the control group; of several, the unit that the process runs in. */
function unitOf(candidates: readonly Candidate[]): string | undefined {
  const running = candidates.find((c) => c.process !== undefined);
  const units = candidates.filter((c) => c.origin === 'systemd');
  const own = units.find((unit) => running !== undefined && runsIn(running, unit)) ?? units[0];
  return own?.unit ?? running?.unit ?? candidates.find((c) => c.unit !== undefined)?.unit;
}

/** By origin, then by age for processes and by content for all others, so that the order is the same on every run. */
function inOrder<C extends Candidate>(candidates: readonly C[]): C[] {
  const rows = candidates.map((candidate) => ({
    candidate,
    rank: strength.indexOf(candidate.origin),
    age: candidate.process?.startTicks ?? 0,
    key: candidate.origin === 'process' ? '' : orderKey(candidate),
  }));
  rows.sort((a, b) => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    if (a.candidate.origin === 'process') return a.age - b.age || a.candidate.process!.pid - b.candidate.process!.pid;
    return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
  });
  return rows.map(({ candidate }) => candidate);
}

function orderKey(c: Candidate): string {
  return JSON.stringify([identityOf(c), c.unit ?? '', c.declaredName ?? '', c.config, c.remembered?.id ?? '']);
}
