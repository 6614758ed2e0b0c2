/**
 * Candidates of all origins → instances: what describes the same Filebeat becomes one, with one name. An instance is
 * (root, network namespace, main files after resolving, path.data). Pure; the order of the candidates does not matter.
 */
import { createHash } from 'node:crypto';
import type { FilebeatProcess, InstanceOrigin } from '../../model/model.js';
import type { Candidate } from './candidate.js';
import { type NameSources, nameInstances } from './names.js';
import { isProcessOf, isSame, isSameComponent, runsIn, unitNames } from './sameness.js';

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
  /** A second live process of an instance (2, 3, …): told, but not remembered. */
  twin?: number;
}

const strength: readonly InstanceOrigin[] = ['process', 'systemd', 'declared', 'config_glob', 'remembered'];

/** Identity of a process's network that survives restarts as far as anything can. */
export function networkKey(process: Pick<FilebeatProcess, 'netns' | 'hostNetns' | 'container' | 'unit'>): string {
  if (process.hostNetns !== false) return 'host';
  if (process.container !== undefined) return 'own';
  return process.unit?.endsWith('.service') ? `unit ${process.unit}` : `netns ${process.netns ?? ''}`;
}

/** The opaque `Instance.id`. */
export function identityOf(candidate: Pick<Candidate, 'root' | 'network' | 'mainFiles' | 'pathData'>): string {
  const { root, network, mainFiles, pathData } = candidate;
  return digest(JSON.stringify([root, network, mainFiles, pathData ?? '']));
}

interface Group<C extends Candidate> {
  candidates: C[];
  twin?: number;
}

/**
 * Merges. A process belongs to the unit that its cgroup names even where their flags differ (edited, not yet restarted).
 * Of several processes with one identity the oldest is the instance, which a restart's overlap leaves its name, and the
 * others are twins beside it. By name.
 */
export function mergeCandidates<C extends Candidate>(candidates: readonly C[]): Merged<C>[] {
  const sorted = inOrder(candidates);
  const of = (origin: InstanceOrigin) => sorted.filter((candidate) => candidate.origin === origin);
  const groups: Group<C>[] = [];
  const byIdentity = new Map<string, number>();
  for (const process of of('process')) {
    const id = identityOf(process);
    const count = (byIdentity.get(id) ?? 0) + 1;
    byIdentity.set(id, count);
    groups.push(count === 1 ? { candidates: [process] } : { candidates: [process], twin: count });
  }
  const firsts = () => groups.filter((group) => group.twin === undefined);
  const join = (candidate: C, group: Group<C> | undefined) => {
    if (group) group.candidates.push(candidate);
    else groups.push({ candidates: [candidate] });
  };

  const units = of('systemd');
  // Exact ones first, so that a process is not given to a unit that merely shares its cgroup.
  const exact = new Map(
    units.map((unit) => [unit, firsts().find((group) => group.candidates.some((c) => isSame(c, unit)))]),
  );
  for (const unit of units) {
    const inUnit = firsts()
      .filter((group) => group.candidates.some((c) => c.process !== undefined && runsIn(c, unit)))
      .sort((a, b) => (identityOf(a.candidates[0]!) < identityOf(b.candidates[0]!) ? -1 : 1));
    const found = exact.get(unit);
    const own =
      inUnit.find((group) => group === found) ?? inUnit.find((group) => !holdsUnit(group, units, unit)) ?? found;
    if (own !== undefined || unit.shouldRun !== false)
      join(unit, own ?? firsts().find((g) => g.candidates.some((c) => isSame(c, unit))));
  }
  for (const declared of of('declared'))
    join(
      declared,
      firsts().find((group) => group.candidates.some((c) => isSame(c, declared))),
    );
  for (const glob of of('config_glob')) {
    const asks = (c: C) => c.root === glob.root && glob.mainFiles.every((file) => c.mainFiles.includes(file));
    const holders = firsts().filter((group) => group.candidates.some(asks));
    join(glob, holders[0]);
  }
  attachRemembered(of('remembered'), groups);
  return named(groups);
}

/** The process is exactly what another unit asks for. */
function holdsUnit<C extends Candidate>(group: Group<C>, units: readonly C[], but: C): boolean {
  return units.some((unit) => unit !== but && group.candidates.some((c) => isSame(c, unit) && runsIn(c, unit)));
}

