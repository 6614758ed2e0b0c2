/** The state after a scan. */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import { forgetLearned } from './learned.js';
import { ledgerKey, pruneLedger } from './ledger.js';
import { historyOf, type RememberedInstance, type State } from './memory-state.js';
import {
  hasPassedProbation,
  nextProbation,
  type Probation,
  type ProbationEntry,
  type ProbationRules,
} from './probation.js';
import { type ObservedInstance, remember } from './remembered-row.js';

export interface ObserveOptions {
  /** Instances that this scan left out because of a limit: all that is known of them stays. */
  cut?: readonly Pick<Merged<Candidate>, 'rememberedAs'>[];
  ripening?: ProbationRules;
}

/**
 * Remembers the instances of a scan that have run at least once, and forgets all others with their ledger and learned
 * listeners. Duplicates are not remembered, nor are instances of an ordinary user until they have run for a while.
 * `now`: seconds since the epoch.
 */
export function observe(
  state: State,
  sightings: readonly ObservedInstance[],
  now: number,
  bootId: string,
  { cut = [], ripening: rules = { after: 0, remember: 0 } }: ObserveOptions = {},
): State {
  const instances: Record<string, RememberedInstance> = {};
  const ripening = nextProbation(state.ripening ?? {}, sightings, now, rules);
  const before = followNames(
    state,
    sightings.map(({ instance }) => instance),
  );
  for (const sighting of sightings) {
    if (sighting.instance.duplicate !== undefined) continue;
    const known = historyOf(before, sighting.instance);
    if (known === undefined && !hasPassedProbation(ripening, sighting.instance, rules)) continue;
    const next = remember(known, sighting, now, bootId);
    if (next !== undefined) instances[next.id] = next;
  }
  const omitted = cut.flatMap((one) => historyOf(before, one) ?? []);
  for (const known of omitted) instances[known.id] ??= known;
  const names = new Set([...sightings.map(({ instance }) => instance.name), ...omitted.map(({ name }) => name)]);
  const learned = Object.keys(before.learned).reduce(
    (all, name) => (names.has(name) ? all : forgetLearned(all, name)),
    before.learned,
  );
  const { ripening: _, ...others } = before;
  const notRemembered = Object.entries(ripening).filter(([id]) => instances[id] === undefined);
  return {
    ...others,
    instances,
    ledger: pruneLedger(before.ledger, names),
    learned,
    reports: prune(before.reports, names),
    ...(notRemembered.length === 0 ? {} : { ripening: Object.fromEntries(notRemembered) }),
  };
}

/** Returns the same object where all rows stay. */
function prune<T>(rows: Readonly<Record<string, T>>, names: ReadonlySet<string>): Readonly<Record<string, T>> {
  const kept = Object.entries(rows).filter(([name]) => names.has(name));
  return kept.length === Object.keys(rows).length ? rows : Object.fromEntries(kept);
}

/**
 * Moves the ledger, learned listeners and reports of instances that have a new name (a declaration, for example), and removes
 * those of instances that are gone without having been remembered, since the next instance of that name is another one. Must
 * be called after merging and before counting; idempotent.
 */
export function followNames(
  state: State,
  instances: readonly Pick<Merged<Candidate>, 'id' | 'name' | 'rememberedAs' | 'duplicate'>[],
): State {
  const moved = new Map<string, string>();
  const renamed: Record<string, RememberedInstance> = {};
  for (const instance of instances) {
    const known = instance.duplicate === undefined ? historyOf(state, instance) : undefined;
    if (known === undefined || known.name === instance.name) continue;
    moved.set(known.name, instance.name);
    renamed[known.id] = { ...known, name: instance.name };
  }
  const { gone, ripening } = namesOfNewcomers(state, instances, moved);
  if (moved.size === 0 && gone.size === 0) return state;
  const follow = <T>(rows: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(rows).flatMap(([name, row]) => (gone.has(name) ? [] : [[moved.get(name) ?? name, row]])),
    );
  const ledger = Object.entries(state.ledger).flatMap(([key, entry]) => {
    const [name, protocol, address, port] = JSON.parse(key) as [string, string, string, number | ''];
    if (gone.has(name)) return [];
    return [[ledgerKey(moved.get(name) ?? name, protocol, address, port === '' ? undefined : port), entry] as const];
  });
  return {
    ...state,
    instances: { ...state.instances, ...renamed },
    ledger: Object.fromEntries(ledger),
    learned: follow(state.learned),
    reports: follow(state.reports),
    ...(ripening === undefined ? {} : { ripening }),
  };
}

/** For instances that are not remembered yet: adds renamed ones to `moved`. `gone`: names of those that do not run any more. */
function namesOfNewcomers(
  { instances: known, ripening }: State,
  instances: readonly Pick<Merged<Candidate>, 'id' | 'name'>[],
  moved: Map<string, string>,
): { gone: ReadonlySet<string>; ripening?: Probation } {
  const gone = new Set<string>();
  const newcomers = Object.entries(ripening ?? {}).filter(
    ([id, { name }]) => name !== undefined && known[id] === undefined,
  );
  if (newcomers.length === 0) return { gone };
  const names = new Map(instances.map(({ id, name }) => [id, name]));
  const renamed = newcomers.filter(([id, { name }]) => names.get(id) !== name);
  if (renamed.length === 0) return { gone };
  const next: Record<string, ProbationEntry> = { ...ripening };
  for (const [id, { name: before, ...entry }] of renamed) {
    const now = names.get(id);
    if (now === undefined) gone.add(before!);
    else moved.set(before!, now);
    next[id] = { ...entry, ...(now === undefined ? {} : { name: now }) };
  }
  return { gone, ripening: next };
}
