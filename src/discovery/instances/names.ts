/**
 * Names of instances, by claim: declared > unit > container > remembered > what tells configurations apart in their
 * paths, all of these of the system before any of an ordinary user. Unique by construction, and the same for the same set
 * of instances in whatever order they come; of two ordinary ones that want one name the older process has it. Pure.
 */
import { createHash } from 'node:crypto';
import { legibleUnit } from '../systemd/unit-files/unit-specifiers.js';

/** What an instance may be named after. */
export interface NameSources {
  /** Unique among the requests. */
  id: string;
  declared?: string;
  /** The name that it had when it was last seen. */
  remembered?: string;
  /** `filebeat@core.service`, or an init script's `filebeat`. */
  unit?: string;
  container?: string;
  /** Absolute paths, in the order given to Filebeat. */
  mainFiles: readonly string[];
  pathData: string;
  /** Basename of the program, where it hosts inputs of others: `agentbeat`, `elastic-otel-collector`. */
  host?: string;
  /** The ordinary user whose it is; absent: the system's. */
  account?: number;
  /** Of an ordinary one: clock ticks after boot when its process started. */
  since?: number;
  /** Set for a second process of one instance: the name of the first with this number behind it. */
  duplicate?: number;
}

/**
 * How much a proposal weighs: of two instances that want one name, the lower rank gets it; of equals, neither. `kept`: the
 * name that a unit's instance had when it was last seen.
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

/** Instance id → name. All of the system's have theirs before any ordinary one asks. */
export function nameInstances(requests: readonly NameSources[]): Map<string, string> {
  const taken = new Set<string>();
  const systems = requests.filter(({ account }) => account === undefined);
  const ordinary = requests.filter(({ account }) => account !== undefined);
  return new Map([...nameEach(systems, taken), ...nameEach(ordinary, taken)]);
}

/** `taken` grows. */
function nameEach(requests: readonly NameSources[], taken: Set<string>): Map<string, string> {
  const names = new Map<string, string>();
  let open = requests.map((request) => {
    const proposals = proposalsFor(request);
    return { id: request.id, since: request.since ?? 0, proposals, proposal: proposals.next().value };
  });
  while (open.length > 0) {
    const wanted = new Map<string, { rank: number; since: number; ids: string[] }>();
    for (const { id, since, proposal } of open) {
      const { name, rank } = proposal;
      const best = wanted.get(name);
      const isOlder = rank === ranks.ordinary && rank === best?.rank && since < best.since;
      if (best === undefined || rank < best.rank || isOlder) wanted.set(name, { rank, since, ids: [id] });
      else if (rank === best.rank && (rank !== ranks.ordinary || since === best.since)) best.ids.push(id);
    }
    for (const [name, { ids }] of wanted) {
      if (ids.length === 1 && !taken.has(name)) names.set(ids[0]!, name);
      // Wanted by equals, it would mislead whoever got it.
      taken.add(name);
    }
    open = open.filter(({ id }) => !names.has(id));
    for (const one of open) one.proposal = one.proposals.next().value;
  }
  return names;
}

/** Best first and without end, each worked out when it is asked for: on most scans the first one stands. */
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
  const { account } = request;
  if (account !== undefined) {
    yield* propose(request.remembered, ranks.ordinaryKept, true);
    yield* propose(words.short, ranks.ordinary);
    for (const name of [words.short, words.longer, `${words.longer}-${words.data}`, words.whole])
      yield* propose(`${slug(name)}-uid${account}`, ranks.ordinary, true);
  }
  const isSystems = account === undefined;
  if (isSystems) yield* propose(request.remembered, request.unit === undefined ? ranks.remembered : ranks.kept, true);
  let rank: number = isSystems ? ranks.path : ranks.ordinary;
  if (isSystems && request.unit !== undefined) {
    rank = ranks.unit;
    const base = legibleUnit(request.unit.replace(/\.service$/, ''));
    yield* propose(/@(.+)$/.exec(base)?.[1] ?? base, rank);
    yield* propose(base, rank);
    yield* propose(`${base}-${words.short}`, rank);
  } else if (isSystems && request.container !== undefined) {
    rank = ranks.container;
    yield* propose(request.container, rank);
    yield* propose(`${request.container}-${words.short}`, rank);
    yield* propose(`${request.container}-${words.data}`, rank);
  }
  for (const name of [words.short, words.longer, `${words.longer}-${words.data}`, words.whole])
    yield* propose(name, rank);
  // Two roots may hold the same paths: then only the identity itself tells them apart.
  yield* propose(`${words.short}-${digest(request.id, 8)}`, rank);
  yield* propose(`${words.short}-${digest(request.id, 32)}`, rank);
  // Ids are unique, so is the digest of one with a number that nobody else counts up for it.
  for (let at = proposed.size; ; at++) yield { name: digest(`${request.id} ${at}`, 16), rank: ranks.path };
}

/** Parts of paths that every installation has and that tell nothing. */
const generic =
  /^(?:|\.|filebeat|filebeats|beats?|elastic|etc|conf|config|configs|configuration|conf\.d|data|lib|var|opt|srv|usr|share|bin|home|local|run|app|apps|main|components|current|state|root|tmp)$/i;

function pathWords(request: NameSources): { short: string; longer: string; data: string; whole: string } {
  const files = request.mainFiles.map((file) => file.split('/').filter((part) => part !== ''));
  const stems = files.map((parts) => (parts.at(-1) ?? '').replace(/\.(?:ya?ml|json)$/i, ''));
  const telling = stems.filter((stem) => !generic.test(stem));
  const folder = files.map((parts) => parts.slice(0, -1).findLast((part) => !generic.test(part))).find((part) => part);
  const dataParts = request.pathData.split('/');
  const data = dataParts.findLast((part) => !generic.test(part)) ?? dataParts.findLast((part) => part !== '') ?? 'data';
  let short: string;
  if (request.host === 'elastic-otel-collector') short = request.host;
  else if (request.host !== undefined) short = data;
  else if (telling.length > 0) short = telling.join('+');
  else short = folder ?? 'filebeat';
  const longer = folder !== undefined && folder !== short ? `${folder}-${short}` : short;
  const whole = [...files.map((parts) => parts.join('-')), request.pathData].join('-');
  return { short, longer, data, whole };
}

/** Names stand in labels and URLs: letters, digits and `._@+-`. */
function slug(text: string): string {
  const whole = text.replace(/[^A-Za-z0-9._@+-]+/g, '-');
  // By hand: an expression for the end would begin anew at every hyphen.
  let [from, until] = [0, whole.length];
  while (whole[from] === '-') from++;
  while (until > from && whole[until - 1] === '-') until--;
  return whole.slice(from, until);
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