function attachRemembered<C extends Candidate>(remembered: readonly C[], groups: Group<C>[]): void {
  const firsts = groups.filter((group) => group.twin === undefined);
  const isTaken = (group: Group<C>) => group.candidates.some((c) => c.origin === 'remembered');
  const rules: ((one: C, group: Group<C>) => boolean)[] = [
    // The very same process, whatever has become of its files meanwhile.
    (one, group) => group.candidates.some((c) => isProcessOf(c, one)),
    (one, group) => group.candidates.some((c) => identityOf(c) === one.remembered!.id),
    (one, group) => group.candidates.some((c) => isSame(c, one)),
    // The unit or the declaration was edited: the same instance with another configuration.
    (one, group) =>
      group.candidates.some(
        (c) =>
          (c.origin === 'systemd' && runsIn(one, c)) ||
          (c.declaredName === one.remembered!.name && one.remembered!.origins.includes('declared')),
      ),
    (one, group) => group.candidates.some((c) => isSameComponent(c, one)),
    // A network namespace made anew (its inode is another one) under the same files and data.
    (one, group) =>
      one.network.startsWith('netns ') &&
      group.candidates.some((c) => c.network.startsWith('netns ') && isSame({ ...c, network: one.network }, one)),
  ];
  let open = [...remembered];
  for (const [rank, rule] of rules.entries()) {
    open = open.filter((one) => {
      const group = firsts.find((g) => (rank <= 1 || !isTaken(g)) && rule(one, g));
      group?.candidates.push(one);
      return group === undefined;
    });
  }
  for (const one of open) groups.push({ candidates: [one] });
  // The history of the very process goes first, then that of the very identity.
  for (const { candidates } of firsts) {
    const main = candidates[0]!;
    const id = identityOf(main);
    const rank = (c: C) => (c.remembered === undefined ? 0 : isProcessOf(main, c) ? 1 : c.remembered.id === id ? 2 : 3);
    candidates.sort((a, b) => rank(a) - rank(b));
  }
}

function named<C extends Candidate>(groups: readonly Group<C>[]): Merged<C>[] {
  const drafts = groups.map(({ candidates, twin }) => {
    const ordered = candidates as [C, ...C[]];
    const [main] = ordered;
    // What is down keeps the identity that it ran under: a unit or a pattern does not know its namespace, nor all of its data.
    const kept =
      main.process === undefined ? candidates.find((c) => c.remembered !== undefined && isSame(c, main)) : undefined;
    const own = kept?.remembered?.id ?? identityOf(main);
    return { id: twin === undefined ? own : `${own}#${twin}`, candidates: ordered, twin };
  });
  const claimed = new Set(groups.flatMap((group) => group.candidates.flatMap(unitNames)));
  const names = nameInstances(
    drafts.map(({ id, candidates, twin }) => {
      const first = twin === undefined ? candidates : drafts.find((draft) => `${draft.id}#${twin}` === id)!.candidates;
      return { ...nameSources(id, first, claimed), ...(twin === undefined ? {} : { twin }) };
    }),
  );
  const merged = drafts.map(({ id, candidates, twin }): Merged<C> => {
    const unit = unitOf(candidates);
    const container = candidates.find((c) => c.container !== undefined)?.container;
    const [{ root, process }] = candidates;
    const pathData = candidates.find((c) => c.pathData !== undefined)?.pathData;
    return {
      id,
      name: names.get(id)!,
      origins: strength.filter((origin) => candidates.some((c) => c.origin === origin && c.shouldRun !== false)),
      candidates,
      rememberedAs: candidates.flatMap((c) => c.remembered?.id ?? []),
      ...(process === undefined ? {} : { process }),
      ...(unit === undefined ? {} : { unit }),
      ...(container === undefined ? {} : { container }),
      ...(pathData === undefined ? {} : { dataKey: `${root}|${pathData}` }),
      ...(twin === undefined ? {} : { twin }),
    };
  });
  return merged.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameSources(
  id: string,
  candidates: readonly [Candidate, ...Candidate[]],
  claimed: ReadonlySet<string>,
): NameSources {
  const [main] = candidates;
  const declared = candidates.find((c) => c.declaredName !== undefined)?.declaredName;
  const remembered = candidates.find((c) => c.remembered !== undefined)?.remembered?.name;
  const container = candidates.find((c) => c.container !== undefined)?.container;
  let unit = candidates.find((c) => c.origin === 'systemd' && c.unit === unitOf(candidates))?.unit;
  // Without unit files the cgroup's word names an instance, where it sounds like a Filebeat's own unit of the host.
  if (unit === undefined && container === undefined && /filebeat/i.test(main.unit ?? '') && !claimed.has(main.unit!)) {
    unit = main.unit;
  }
  return {
    id,
    mainFiles: main.mainFiles,
    pathData: main.pathData ?? '',
    ...(declared === undefined ? {} : { declared }),
    ...(remembered === undefined ? {} : { remembered }),
    ...(unit === undefined ? {} : { unit }),
    ...(container === undefined ? {} : { container }),
    ...(main.host === undefined ? {} : { host: main.host }),
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

/** The same identities are asked for on every scan, and several times in it. */
const digests = new Map<string, string>();
const digestsKept = 10_000;

function digest(text: string): string {
  const known = digests.get(text);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(text).digest('hex').slice(0, 24);
  if (digests.size >= digestsKept) digests.clear();
  digests.set(text, made);
  return made;
}
