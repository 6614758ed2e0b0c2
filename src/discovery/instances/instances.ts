/**
 * Candidates of all origins → instances: what describes the same Filebeat becomes one, with one name. An instance is
 * (root, network namespace, main files after resolving, path.data, owner). Pure; the order of the candidates does not matter.
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
  processOf,
  reportImitations,
} from './groups.js';
import { identityOf, isSystems, processIdentityOf } from './identity.js';
import { type NameSources, nameInstances } from './names.js';
import { attachRemembered, besides } from './recall.js';
import { isSame, runsIn, unitNames } from './sameness.js';

export interface Merged<C extends Candidate> {
  id: string;
  name: string;
  /** Strongest first; 'systemd' only for a unit that ought to run it. */
  origins: InstanceOrigin[];
  /** All that were merged, strongest first: the first one says how it runs or ought to. */
  candidates: [C, ...C[]];
  process?: FilebeatProcess;
  unit?: string;
  container?: string;
  /** Ids in the memory that this instance continues; the first one's history is its own. */
  rememberedAs: string[];
  /** Root and path.data: two instances with the same get in each other's way. */
  dataKey?: string;
  /** The same on disk. */
  dataDirectory?: { id: string; owner: number };
  /** A second live process of an instance (2, 3, …): told, but not remembered. */
  duplicate?: number;
  /** Of one with a process: why that is this instance, or is not another one. */
  identity?: Identity;
  /** It ought to run; whether a process that has its files is it cannot be told. That process. */
  undecided?: FilebeatProcess;
  /** The ordinary user whose it is; absent: the system's. */
  account?: number;
  /** Uid that it runs as, or is to run as where that can be told. */
  owner?: number;
}

const strength: readonly InstanceOrigin[] = ['process', 'systemd', 'declared', 'config_glob', 'remembered'];

/**
 * Merges. A process belongs to the unit that its cgroup names even where their flags differ (edited, not yet restarted).
 * By name.
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
  reportImitations(groups);
  return named(groups);
}

/** Every group's own. Who has the identity of what is expected, and is not it, is known by the unit that it runs in. */
function idsOf<C extends Candidate>(groups: readonly Group<C>[]): string[] {
  const taken = new Set<string>();
  const ids = new Map<Group<C>, string>();
  const expected = ({ candidates }: Group<C>) => Number(candidates.every(({ origin }) => origin === 'process'));
  for (const group of [...groups].sort((a, b) => expected(a) - expected(b))) {
    const main = group.candidates[0]!;
    // What is down keeps the identity that it ran under: a unit or a pattern does not know its namespace, nor all of its data.
    const kept =
      main.process === undefined
        ? group.candidates.find((c) => c.remembered !== undefined && isSame(c, main))
        : undefined;
    let id = kept?.remembered?.id ?? identityOf(main);
    if (group.duplicate !== undefined) id = `${id}#${group.duplicate}`;
    while (taken.has(id)) id = besides(id, main);
    taken.add(id);
    ids.set(group, id);
  }
  return groups.map((group) => ids.get(group)!);
}

function named<C extends Candidate>(groups: readonly Group<C>[]): Merged<C>[] {
  const ids = idsOf(groups);
  const claimed = new Set(groups.flatMap((group) => group.candidates.flatMap(unitNames)));
  const names = nameInstances(
    groups.map((group, at) => ({
      ...nameSources(ids[at]!, (group.of ?? group).candidates as [C, ...C[]], claimed),
      ...(group.duplicate === undefined ? {} : { duplicate: group.duplicate }),
    })),
  );
  const nameOf = (one: C) => names.get(ids[groups.findIndex(({ candidates }) => candidates.includes(one))] ?? '');
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
      ...(duplicate === undefined ? {} : { duplicate: duplicate }),
      ...(undecided === undefined ? {} : { undecided }),
      ...(account === 0 ? {} : { account }),
      ...(owner === undefined ? {} : { owner }),
    };
  });
  return merged.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function identityOfGroup<C extends Candidate>(group: Group<C>, nameOf: (one: C) => string | undefined): Identity {
  const { candidates, claim, imitates } = group;
  const process = processOf(group)!;
  const units = candidates.filter((c) => c.origin === 'systemd');
  const isOutside = units.some((unit) => unit.shouldRun !== false) && !units.some((unit) => runsIn(process, unit));
  const isAsked = candidates.some((c) => c.origin !== 'process' && c.origin !== 'remembered');
  const name = imitates === undefined || isAsked ? undefined : nameOf(imitates.expected);
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

/** What the system asks for is the system's, whoever runs it. What 0.1.0 remembered without an owner says nothing of that. */
function accountOf<C extends Candidate>(group: Group<C>): number {
  const [main, ...others] = group.candidates;
  const asked = others.length === 0 || main!.process === undefined ? group.candidates : others;
  const isAsked = (c: C) => c.process === undefined && isSystems(c) && c.shouldRun !== false;
  const isOwned = ({ origin, owner }: C) => origin !== 'remembered' || owner !== undefined;
  if (asked.some((c) => isAsked(c) && isOwned(c))) return 0;
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
  // Without unit files the cgroup's word names an instance, where it sounds like a Filebeat's own unit of the host.
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

/** The unit files' word goes before the cgroup's; of several units the one that the process runs in. */
function unitOf(candidates: readonly Candidate[]): string | undefined {
  const running = candidates.find((c) => c.process !== undefined);
  const units = candidates.filter((c) => c.origin === 'systemd');
  const own = units.find((unit) => running !== undefined && runsIn(running, unit)) ?? units[0];
  return own?.unit ?? running?.unit ?? candidates.find((c) => c.unit !== undefined)?.unit;
}

/** Nothing that changes from run to run decides but the age of processes, which are otherwise alike. */
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
