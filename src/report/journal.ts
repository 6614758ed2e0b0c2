/**
 * What changed from one scan to the next: starts, stops, binds, losses, edits. Pure. Failures and successes have limits of their
 * own, so that many successes do not displace failures.
 */
import { endpointKey, endpointOf } from '../model/endpoint.js';
import { isSameProcess } from '../model/instance-rules.js';
import type {
  Entry,
  EntryKind,
  Instance,
  InstanceVerdict,
  Journal,
  PortVerdict,
  Report,
  Snapshot,
  Verdict,
} from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';

type Scan = Pick<Report, 'snapshot' | 'verdict'>;

export const maxFailures = 300;
export const maxSuccesses = 100;
/** Ports that one entry names; further ones are only counted. */
const portsNamed = 5;

export const emptyJournal: Journal = { failures: [], successes: [] };

const failing: readonly EntryKind[] = ['stopped', 'restarted', 'lost', 'not_bound', 'taken', 'drops_began'];

/** All entries, youngest first. */
export function entriesOf({ failures, successes }: Journal): Entry[] {
  return [...failures, ...successes].sort((a, b) => b.at - a.at);
}

/** Whether an entry reports something that went wrong. */
export function isFailure({ kind }: Entry): boolean {
  return failing.includes(kind);
}

/** The state of a port as far as the journal distinguishes it. `unknown` includes ports of an instance that is down. */
type PortState = 'served' | 'taken' | 'unserved' | 'starting' | 'unknown';

function stateOf({ status, up }: PortVerdict): PortState {
  if (status === 'taken' || status === 'starting') return status;
  if (status === 'instance_down' || up === undefined) return 'unknown';
  return up ? 'served' : 'unserved';
}

function transition(before: PortState, now: PortState): EntryKind | undefined {
  if (before === now || now === 'unknown' || now === 'starting') return undefined;
  if (now === 'served') return before === 'unknown' ? undefined : 'bound';
  if (now === 'taken') return 'taken';
  return before === 'served' ? 'lost' : before === 'taken' ? undefined : 'not_bound';
}

const dropping = ({ dropsRecent }: PortVerdict): boolean => (dropsRecent ?? 0) > 0;

/** One entry for all ports of an instance that changed in the same way and, if taken, by the same process. */
function portEntries(at: number, name: string, before: readonly PortVerdict[], now: readonly PortVerdict[]): Entry[] {
  if (before === now) return [];
  const known = new Map(before.map((port) => [endpointKey(port), port]));
  const found = new Map<string, Entry>();
  const add = (kind: EntryKind, port: PortVerdict) => {
    const taker = kind === 'taken' ? port.socket?.owners[0] : undefined;
    const key = `${kind}|${taker?.pid ?? ''}`;
    const entry = found.get(key) ?? {
      at,
      kind,
      name,
      ports: [],
      count: 0,
      ...(taker === undefined ? {} : { by: taker }),
    };
    const ports = entry.ports!.length < portsNamed ? [...entry.ports!, endpointOf(port)] : entry.ports!;
    found.set(key, { ...entry, ports, count: entry.count! + 1 });
  };
  for (const port of now) {
    const past = known.get(endpointKey(port));
    if (past === port) continue;
    const kind = past === undefined ? undefined : transition(stateOf(past), stateOf(port));
    if (kind !== undefined) add(kind, port);
    if (past !== undefined && dropping(past) !== dropping(port))
      add(dropping(port) ? 'drops_began' : 'drops_ended', port);
  }
  return [...found.values()];
}

function processEntry(at: number, before: Instance, now: Instance): Entry[] {
  const [old, current] = [before.process, now.process];
  const { name } = now;
  if (old === undefined) return current === undefined ? [] : [{ at, kind: 'started', name, pid: current.pid }];
  if (current === undefined) {
    const end = now.lastEnd;
    return now.hidden ? [] : [{ at, kind: 'stopped', name, pid: old.pid, ...(end === undefined ? {} : { end }) }];
  }
  if (isSameProcess(old, current)) return [];
  return [{ at, kind: 'restarted', name, pid: current.pid, former: old.pid }];
}

/** Files that were edited, added or removed. An instance that is only remembered has no files to compare. */
function editEntry(at: number, before: Instance, now: Instance): Entry[] {
  const [old, current] = [before.prediction.files, now.prediction.files];
  if (old === current || old.length === 0 || current.length === 0) return [];
  const stamps = new Map(old.map((f) => [f.path, f.mtime]));
  const edited = current.filter((f) => f.mtime !== stamps.get(f.path)).map((f) => f.path);
  const present = new Set(current.map((f) => f.path));
  const gone = [...stamps.keys()].filter((path) => !present.has(path));
  const [file, ...others] = [...edited, ...gone];
  return file === undefined ? [] : [{ at, kind: 'edited', name: now.name, file, count: others.length + 1 }];
}

interface Side {
  instance: Instance;
  verdict: InstanceVerdict;
}

/** By `Instance.id`. Each scan is asked twice: as the later one, and then as the earlier one. */
const sidesOf = perObject(
  ({ instances }: Verdict, snapshot: Snapshot): ReadonlyMap<string, Side> =>
    new Map(snapshot.instances.map((instance, i) => [instance.id, { instance, verdict: instances[i]! }])),
);

function entriesBetween(before: Scan, now: Scan): Entry[] {
  const at = now.snapshot.takenAt;
  const past = sidesOf(before.verdict, before.snapshot);
  const present = sidesOf(now.verdict, now.snapshot);
  const found: Entry[] = [];
  for (const [id, { instance, verdict }] of present) {
    const old = past.get(id);
    if (old === undefined) {
      const { name, process } = instance;
      found.push({ at, kind: 'appeared', name, ...(process === undefined ? {} : { pid: process.pid }) });
      continue;
    }
    if (old.instance === instance && old.verdict === verdict) continue;
    found.push(
      ...processEntry(at, old.instance, instance),
      ...editEntry(at, old.instance, instance),
      ...portEntries(at, instance.name, old.verdict.ports, verdict.ports),
    );
  }
  for (const [id, { instance }] of past)
    if (!present.has(id)) found.push({ at, kind: 'forgotten', name: instance.name });
  const plain = before.verdict.statics;
  now.verdict.statics.forEach((port, i) => {
    const old = plain[i];
    if (old === undefined || old.port !== port.port || old.protocol !== port.protocol || old.up === port.up) return;
    const { protocol, address = '*' } = port;
    found.push({ at, kind: port.up ? 'bound' : 'lost', ports: [{ protocol, address, port: port.port }], count: 1 });
  });
  return found;
}

/** The journal with the changes since the previous report; the first report adds nothing. */
export function nextJournal(journal: Journal, before: Scan | undefined, now: Scan): Journal {
  const fresh = before === undefined ? [] : entriesBetween(before, now);
  if (fresh.length === 0) return journal;
  return {
    failures: [...journal.failures, ...fresh.filter(isFailure)].slice(-maxFailures),
    successes: [...journal.successes, ...fresh.filter((entry) => !isFailure(entry))].slice(-maxSuccesses),
  };
}

/** After the wall clock was set by `step` seconds: moves all time stamps with it. */
export function shiftJournal({ failures, successes }: Journal, step: number): Journal {
  const moved = (entry: Entry): Entry => ({ ...entry, at: entry.at + step });
  return { failures: failures.map(moved), successes: successes.map(moved) };
}
