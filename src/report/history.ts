/**
 * A bounded history for sparklines: up, drops and queue of every port, up of every instance. Pure; each scan returns the next
 * history. Only changes are stored, so an idle port costs almost nothing.
 */
import { endpointKey } from '../model/endpoint.js';
import type { Changes, History, InstanceTrack, PortTrack, PortVerdict, Report, SelfReport } from '../model/model.js';
import { createResultCache } from '../runtime/unchanged.js';

/** Number of samples; with `spacing` they cover at least an hour. */
export const maxSamples = 120;
/** Scans closer together than this become one sample that keeps the worst of them. Seconds. */
export const spacing = 30;

export const emptyHistory: History = { first: 0, times: [], instances: {}, ports: {} };

/** Value of `changes` at sample `n`; undefined before the first. */
export function valueAt(changes: Changes, n: number): number | undefined {
  for (let i = changes.length - 2; i >= 0; i -= 2) if (changes[i]! <= n) return changes[i + 1];
  return undefined;
}

/** `[from, until, value]` of each stretch of one value within the history; sample numbers, `until` exclusive. */
export function stretches(changes: Changes, history: History): [from: number, until: number, value: number][] {
  const end = history.first + history.times.length;
  const found: [number, number, number][] = [];
  for (let i = 0; i < changes.length; i += 2) {
    const from = Math.max(changes[i]!, history.first);
    const until = changes[i + 2] ?? end;
    if (until > from) found.push([from, until, changes[i + 1]!]);
  }
  return found;
}

/** `changes` with `value` at sample `n`; the same array if the value did not change. */
function put(changes: Changes, n: number, value: number): Changes {
  const last = changes.length - 2;
  if (last >= 0 && changes[last + 1] === value) return changes;
  if (last >= 0 && changes[last] === n) return [...changes.slice(0, last), n, value];
  return [...changes, n, value];
}

/** Without the changes before sample `first`, except the value that still holds there. */
function trim(changes: Changes, first: number): Changes {
  let from = 0;
  while (from + 2 < changes.length && changes[from + 2]! <= first) from += 2;
  return from === 0 ? changes : changes.slice(from);
}

const upValue = (up: boolean | undefined): number => (up === undefined ? -1 : Number(up));

/** The worse of two scans in one sample: down, then unknown, then up. */
function worse(a: number, b: number): number {
  const rank = (value: number) => (value === 0 ? 2 : value === -1 ? 1 : 0);
  return rank(a) >= rank(b) ? a : b;
}

interface Step {
  /** Number of the sample that is written. */
  n: number;
  first: number;
  /** The sample exists already and combines several scans. */
  again: boolean;
}

function series(changes: Changes, value: number, { n, first, again }: Step, combine: (a: number, b: number) => number) {
  const before = again ? valueAt(changes, n) : undefined;
  return trim(put(changes, n, before === undefined ? value : combine(before, value)), first);
}

/** Eighths of the receive buffer, to the nearest: a sparkline shows no more. */
function fill({ up, status, socket, receiveBuffer }: PortVerdict): number {
  if ((up !== true && status !== 'deaf') || socket === undefined || !receiveBuffer) return 0;
  return Math.min(8, Math.round((socket.receiveQueue / receiveBuffer) * 8));
}

const noPort: PortTrack = { up: [], drops: [], queue: [], total: 0 };

/** Order of magnitude of a count: a sparkline shows no more, and a steady stream is a single stretch. */
function magnitude(count: number): number {
  return count <= 0 ? 0 : 1 + Math.floor(Math.log10(count));
}

/** `received`: datagrams that Filebeat has read so far; undefined where it does not count them. */
function nextCame(before: PortTrack | undefined, received: number | undefined, step: Step): Partial<PortTrack> {
  if (received === undefined) return {};
  const { came = [], cameTotal = received } = before ?? {};
  return {
    came: series(came, magnitude(received - cameTotal), step, Math.max),
    cameTotal: Math.max(received, cameTotal),
  };
}

function nextPort(
  before: PortTrack | undefined,
  port: PortVerdict,
  step: Step,
  received: number | undefined,
): PortTrack {
  const known = before ?? noPort;
  const total = port.dropsTotal ?? known.total;
  // Drops before the first scan are not part of this history.
  const dropped = before === undefined ? 0 : Math.max(0, total - known.total);
  const up = series(known.up, upValue(port.up), step, worse);
  const drops = series(known.drops, dropped, step, (a, b) => a + b);
  const queue = series(known.queue, fill(port), step, Math.max);
  const came = nextCame(before, received, step);
  const same =
    up === known.up &&
    drops === known.drops &&
    queue === known.queue &&
    total === known.total &&
    came.came === known.came &&
    came.cameTotal === known.cameTotal;
  return same && before !== undefined ? before : { up, drops, queue, total, ...came };
}

/** Tracks that another scan with the same verdicts leaves as they are. */
const quiet = createResultCache<readonly PortVerdict[], PortTracks>();

type PortTracks = Readonly<Record<string, PortTrack>>;

/** Whether one more identical scan adds nothing: the track is a single stretch of the present value. */
function isQuiet({ up, drops, queue, total }: PortTrack, port: PortVerdict): boolean {
  return (
    up.length === 2 &&
    up[1] === upValue(port.up) &&
    drops.length === 2 &&
    drops[1] === 0 &&
    queue.length === 2 &&
    queue[1] === fill(port) &&
    total === (port.dropsTotal ?? total)
  );
}

function nextPorts(
  before: PortTracks | undefined,
  ports: readonly PortVerdict[],
  step: Step,
  listeners: SelfReport['listeners'],
): PortTracks {
  const counts = Object.keys(listeners).length > 0;
  const unchanged = counts ? undefined : quiet.get(ports, [before]);
  if (unchanged !== undefined) return unchanged;
  const tracks: Record<string, PortTrack> = {};
  for (const port of ports) {
    const key = endpointKey(port);
    tracks[key] = nextPort(before?.[key], port, step, listeners[key]?.received);
  }
  if (!counts && ports.every((port) => isQuiet(tracks[endpointKey(port)]!, port))) quiet.set(ports, [tracks], tracks);
  return tracks;
}

/** After the wall clock was set by `step` seconds: moves all time stamps with it. */
export function shiftHistory(history: History, step: number): History {
  return { ...history, times: history.times.map((time) => time + step) };
}

/** The history after one more scan. Instances and ports that are gone from the report are dropped. */
export function nextHistory(history: History, report: Pick<Report, 'snapshot' | 'verdict'>): History {
  const { takenAt } = report.snapshot;
  const lastTime = history.times.at(-1);
  const again = lastTime !== undefined && takenAt - lastTime < spacing;
  const all = again ? history.times : [...history.times, takenAt];
  const times = all.slice(-maxSamples);
  const first = history.first + all.length - times.length;
  const step: Step = { n: first + times.length - 1, first, again };
  const instances: Record<string, InstanceTrack> = {};
  const ports: Record<string, PortTracks> = {};
  for (const [index, verdict] of report.verdict.instances.entries()) {
    // Same order: see `Verdict`.
    const instance = report.snapshot.instances[index];
    const before = history.instances[verdict.id];
    const up = series(before?.up ?? [], upValue(verdict.up), step, worse);
    instances[verdict.id] = before !== undefined && before.up === up ? before : { up };
    const { listeners = {} } = instance?.selfReport ?? {};
    ports[verdict.id] = nextPorts(history.ports[verdict.id], verdict.ports, step, listeners);
  }
  return { first, times, instances, ports };
}
