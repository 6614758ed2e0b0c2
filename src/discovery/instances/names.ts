/**
 * Names of instances, by priority: declared, unit, container, remembered, and words of their paths; all instances of the system
 * before those of ordinary users. Names are unique, and independent of the order of the instances. If two instances of
 * ordinary users propose one name, the older process gets it. Pure.
 */

import { digestOf } from '../../runtime/digest.js';
import { legibleUnit } from '../systemd/unit-files/unit-specifiers.js';

/** The facts that give an instance its name. */
export interface NameSources {
  /** Unique among the requests. */
  id: string;
  declared?: string;
  /** Its name when it was last seen. */
  remembered?: string;
  /** `filebeat@core.service`, or an init script's `filebeat`. */
  unit?: string;
  container?: string;
  /** Absolute paths, in the order given to Filebeat. */
  mainFiles: readonly string[];
  pathData: string;
  /** Basename of a program that hosts the inputs of others: `agentbeat`, `elastic-otel-collector`. */
  host?: string;
  /** Uid of the ordinary user who owns it; absent: the system. */
  account?: number;
  /** For an instance of an ordinary user: when its process started, in clock ticks after boot. */
  since?: number;
  /** For a further process of an instance: the number after the name of the first. */
  duplicate?: number;
}

/**
 * Priority of a proposal: if two instances propose one name, the lower rank gets it; if the ranks are equal, neither.
 * `kept`: the last name of an instance that has a unit.
 */
const ranks = {
  declared: 0,
  kept: 1,
  unit: 2,
  container: 3,
  remembered: 4,
  path: 5,
  ordinaryKept: 6,
  ordinary: 7,
  duplicate: 8,
} as const;

interface Proposal {
  name: string;
  rank: number;
}

/** Instance id → name. Instances of the system are named before those of ordinary users. */
export function nameInstances(requests: readonly NameSources[]): Map<string, string> {
  const taken = new Set<string>();
  const systems = requests.filter(({ account }) => account === undefined);
  const ordinary = requests.filter(({ account }) => account !== undefined);
  return new Map([...nameEach(systems, taken), ...nameEach(ordinary, taken)]);
}

/** Adds the names to `taken`. */
function nameEach(requests: readonly NameSources[], taken: Set<string>): Map<string, string> {
  const names = new Map<string, string>();
  let unnamed = requests.map((request) => {
    const proposals = proposalsFor(request);
    return { id: request.id, since: request.since ?? 0, proposals, proposal: proposals.next().value };
  });
  while (unnamed.length > 0) {
    const wanted = new Map<string, { rank: number; since: number; ids: string[] }>();
    for (const { id, since, proposal } of unnamed) {
      const { name, rank } = proposal;
      const best = wanted.get(name);
      const isOlder = rank === ranks.ordinary && rank === best?.rank && since < best.since;
      if (best === undefined || rank < best.rank || isOlder) wanted.set(name, { rank, since, ids: [id] });
      else if (rank === best.rank && (rank !== ranks.ordinary || since === best.since)) best.ids.push(id);
    }
    for (const [name, { ids }] of wanted) {
      if (ids.length === 1 && !taken.has(name)) names.set(ids[0]!, name);
      // A name that equals proposed would be misleading for any of them.
      taken.add(name);
    }
    unnamed = unnamed.filter(({ id }) => !names.has(id));
    for (const request of unnamed) request.proposal = request.proposals.next().value;
  }
  return names;
}

/** An endless sequence, best first. It is lazy since usually the first proposal is accepted. */
function* proposalsFor(request: NameSources): Generator<Proposal, never> {
  const suffix = request.duplicate === undefined ? '' : `-${request.duplicate}`;
  const proposed = new Set<string>();
  function* propose(name: string | undefined, rank: number, verbatim = false): Generator<Proposal, void> {
    const clean = (verbatim ? (name ?? '') : slug(name ?? '')) + suffix;
    if (clean === suffix || proposed.has(clean)) return;
    proposed.add(clean);
    yield { name: clean, rank: request.duplicate === undefined ? rank : ranks.duplicate };
  }
  yield* propose(request.declared, ranks.declared, true);
  const words = pathWords(request);
  const { account, unit, container } = request;
  const pathNames = [words.short, words.longer, `${words.longer}-${words.data}`, words.whole];
  let rank: number = account === undefined ? ranks.path : ranks.ordinary;
  if (account !== undefined) {
    yield* propose(request.remembered, ranks.ordinaryKept, true);
    yield* propose(words.short, rank);
    for (const name of pathNames) yield* propose(`${slug(name)}-uid${account}`, rank, true);
  } else {
    yield* propose(request.remembered, unit === undefined ? ranks.remembered : ranks.kept, true);
    if (unit !== undefined) {
      rank = ranks.unit;
      const base = legibleUnit(unit.replace(/\.service$/, ''));
      yield* propose(/@(.+)$/.exec(base)?.[1] ?? base, rank);
      yield* propose(base, rank);
      yield* propose(`${base}-${words.short}`, rank);
    } else if (container !== undefined) {
      rank = ranks.container;
      yield* propose(container, rank);
      yield* propose(`${container}-${words.short}`, rank);
      yield* propose(`${container}-${words.data}`, rank);
    }
  }
  for (const name of pathNames) yield* propose(name, rank);
  // Different roots may have the same paths: then only the id distinguishes them.
  yield* propose(`${words.short}-${digestOf(request.id, 8)}`, rank);
  yield* propose(`${words.short}-${digestOf(request.id, 32)}`, rank);
  // Ids are unique, and so are digests of an id with a counter.
  for (let at = proposed.size; ; at++) yield { name: digestOf(`${request.id} ${at}`, 16), rank: ranks.path };
}

/** Parts of paths that are common to installations and do not distinguish them. */
const generic =
  /^(?:|\.|filebeat|filebeats|beats?|elastic|etc|conf|config|configs|configuration|conf\.d|data|lib|var|opt|srv|usr|share|bin|home|local|run|app|apps|main|components|current|state|root|tmp)$/i;

function pathWords(request: NameSources): { short: string; longer: string; data: string; whole: string } {
  const files = request.mainFiles.map((file) => file.split('/').filter((part) => part !== ''));
  const stems = files.map((parts) => (parts.at(-1) ?? '').replace(/\.(?:ya?ml|json)$/i, ''));
  const specific = stems.filter((stem) => !generic.test(stem));
  const folder = files.map((parts) => parts.slice(0, -1).findLast((part) => !generic.test(part))).find((part) => part);
  const dataParts = request.pathData.split('/');
  const data = dataParts.findLast((part) => !generic.test(part)) ?? dataParts.findLast((part) => part !== '') ?? 'data';
  let short: string;
  if (request.host === 'elastic-otel-collector') short = request.host;
  else if (request.host !== undefined) short = data;
  else if (specific.length > 0) short = specific.join('+');
  else short = folder ?? 'filebeat';
  const longer = folder !== undefined && folder !== short ? `${folder}-${short}` : short;
  const whole = [...files.map((parts) => parts.join('-')), request.pathData].join('-');
  return { short, longer, data, whole };
}

/** Names are used in labels and URLs: letters, digits and `._@+-`. */
function slug(text: string): string {
  const whole = text.replace(/[^A-Za-z0-9._@+-]+/g, '-');
  // A regular expression for the end would start again at every hyphen, which is quadratic.
  let [from, until] = [0, whole.length];
  while (whole[from] === '-') from++;
  while (until > from && whole[until - 1] === '-') until--;
  return whole.slice(from, until);
}
